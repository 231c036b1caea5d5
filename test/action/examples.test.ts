/** Runs each example unchanged. */
import { glob, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { parse } from 'yaml';
import type { AgentAction, AgentRule } from '../rig/stand-in.js';
import { planRule, verdictRule } from './answer-rules.js';
import { attemptLines } from './attempt-lines.js';
import { createHarness, type Harness } from './harness.js';

const top = fileURLToPath(new URL('../../examples', import.meta.url));

/** A project for which the examples are written. */
const project = {
  'package.json': JSON.stringify({
    name: 'sample',
    type: 'module',
    scripts: { build: 'node --check src/add.js', test: 'node --test', lint: 'true' },
  }),
  'package-lock.json': JSON.stringify({ name: 'sample', lockfileVersion: 3, packages: { '': {} } }),
  'src/add.js': 'export const add = (a, b) => a - b;\n',
  'test/start.test.js': "import { test } from 'node:test';\ntest('starts', () => {});\n",
};

const addTest: AgentAction = {
  write: 'test/add.test.js',
  content: `import assert from 'node:assert';
import { test } from 'node:test';
import { add } from '../src/add.js';
test('adds', () => assert.equal(add(1, 2), 3));
`,
};

const writeAdd = (sign: string): AgentAction => ({
  write: 'src/add.js',
  content: `export const add = (a, b) => a ${sign} b;\n`,
});

type Inputs = Readonly<Record<string, string>>;

interface Example {
  readonly harness: Harness;
  /** The inputs of each job, in order, without expressions that only GitHub can evaluate. */
  readonly inputs: readonly Inputs[];
}

const testedExamples = new Set<string>();

/** Creates a project with the files of the example, and reads the inputs from its job. */
async function openExample(name: string, code?: 'dist'): Promise<Example> {
  testedExamples.add(name);
  const files: Record<string, string> = {};
  for await (const path of glob(`${name}/.*/**/*.{yml,yaml}`, { cwd: top }))
    files[path.slice(name.length + 1)] = await readFile(join(top, path), 'utf8');
  const workflow = Object.keys(files).find((path) => path.startsWith('.github/')) ?? '';
  const harness = await createHarness({
    workflow: 'name: unused',
    files: { ...project, ...files },
    ...(code === undefined ? {} : { code }),
  });
  return { harness, inputs: inputsOf(files[workflow] ?? '') };
}

interface Job {
  readonly steps: readonly { readonly uses?: string; readonly with?: Inputs }[];
}

function inputsOf(workflow: string): readonly Inputs[] {
  const { jobs } = parse(workflow) as { readonly jobs: Readonly<Record<string, Job>> };
  const steps = Object.values(jobs).flatMap((job) => job.steps);
  return steps
    .filter((step) => step.uses?.includes('gump-action') === true)
    .map((step) => {
      const own = Object.entries(step.with ?? {}).filter(([, value]) => !value.includes('${{'));
      return { ...Object.fromEntries(own), spec: 'SPEC: sums are wrong' };
    });
}

it('tdd', async () => {
  const { harness, inputs } = await openExample('tdd', 'dist');
  const rules: readonly AgentRule[] = [
    { prompt: 'Write tests for the following', do: [addTest] },
    { prompt: 'Write the code', do: [writeAdd('+')] },
  ];
  const { main } = await harness.runJob({ inputs: inputs[0] ?? {}, rules });
  expect(main.outputs, main.log).toMatchObject({ status: 'passed' });
  expect(main.warnings).toEqual([]);
  expect(attemptLines(main.report)).toEqual([
    'tests#1@1 new declared-new passed',
    'impl#1@1 resumed from passed',
  ]);
});

it('split', async () => {
  const { harness, inputs } = await openExample('split');
  const { main } = await harness.runJob({
    inputs: inputs[0] ?? {},
    rules: [
      planRule('Split the following specification', { name: 'sum', files: ['src/add.js', 'test/*'] }),
      { prompt: 'Write tests for this task', do: [addTest] },
      { prompt: 'Write the code', do: [writeAdd('*')] },
      { prompt: 'The tests for this task exist', do: [writeAdd('+')] },
      verdictRule('Review all changes', true, 'fine'),
    ],
  });
  expect(main.outputs, main.log).toMatchObject({ status: 'passed', tasks: '["sum"]' });
  expect(attemptLines(main.report)).toEqual([
    'build#1@1 new declared-new passed',
    'build/sum/tests#1@1 new declared-new passed',
    'build/sum/impl#1@1 resumed from failed:gate',
    'build/sum/impl#2@1 resumed kept-on-retry failed:gate',
    'build/sum/impl#3@1 new agent-changed passed',
    'review#1@1 new declared-new passed',
    'quality#1@1 gates passed',
  ]);
  expect(main.warnings).toEqual([expect.stringContaining('Step `build/sum/impl`, attempt 3: new session')]);
});

it('escalation', async () => {
  const { harness, inputs } = await openExample('escalation');
  expect(inputs[0]?.commands).toContain('compile:');
  const { main } = await harness.runJob({
    // The compiler of the example's project is not installed.
    inputs: { ...inputs[0], commands: 'compile: node --check src/add.js' },
    rules: [
      { prompt: 'Fix the following issue', do: [addTest, writeAdd('*')] },
      { prompt: 'The checks failed. Read', do: [writeAdd('/')] },
      { prompt: 'Another agent tried this', do: [addTest, writeAdd('+')] },
      verdictRule('Review the following change', true, 'REMARK: rename it'),
    ],
  });
  expect(main.outputs, main.log).toMatchObject({ status: 'passed' });
  expect(attemptLines(main.report)).toEqual([
    'fix#1@1 new declared-new failed:gate',
    'fix#2@1 resumed kept-on-retry failed:gate',
    'fix#3@1 new agent-changed passed',
    'review#1@1 new declared-new passed',
    'remarks#1@1 resumed from passed',
  ]);
  const calls = await harness.calls();
  expect(calls[2]?.prompt).toContain('AssertionError');
  expect(calls[3]?.prompt).toContain('+export const add = (a, b) => a + b;');
  expect(calls[4]?.prompt).toContain('REMARK: rename it');
});

it('two-jobs', async () => {
  const { harness, inputs } = await openExample('two-jobs', 'dist');
  const rules: readonly AgentRule[] = [
    { prompt: 'Write a plan', do: [{ write: 'docs/plan.md', content: 'Add.\n' }] },
    { prompt: 'is approved', do: [addTest, writeAdd('+')] },
  ];
  const plan = await harness.runJob({ job: 'plan', inputs: inputs[0] ?? {}, rules });
  expect(plan.main.outputs, plan.main.log).toMatchObject({ status: 'passed' });
  expect(await harness.calls()).toHaveLength(1);
  const build = await harness.runJob({ job: 'build', inputs: inputs[1] ?? {}, rules });
  expect(build.main.outputs, build.main.log).toMatchObject({ status: 'passed', resumed: 'true' });
  expect(build.main.warnings).toEqual([]);
  expect(attemptLines(build.main.report)).toEqual([
    'plan#1@1 new declared-new passed',
    'build#1@1 resumed from passed',
  ]);
});

it('parallel', async () => {
  const { harness, inputs } = await openExample('parallel');
  const { main } = await harness.runJob({
    inputs: inputs[0] ?? {},
    rules: [
      planRule(
        'Split the following specification',
        { name: 'sum', description: 'Fix sums.', files: ['src/*', 'test/*'] },
        { name: 'docs', description: 'Write docs.', files: ['docs'] },
      ),
      { prompt: 'Fix sums.', do: [addTest, writeAdd('+')] },
      { prompt: 'Write docs.', call: 1, do: [{ write: 'README.md', content: 'Adds.\n' }] },
      {
        prompt: 'Write docs.',
        do: [{ run: 'git checkout README.md' }, { write: 'docs/add.md', content: 'Adds.\n' }],
      },
    ],
  });
  expect(main.outputs, main.log).toMatchObject({ status: 'passed', tasks: '["sum","docs"]' });
  expect(main.warnings).toEqual([]);
  expect(attemptLines(main.report)).toEqual([
    'build#1@1 new declared-new passed',
    'build/sum/impl#1@1 new declared-new passed',
    'build/docs/impl#1@1 new declared-new failed:gate',
    'build/docs/impl#2@1 resumed kept-on-retry passed',
    'whole#1@1 gates passed',
  ]);
});

it('review', async () => {
  const { harness, inputs } = await openExample('review');
  const { main } = await harness.runJob({
    inputs: inputs[0] ?? {},
    rules: [
      { prompt: 'Two reviewers will check', do: [addTest, writeAdd('+')] },
      verdictRule('Review the security of this change', false, 'REMARK: numbers overflow', 1),
      verdictRule('You review a change', true, ''),
      { prompt: 'The security reviewer found', do: [{ write: 'src/limit.js', content: 'export {};\n' }] },
      verdictRule('Review the security of this change', true, ''),
    ],
  });
  expect(main.outputs, main.log).toMatchObject({ status: 'passed' });
  // The limit of the reviewer is in USD.
  expect(main.warnings).toEqual([expect.stringMatching(/do not count the cost of Codex/)]);
  const calls = await harness.calls();
  expect(calls.map(({ provider }) => provider)).toEqual([
    'claude',
    'codex',
    'claude',
    'claude',
    'codex',
    'claude',
  ]);
  expect(calls[1]?.prompt).toContain('below src/ is reachable');
  expect(calls[1]?.prompt).toContain('+export const add = (a, b) => a + b;');
  expect(calls[3]?.prompt).toContain('REMARK: numbers overflow');
});

it('approval', async () => {
  const { harness, inputs } = await openExample('approval');
  const rules: readonly AgentRule[] = [
    { prompt: 'SPEC: sums are wrong', do: [addTest, writeAdd('+')] },
    { prompt: 'is approved', do: [{ write: 'CHANGELOG.md', content: 'Sums are right.\n' }] },
  ];
  const change = await harness.runJob({ job: 'change', inputs: inputs[0] ?? {}, rules });
  expect(change.main.outputs, change.main.log).toMatchObject({ status: 'paused', 'failed-step': 'change' });
  expect(change.main.exitCode).toBe(0);
  // The second job of the example reads this output of the first job.
  const approve = change.main.outputs['failed-step'] ?? '';
  const announce = await harness.runJob({ job: 'announce', inputs: { ...inputs[1], approve }, rules });
  expect(announce.main.outputs, announce.main.log).toMatchObject({ status: 'passed', resumed: 'true' });
  expect(announce.main.warnings).toEqual([]);
  expect(attemptLines(announce.main.report).at(-1)).toBe('announce#1@1 resumed from passed');
});

it('the tests cover all examples', async () => {
  const names = new Set<string>();
  for await (const path of glob('*/.gump/workflows/*.yaml', { cwd: top }))
    names.add(path.split('/')[0] ?? '');
  expect([...testedExamples].toSorted()).toEqual([...names].toSorted());
});
