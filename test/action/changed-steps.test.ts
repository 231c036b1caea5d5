/** S11: a passed step runs again only if something that it depends on changed. Its dependent steps then run again too. */

import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { defined } from '../../src/optional-keys.js';
import { attemptLines, promptBodies } from './attempt-lines.js';
import { createHarness, type Harness } from './harness.js';

const workflow = (implPrompt = 'Implement with {flavour}.', agent = 'claude-haiku') => `name: flow
steps:
  - name: tests
    type: code
    agent: claude-haiku
    prompt: "Tests for: {spec}."
  - name: impl
    type: code
    agent: ${agent}
    session: from: tests
    prompt: ${implPrompt}
  - name: docs
    type: code
    agent: claude-haiku
    session: from: tests
    prompt: Document.
    gate: [{bash: "test -e done.txt"}]
`;

// Without a state name, the name of the state contains these values.
const inputs = { 'state-name': 'flow', spec: 'sums', vars: 'flavour: mint' };

const firstRules = [
  { prompt: 'Tests for', do: [{ write: 'tests.txt', content: 'tests\n' }] },
  { prompt: 'Implement', do: [{ write: 'impl.txt', content: 'impl\n' }] },
  { prompt: 'Document', do: [{ write: 'docs.txt', content: 'docs\n' }] },
];

const rerunRules = [
  { prompt: 'Tests for', do: [{ run: 'ls > seen-by-tests.txt' }] },
  { prompt: 'Implement', do: [{ run: 'ls > seen-by-impl.txt' }] },
  { prompt: 'Document', do: [{ run: 'cat seen-by-*.txt; ls' }, { write: 'done.txt' }] },
];

/** Runs a first job attempt that fails at `docs`. */
async function runFailingAtDocs(store?: 'directory'): Promise<Harness> {
  const harness = await createHarness({
    workflow: workflow(),
    ...defined({ store }),
    files: { 'src/a.txt': 'a\n' },
  });
  await harness.runJob({ inputs, rules: firstRules });
  return harness;
}

/** The prompts of the steps that ran in job attempt 2, in order. */
async function promptsOfRerun(harness: Harness): Promise<readonly string[]> {
  return promptBodies((await harness.calls()).slice(3).map((call) => call.prompt));
}

describe('a re-run after a change', () => {
  it('runs a step with changed variables and all steps after it, and logs the reason first', async () => {
    const harness = await runFailingAtDocs();
    const { main } = await harness.runJob({
      jobAttempt: 2,
      code: 'dist',
      inputs: { ...inputs, vars: 'flavour: lemon' },
      rules: rerunRules,
    });
    expect(await promptsOfRerun(harness)).toEqual(['Implement with lemon.', 'Document.']);
    const lines = main.log.split('\n');
    expect(lines.findIndex((line) => line.includes('the variables of step `impl` changed'))).toBeLessThan(
      lines.findIndex((line) => line.startsWith('::group::')),
    );
    expect(main.log).toContain('These steps run again: impl, docs.');
    expect(attemptLines(main.report)).toEqual([
      'tests#1@1 new declared-new passed',
      'impl#1@2 resumed from passed',
      'docs#1@2 resumed from passed',
    ]);
    // The session and the files are as they were after `tests`.
    const impl = (await harness.calls())[3];
    expect(promptBodies(impl?.earlier ?? [])).toEqual(['Tests for: sums.']);
    expect(main.report?.steps.map((step) => step.takenOver)).toEqual([true, false, false]);
    // The totals include the discarded attempts: two answers each, and three for the last attempt of `docs`.
    expect(main.report?.totals.inputTokens).toBe(5 * 200 + 100);
    expect(main.warnings).toEqual([]);
  });

  it('restores the worktree as the last reused step left it', async () => {
    const harness = await runFailingAtDocs('directory');
    let seen = '';
    const { main } = await harness.runJob({
      jobAttempt: 2,
      inputs: { ...inputs, vars: 'flavour: lemon' },
      rules: rerunRules,
      inspect: async (machine) => {
        seen = await readFile(join(machine.workspace, 'seen-by-impl.txt'), 'utf8');
      },
    });
    expect(main.outputs.status).toBe('passed');
    expect(seen.split('\n')).toContain('tests.txt');
    expect(seen.split('\n')).not.toContain('impl.txt');
    expect(seen.split('\n')).not.toContain('docs.txt');
  });

  it('runs no passed step again if no step uses the changed variable', async () => {
    const harness = await runFailingAtDocs();
    const { main } = await harness.runJob({
      jobAttempt: 2,
      inputs: { ...inputs, vars: 'flavour: mint\nunused: yes' },
      rules: rerunRules,
    });
    expect(await promptsOfRerun(harness)).toEqual(['Document.']);
    expect(main.log).not.toContain('run again');
    expect(main.outputs).toMatchObject({ status: 'passed', resumed: 'true' });
  });

  it.each([
    ['spec', { spec: 'products' }, 'the spec of step `tests` changed'],
    ['agent', { agent: 'claude-opus' }, 'the agent of step `tests` changed'],
  ])('runs all steps from the first one that depends on the %s', async (_name, change, reason) => {
    const harness = await runFailingAtDocs();
    const { main } = await harness.runJob({
      jobAttempt: 2,
      inputs: { ...inputs, ...change },
      rules: rerunRules,
    });
    expect(main.log).toContain(reason);
    expect(main.log).toContain('These steps run again: tests, impl, docs.');
    expect(await promptsOfRerun(harness)).toHaveLength(3);
    expect((await harness.calls())[3]?.session.mode).toBe('start');
    expect(main.outputs.status).toBe('passed');
  });

  it('runs only the affected steps if the workflow changed at another commit of the same run', async () => {
    const harness = await runFailingAtDocs();
    const { main } = await harness.runJob({
      jobAttempt: 2,
      inputs,
      rules: rerunRules,
      checkout: { depth: 0 },
      changes: { '.gump/workflows/flow.yaml': workflow('Implement again with {flavour}.') },
    });
    expect(main.log).toContain('the definition of step `impl` changed');
    expect(await promptsOfRerun(harness)).toEqual(['Implement again with mint.', 'Document.']);
    expect(main.outputs.status).toBe('passed');
  });

  it('reuses results on a branch that moved, at depth 1, also after a force-push', async () => {
    const harness = await runFailingAtDocs();
    const { main } = await harness.runJob({
      jobAttempt: 2,
      code: 'dist',
      inputs,
      rules: rerunRules,
      laterStatus: 'failure',
      changes: { 'src/a.txt': 'unrelated\n', 'new.txt': 'unrelated\n' },
      async inspect(machine) {
        const read = (path: string) => readFile(join(machine.workspace, path), 'utf8');
        expect([await read('src/a.txt'), await read('impl.txt')]).toEqual(['unrelated\n', 'impl\n']);
      },
    });
    expect(await promptsOfRerun(harness)).toEqual(['Document.']);
    expect(main.log).not.toContain('run again');
    expect(main.warnings).toEqual([]);
    expect(main.outputs).toMatchObject({ status: 'passed', resumed: 'true' });
    expect(attemptLines(main.report).at(-1)).toBe('docs#2@2 resumed continued passed');
    // A third job attempt on the same commit finds the state of the second one.
    const again = await harness.runJob({ jobAttempt: 3, inputs });
    expect(again.main.outputs.status).toBe('passed');
    expect(await harness.calls()).toHaveLength(4);
  });

  it('runs the steps again from the first that changed a file which is different now', async () => {
    const harness = await runFailingAtDocs();
    const { main } = await harness.runJob({
      jobAttempt: 2,
      inputs,
      rules: rerunRules,
      changes: { 'impl.txt': 'somebody else\n' },
      async inspect(machine) {
        expect(await readFile(join(machine.workspace, 'impl.txt'), 'utf8')).toBe('somebody else\n');
      },
    });
    expect(main.log).toContain(
      'Note: `impl.txt`, which step `impl` or an earlier step changed, is different in the checkout of this job.',
    );
    expect(main.log).toContain('These steps run again: impl, docs.');
    expect(await promptsOfRerun(harness)).toEqual(['Implement with mint.', 'Document.']);
    expect(main.outputs.status).toBe('passed');
  });

  it('merges the change of a failed step onto the new start tree, and names a file that cannot be merged', async () => {
    const lines = Array.from({ length: 9 }, (_, line) => `${line}\n`);
    const text = (first: string, last: string) => [first, ...lines, last].join('');
    const harness = await createHarness({ workflow: workflow(), files: { 'long.txt': text('a\n', 'z\n') } });
    const docs = { prompt: 'Document', do: [{ write: 'long.txt', content: text('docs\n', 'z\n') }] };
    await harness.runJob({ inputs, rules: [...firstRules.slice(0, 2), docs] });
    const clash = await harness.runJob({
      jobAttempt: 2,
      inputs,
      changes: { 'long.txt': text('another\n', 'z\n') },
    });
    expect(clash.main.errors[0]).toContain('`long.txt`: the restored changes conflict');
    const { main } = await harness.runJob({
      jobAttempt: 3,
      inputs,
      rules: rerunRules,
      changes: { 'long.txt': text('a\n', 'moved\n') },
      async inspect(machine) {
        expect(await readFile(join(machine.workspace, 'long.txt'), 'utf8')).toBe(text('docs\n', 'moved\n'));
      },
    });
    expect(main.outputs).toMatchObject({ status: 'passed', resumed: 'true' });
    expect(await promptsOfRerun(harness)).toEqual(['Document.']);
  });

  it('uses the changed definition of a step that has not passed yet', async () => {
    const harness = await runFailingAtDocs();
    const { main } = await harness.runJob({
      jobAttempt: 2,
      inputs,
      rules: rerunRules,
      checkout: { depth: 0 },
      changes: { '.gump/workflows/flow.yaml': workflow().replace('Document.', 'Document it well.') },
    });
    expect(await promptsOfRerun(harness)).toEqual(['Document it well.']);
    expect(attemptLines(main.report).at(-1)).toBe('docs#2@2 resumed continued passed');
  });
});

const gated = `name: flow
steps:
  - name: tests
    type: code
    agent: claude-haiku
    prompt: Write tests.
    gate: [bash: 'test ! -e forbidden.txt']
  - name: impl
    type: code
    agent: claude-haiku
    session: from: tests
    prompt: Implement.
    gate: [bash: 'test -e tests.txt']
  - name: docs
    type: code
    agent: claude-haiku
    prompt: Document.
    gate: [bash: 'test -e done.txt']
`;

const gatedRules = [
  { prompt: 'Write tests', do: [{ write: 'tests.txt', content: 'tests\n' }] },
  { prompt: 'Implement', do: [{ write: 'impl.txt', content: 'impl\n' }] },
];

describe('the gates of reused steps', () => {
  it('run once more on another start tree, and only there', async () => {
    const harness = await createHarness({ workflow: gated });
    await harness.runJob({ rules: gatedRules });
    const same = await harness.runJob({ jobAttempt: 2 });
    expect(same.main.log).not.toContain('once more');
    const { main } = await harness.runJob({
      jobAttempt: 3,
      changes: { 'other.txt': 'x' },
      rules: [{ do: [{ write: 'done.txt' }] }],
    });
    expect(main.log).toContain('Checking step `tests` once more');
    expect(main.log).toContain('Checking step `impl` once more');
    expect(main.log).not.toContain('Checking step `docs` once more');
    expect(main.outputs).toMatchObject({ status: 'passed', resumed: 'true' });
    expect(await harness.calls()).toHaveLength(5);
  });

  it('that fail make their step continue as one that failed, and the steps after it run again', async () => {
    const harness = await createHarness({ code: 'dist', workflow: gated });
    await harness.runJob({ rules: gatedRules });
    const { main } = await harness.runJob({
      jobAttempt: 2,
      changes: { 'forbidden.txt': 'x' },
      rules: [
        { prompt: 'Write tests', do: [{ run: 'ls > seen.txt; rm forbidden.txt' }] },
        { prompt: 'Implement', do: [{ run: 'ls' }] },
        { prompt: 'Document', do: [{ write: 'done.txt' }] },
      ],
      async inspect(machine) {
        const seen = await readFile(join(machine.workspace, 'seen.txt'), 'utf8');
        expect(seen.split('\n')).toContain('tests.txt');
        expect(seen.split('\n')).not.toContain('impl.txt');
      },
    });
    expect(main.log).toContain('Note: the gates of step `tests` failed on the start tree of this job.');
    expect(main.log).toContain('These steps run again: impl, docs.');
    const [first, , , again] = await harness.calls();
    expect(again?.session).toEqual({ mode: 'resume', id: first?.session.id });
    expect(again?.prompt).toContain('They passed on the start tree of job attempt 1');
    expect(attemptLines(main.report)).toEqual([
      'tests#1@1 new declared-new failed:gate',
      'tests#2@2 resumed continued passed',
      'impl#1@2 resumed from passed',
      'docs#1@2 new declared-new passed',
    ]);
    expect(main.outputs.status).toBe('passed');
  });

  it('see the tree that they saw before, so that a gate may demand a failing test', async () => {
    const workflow = `name: flow
steps:
  - name: red
    type: code
    agent: claude-haiku
    prompt: Write a test.
    gate: [bash: 'test -e test.txt && test ! -e impl.txt']
  - name: checked
    gate: [touched: test.txt, bash: 'test ! -e impl.txt']
  - name: green
    type: code
    agent: claude-haiku
    prompt: Implement.
    gate: [bash: 'test -e impl.txt']
  - name: docs
    type: code
    agent: claude-haiku
    prompt: Document.
    gate: [bash: 'test -e done.txt']
`;
    const harness = await createHarness({ workflow });
    await harness.runJob({
      rules: [
        { prompt: 'Write a test', do: [{ write: 'test.txt', content: 'tests\n' }] },
        { prompt: 'Implement', do: [{ write: 'impl.txt', content: 'impl\n' }] },
      ],
    });
    const { main } = await harness.runJob({
      jobAttempt: 2,
      changes: { 'other.txt': 'x' },
      rules: [{ prompt: 'Document', do: [{ run: 'cat other.txt test.txt impl.txt > done.txt' }] }],
      async inspect(machine) {
        expect(await readFile(join(machine.workspace, 'done.txt'), 'utf8')).toBe('xtests\nimpl\n');
      },
    });
    for (const step of ['red', 'checked', 'green'])
      expect(main.log).toContain(`Checking step \`${step}\` once more`);
    expect(main.outputs.status).toBe('passed');
    expect(promptBodies((await harness.calls()).slice(3).map((call) => call.prompt))).toEqual(['Document.']);
  });

  it('of a group that fail start its next round, in the sessions of its steps', async () => {
    const workflow = `name: flow
steps:
  - name: pair
    steps:
      - name: one
        type: code
        agent: claude-haiku
        prompt: Do one.
    gate: [bash: 'test ! -e forbidden.txt']
  - name: docs
    type: code
    agent: claude-haiku
    prompt: Document.
    gate: [bash: 'test -e done.txt']
`;
    const harness = await createHarness({ workflow });
    await harness.runJob({ rules: [{ prompt: 'Do one', do: [{ write: 'one.txt' }] }] });
    const { main } = await harness.runJob({
      jobAttempt: 2,
      changes: { 'forbidden.txt': 'x' },
      rules: [
        { prompt: 'Do one', do: [{ run: 'ls one.txt && rm forbidden.txt' }] },
        { prompt: 'Document', do: [{ write: 'done.txt' }] },
      ],
    });
    const [first, , again] = await harness.calls();
    expect(again?.session).toEqual({ mode: 'resume', id: first?.session.id });
    expect(main.log).toContain('Attempts of these steps are discarded: docs.');
    expect(main.outputs.status).toBe('passed');
    expect(await harness.calls()).toHaveLength(4);
  });

  it('in parallel branches are those of their own files, and a failed one leaves the others alone', async () => {
    const workflow = `name: flow
steps:
  - name: both
    parallel: true
    steps:
      - name: left
        type: code
        agent: claude-haiku
        prompt: Go left.
        gate: [bash: 'test ! -e right.txt && test ! -e forbidden.txt']
      - name: right
        type: code
        agent: claude-haiku
        prompt: Go right.
        gate: [bash: 'test ! -e left.txt']
  - name: docs
    type: code
    agent: claude-haiku
    prompt: Document.
    gate: [bash: 'test -e done.txt']
`;
    const rules = [
      { prompt: 'left', do: [{ write: 'left.txt', content: 'left\n' }] },
      { prompt: 'right', do: [{ write: 'right.txt', content: 'right\n' }] },
    ];
    const harness = await createHarness({ workflow });
    await harness.runJob({ rules });
    const moved = await harness.runJob({ jobAttempt: 2, changes: { 'other.txt': 'x' } });
    expect(moved.main.log).toContain('Checking step `both/right` once more');
    expect(await harness.calls()).toHaveLength(4);
    const { main } = await harness.runJob({
      jobAttempt: 3,
      changes: { 'forbidden.txt': 'x' },
      rules: [
        { prompt: 'left', do: [{ run: 'ls left.txt && rm forbidden.txt' }] },
        { prompt: 'Document', do: [{ run: 'cat left.txt right.txt > done.txt' }] },
      ],
      async inspect(machine) {
        expect(await readFile(join(machine.workspace, 'done.txt'), 'utf8')).toBe('left\nright\n');
      },
    });
    expect(main.log).toContain('Checking step `both/right` once more');
    expect(promptBodies((await harness.calls()).slice(4).map((call) => call.prompt))).toHaveLength(2);
    expect(main.outputs.status).toBe('passed');
  });

  it('are checked again by the next re-run if the job is cancelled meanwhile', {
    timeout: 180_000,
  }, async () => {
    const workflow = gated.replace(
      'test ! -e forbidden.txt',
      'test ! -e slow.txt || test -e other.txt || sleep 300',
    );
    const harness = await createHarness({ code: 'dist', workflow });
    await harness.runJob({ rules: gatedRules });
    const { main } = await harness.runJob({
      jobAttempt: 2,
      changes: { 'slow.txt': 'x' },
      stop: { when: { log: 'Checking step `tests` once more' }, how: 'cancel' },
      async inspect(machine) {
        expect(await readFile(join(machine.workspace, 'impl.txt'), 'utf8')).toBe('impl\n');
      },
    });
    expect(main.outputs.status).toBe('waiting');
    expect(await harness.calls()).toHaveLength(3);
    const again = await harness.runJob({
      jobAttempt: 3,
      changes: { 'other.txt': 'x' },
      rules: [{ do: [{ write: 'done.txt' }] }],
    });
    expect(again.main.log).toContain('Checking step `impl` once more');
    expect(again.main.outputs).toMatchObject({ status: 'passed', resumed: 'true' });
    expect(await harness.calls()).toHaveLength(4);
  });

  it('of a step that waits for a person run when the person approves', async () => {
    const workflow = `name: flow
steps:
  - name: draft
    type: code
    agent: claude-haiku
    prompt: Draft.
    hitl: after_gate
    gate: [bash: 'test ! -e forbidden.txt']
  - name: docs
    type: code
    agent: claude-haiku
    prompt: Document.
`;
    const harness = await createHarness({ workflow });
    const inputs = { 'state-name': 'flow' };
    const first = await harness.runJob({ inputs, rules: [{ do: [{ write: 'draft.txt' }] }] });
    expect(first.main.outputs.status).toBe('paused');
    const { main } = await harness.runJob({
      jobAttempt: 2,
      inputs: { ...inputs, approve: 'draft' },
      changes: { 'forbidden.txt': 'x' },
      rules: [{ prompt: 'Draft', do: [{ run: 'rm forbidden.txt' }] }],
    });
    expect(main.log).toContain('Checking step `draft` once more');
    // What the person sees must have passed on the files of this job.
    expect(attemptLines(main.report)).toContain('draft#1@1 new declared-new failed:gate');
    expect(main.report?.steps[1]?.status).not.toBe('passed');
  });
});
