/** Each built-in workflow, called by its name, in a small project. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { builtIns } from '../../src/builtin/builtin-workflows.js';
import type { AgentAction, AgentRule } from '../rig/stand-in.js';
import { planRule, verdictRule } from './answer-rules.js';
import { attemptLines, callLines } from './attempt-lines.js';
import { createHarness, type RunJobOptions } from './harness.js';

const wrongAdd = 'export const add = (a, b) => a - b;\n';
const rightAdd = 'export const add = (a, b) => a + b;\n';

const addTest = `import assert from 'node:assert';
import { test } from 'node:test';
import { add } from '../src/add.js';
test('adds', () => assert.equal(add(1, 2), 3));
`;

/** A project with gates that check something: the code must parse, and the tests must pass. */
const project = {
  'package.json': JSON.stringify({
    type: 'module',
    scripts: {
      build: 'find src -name "*.js" | xargs -n1 node --check',
      test: 'node --test',
      lint: '! grep -rn debugger src',
    },
  }),
  'src/add.js': wrongAdd,
  'test/start.test.js': "import { test } from 'node:test';\ntest('starts', () => {});\n",
};

const code = (content: string, path = 'src/add.js') => ({ write: path, content });

/** Runs one job of the built-in workflow in a new project. */
async function runBuiltIn(workflow: string, rules: readonly AgentRule[], more: RunJobOptions = {}) {
  const harness = await createHarness({ workflow: 'name: unused', files: project });
  const inputs = { workflow, spec: 'SPEC: sums are wrong' };
  const { main } = await harness.runJob({ ...more, inputs, rules });
  const calls = await harness.calls();
  return { main, calls, attempts: attemptLines(main.report), models: calls.map(({ model }) => model) };
}

const testedNames: string[] = [];

function testBuiltIn(name: string, what: string, body: () => Promise<void>): void {
  testedNames.push(name);
  it(`${name} ${what}`, body);
}

testBuiltIn('freeform', 'runs one agent and checks that the result compiles', async () => {
  const { main, attempts, models } = await runBuiltIn(
    'freeform',
    [{ prompt: 'SPEC: sums are wrong', do: [code(rightAdd)] }],
    { code: 'dist' },
  );
  expect(main.outputs, main.log).toMatchObject({ status: 'passed' });
  expect(main.warnings).toEqual([]);
  expect(attempts).toEqual(['work#1@1 new declared-new passed']);
  expect(models).toEqual(['opus']);
});

testBuiltIn('tdd', 'writes tests, then code in the same session until the tests pass', async () => {
  const { main, calls, attempts, models } = await runBuiltIn('tdd', [
    planRule('Plan the work', { name: 'sum', description: 'Sum them.', files: ['src/add.js', 'test'] }),
    { prompt: 'Write the tests', do: [code(addTest, 'test/add.test.js')] },
    { prompt: 'for this task exist and fail', do: [code('export const add = () => 4;\n')] },
    { prompt: 'The task is not finished yet', do: [code(rightAdd)] },
  ]);
  expect(main.outputs, main.log).toMatchObject({ status: 'passed', tasks: '["sum"]' });
  expect(main.warnings).toEqual([]);
  expect(attempts).toEqual([
    'build#1@1 new declared-new passed',
    'build/sum/tests#1@1 new declared-new passed',
    'build/sum/impl#1@1 resumed from failed:gate',
    'build/sum/impl#2@1 resumed kept-on-retry passed',
    'quality#1@1 gates passed',
  ]);
  expect(callLines(calls)).toEqual([
    'claude start a after 0',
    'claude start b after 0',
    'claude resume b after 1',
    'claude resume b after 2',
  ]);
  expect(models).toEqual(['opus', 'haiku', 'haiku', 'haiku']);
  expect(calls[1]?.prompt).toContain('Sum them.');
  expect(calls[3]?.prompt).toContain('AssertionError');
});

testBuiltIn(
  'bugfix',
  'reproduces the bug with a test, escalates to a stronger agent, and fixes the bug',
  async () => {
    const { main, attempts, models } = await runBuiltIn('bugfix', [
      planRule('Find the cause', { name: 'sum', files: ['src/**', 'test/**'] }),
      { prompt: 'Write a test that shows this bug', do: [code(rightAdd)] },
      {
        prompt: 'Complete the test for this bug',
        do: [code(wrongAdd), code(addTest, 'test/add.test.js')],
      },
      { prompt: 'Now fix the bug', do: [code(rightAdd)] },
    ]);
    expect(main.outputs, main.log).toMatchObject({ status: 'passed' });
    expect(attempts).toEqual([
      'fix#1@1 new declared-new passed',
      'fix/sum/reproduce#1@1 new declared-new failed:gate',
      'fix/sum/reproduce#2@1 new override-new passed',
      'fix/sum/patch#1@1 new from-other-agent passed',
      'quality#1@1 gates passed',
    ]);
    expect(models).toEqual(['sonnet', 'haiku', 'sonnet', 'haiku']);
    // Only for the session that could not be resumed, not for the one that the retry entry declares as new.
    expect(main.warnings).toEqual([expect.stringMatching(/^Step `fix\/sum\/patch`, attempt 1: new session/)]);
  },
);

testBuiltIn('cheap2sota', 'escalates from agent to agent until one succeeds', async () => {
  const half = (word: string): readonly AgentAction[] => [
    code(`syntax error of ${word}\n`, `src/${word}.js`),
  ];
  const { main, calls, attempts, models } = await runBuiltIn('cheap2sota', [
    planRule('Plan the work', { name: 'sum', files: ['src/*', 'test/*'] }),
    { prompt: 'Do this task', model: 'opus', do: [code(rightAdd)] },
    { prompt: 'Do this task', do: half('first') },
    { prompt: 'The task is not finished yet', do: half('second') },
    { prompt: 'Finish this task', model: 'haiku', do: half('third') },
    { prompt: 'Finish this task', model: 'sonnet', do: half('fourth') },
  ]);
  expect(main.outputs, main.log).toMatchObject({ status: 'passed' });
  expect(attempts.slice(1)).toEqual([
    'build/sum/impl#1@1 new declared-new failed:gate',
    'build/sum/impl#2@1 resumed kept-on-retry failed:gate',
    'build/sum/impl#3@1 new override-new failed:gate',
    'build/sum/impl#4@1 new override-new failed:gate',
    'build/sum/impl#5@1 new override-new passed',
    'quality#1@1 gates passed',
  ]);
  expect(calls.map(({ provider }) => provider)).toEqual([
    'claude',
    'qwen',
    'qwen',
    'claude',
    'claude',
    'claude',
  ]);
  expect(models.slice(3)).toEqual(['haiku', 'sonnet', 'opus']);
  // The prompt contains the change of the previous attempt and its error.
  expect(calls.at(-1)?.prompt).toContain('+syntax error of fourth');
  expect(calls.at(-1)?.prompt).toContain('SyntaxError');
  // The workflow's limit is in USD.
  expect(main.warnings).toEqual([expect.stringMatching(/do not count the cost of Qwen Code/)]);
});

testBuiltIn('parallel-tasks', 'merges the changes of parallel branches', async () => {
  let files: readonly string[] = [];
  const { main, calls } = await runBuiltIn(
    'parallel-tasks',
    [
      planRule(
        'Plan the work',
        { name: 'sum', files: ['src/add.js'] },
        { name: 'doc', files: ['docs/*.md'] },
      ),
      { prompt: 'do sum', do: [code(rightAdd)] },
      { prompt: 'do doc', do: [code('# add\n', 'docs/add.md')] },
    ],
    {
      async inspect({ workspace }) {
        files = await Promise.all(
          ['src/add.js', 'docs/add.md'].map((path) => readFile(join(workspace, path), 'utf8')),
        );
      },
    },
  );
  expect(main.outputs, main.log).toMatchObject({ status: 'passed', tasks: '["sum","doc"]' });
  expect(main.warnings).toEqual([]);
  expect(files).toEqual([rightAdd, '# add\n']);
  expect(new Set(calls.map(({ cwd }) => cwd)).size).toBe(3);
  expect(calls[1]?.prompt).toContain('Change only these files');
});

testBuiltIn(
  'implement-spec',
  'retries until a reviewer accepts the change, then uses the result',
  async () => {
    const { main, calls, attempts } = await runBuiltIn('implement-spec', [
      planRule('Plan how to implement', { name: 'sum', description: 'Sum them.', files: ['src/add.js'] }),
      { prompt: 'Do this task', do: [code(`// hm\n${rightAdd}`)] },
      verdictRule('You review a change', false, 'COMMENT: the remark is noise', 1),
      { prompt: 'The task is not finished yet', do: [code(rightAdd)] },
      verdictRule('You review a change', true, 'fine'),
      { prompt: 'Now use what you have built', do: [{ run: 'npm test' }] },
    ]);
    expect(main.outputs, main.log).toMatchObject({ status: 'passed' });
    expect(main.warnings).toEqual([]);
    expect(attempts).toEqual([
      'build#1@1 new declared-new passed',
      'build/sum/converge#1@1 new declared-new failed:gate',
      'build/sum/converge#2@1 resumed kept-on-retry passed',
      'build/sum/converge/gate:review:1#1@1 gates failed:validate',
      'build/sum/converge/gate:review:1/review#1@1 new declared-new failed:validate',
      'build/sum/converge/gate:review:2#1@1 gates passed',
      'build/sum/converge/gate:review:2/review#1@1 new declared-new passed',
      'build/sum/smoke#1@1 resumed from passed',
      'quality#1@1 gates passed',
    ]);
    const [plan, , review, retry, second] = calls;
    expect(plan?.prompt).toContain('The repository has no docs/architecture.md.');
    expect(review?.prompt).toContain('Sum them.');
    expect(review?.prompt).toContain('SPEC: sums are wrong');
    expect(review?.prompt).toContain('+// hm');
    expect(retry?.prompt).toContain('COMMENT: the remark is noise');
    // The change since the start of the step, not only that of the second attempt.
    expect(second?.prompt).toContain('-export const add = (a, b) => a - b;');
    expect(callLines(calls)).toEqual([
      'claude start a after 0',
      'claude start b after 0',
      'claude start c after 0',
      'claude resume b after 1',
      'claude start d after 0',
      'claude resume b after 2',
    ]);
  },
);

testBuiltIn(
  'refactor',
  'keeps the tests green, and calls an agent if a gate of the whole fails',
  async () => {
    const { main, calls, attempts, models } = await runBuiltIn('refactor', [
      planRule('Plan this refactoring', { name: 'move', files: ['src'] }),
      { prompt: 'Do this step', do: [code('debugger;\nexport const add = () => 1;\n')] },
      { prompt: 'This repository was refactored', do: [code(wrongAdd)] },
    ]);
    expect(main.outputs, main.log).toMatchObject({ status: 'passed' });
    expect(attempts).toEqual([
      'build#1@1 new declared-new passed',
      'build/move/apply#1@1 new declared-new passed',
      'quality#1@1 gates failed:gate',
      expect.stringMatching(/^quality#2@1 new .* passed$/),
    ]);
    expect(models).toEqual(['sonnet', 'sonnet', 'sonnet']);
    expect(calls.at(-1)?.prompt).toContain('src/add.js:1:debugger');
    expect(main.warnings).toEqual([]);
  },
);

it('the tests cover all built-in workflows', () => {
  expect(testedNames.toSorted()).toEqual(
    Object.keys(builtIns)
      .filter((name) => !name.includes('/'))
      .toSorted(),
  );
});
