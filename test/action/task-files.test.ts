/** Whether a task changes only the files that its plan names (blast radius). */
import { expect, it } from 'vitest';
import { planRule } from './answer-rules.js';
import { attemptLines } from './attempt-lines.js';
import { createHarness } from './harness.js';

const flow = (mode: string) => `name: flow
steps:
  - name: build
    type: split
    ${mode}
    agent: claude-haiku
    prompt: Plan it
    each:
      - name: impl
        type: code
        agent: claude-haiku
        prompt: "Do {task.name}."
        gate: [{bash: "true"}]
        retry: [{exit: 2}]
`;

const planning = planRule('Plan it', { name: 'a', files: ['src/**/*.ts', 'docs'] });

/** A file that matches the globs, one in the named folder, and two outside both. */
const writeActions = ['src/deep/code.ts', 'docs/more/a.md', 'src/style.css', 'package.json'].map((path) => ({
  write: path,
  content: 'x\n',
}));

const runWithMode = async (mode: string) => {
  const harness = await createHarness({ workflow: flow(mode) });
  const removeOutside = {
    prompt: 'at this task failed',
    do: [{ delete: 'src/style.css' }, { delete: 'package.json' }],
  };
  const { main } = await harness.runJob({
    rules: [planning, removeOutside, { prompt: 'Do a.', do: writeActions }],
  });
  expect(main.outputs, main.log).toMatchObject({ status: 'passed' });
  const attempts = main.report?.steps.find(({ path }) => path === 'build/a/impl')?.attempts ?? [];
  const gates = attempts.map((one) => one.gates?.map(({ name, status }) => `${name} ${status}`));
  const row = main.summary.split('\n').find((line) => line.startsWith('| ✅&nbsp;a |')) ?? '';
  return { main, gates, row, calls: await harness.calls() };
};

const outsideFiles = /src\/\*\*\/\*\.ts, docs.*: package\.json, src\/style\.css/;

it.each(['files: warn', 'x-unset: true'])(
  '%s: changes outside the planned files cause a warning, and the task passes',
  async (mode) => {
    const { main, gates, row } = await runWithMode(mode);
    expect(gates).toEqual([['files warned', 'bash_0 passed']]);
    expect(row).toContain('| ⚠️&nbsp;files |');
    expect(main.warnings).toEqual([expect.stringMatching(outsideFiles)]);
    expect(main.summary).toMatch(/\*\*Warnings\*\*[\s\S]*package\.json/);
  },
);

it('files: fail: changes outside the planned files fail the attempt, and the next prompt names them', async () => {
  const { main, gates, row, calls } = await runWithMode('files: fail');
  expect(attemptLines(main.report).slice(1)).toEqual([
    'build/a/impl#1@1 new declared-new failed:gate',
    'build/a/impl#2@1 resumed kept-on-retry passed',
  ]);
  expect(gates).toEqual([
    ['files failed', 'bash_0 passed'],
    ['files passed', 'bash_0 passed'],
  ]);
  expect(row).toMatch(/^\| ✅&nbsp;a \| .* \| 2 \|/);
  expect(main.warnings).toEqual([]);
  expect(calls[2]?.prompt).toMatch(outsideFiles);
});

it('files: off: changes outside the planned files are not checked', async () => {
  const { main, gates, row } = await runWithMode('files: off');
  expect(gates).toEqual([['bash_0 passed']]);
  expect(row).not.toContain('files');
  expect(main.warnings).toEqual([]);
});
