/** S11: a passed step runs again only where something it depends on changed, and then what hangs on it does too. */

import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { defined } from '../../src/optional-keys.js';
import { attemptLines, promptBodies } from './attempt-lines.js';
import { createHarness, type Harness } from './harness.js';

const workflow = (second = 'Implement with {flavour}.', agent = 'claude-haiku') => `name: flow
steps:
  - name: tests
    type: code
    agent: claude-haiku
    prompt: "Tests for: {spec}."
  - name: impl
    type: code
    agent: ${agent}
    session: from: tests
    prompt: ${second}
  - name: docs
    type: code
    agent: claude-haiku
    session: from: tests
    prompt: Document.
    gate: [{bash: "test -e done.txt"}]
`;

const inputs = { spec: 'sums', vars: 'flavour: mint' };

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

/** A job that failed at `docs`, and then one of which something is another. */
async function runFailingAtDocs(store?: 'directory'): Promise<Harness> {
  const harness = await createHarness({
    workflow: workflow(),
    ...defined({ store }),
    files: { 'src/a.txt': 'a\n' },
  });
  await harness.runJob({ inputs, rules: firstRules });
  return harness;
}

/** Which steps ran in job attempt 2, in order. */
async function promptsOfRerun(harness: Harness): Promise<readonly string[]> {
  return promptBodies((await harness.calls()).slice(3).map((call) => call.prompt));
}

describe('a re-run after a change', () => {
  it('runs a step whose variables changed, and what comes after it; says first why and which', async () => {
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
    // What the forgotten attempts cost is not forgotten: two answers each, `docs` three in the end.
    expect(main.report?.totals.inputTokens).toBe(5 * 200 + 100);
    expect(main.warnings).toEqual([]);
  });

  it('puts the work tree back to where the last step that holds had left it', async () => {
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

  it('runs nothing again for a variable that no step speaks of', async () => {
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
  ])('runs all from the first step on that depends on the %s', async (_name, change, reason) => {
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

  it('takes an edited workflow at another commit of the same run: only what its change touches runs again', async () => {
    const harness = await runFailingAtDocs();
    const { main } = await harness.runJob({
      jobAttempt: 2,
      inputs,
      rules: rerunRules,
      checkout: { depth: 0 },
      changes: { '.gump/workflows/flow.yaml': workflow('Implement anew with {flavour}.') },
    });
    expect(main.log).toContain('the definition of step `impl` changed');
    expect(await promptsOfRerun(harness)).toEqual(['Implement anew with mint.', 'Document.']);
    expect(main.outputs.status).toBe('passed');
  });

  it('starts afresh, and says how not to, where the commit of the recorded run is not in the checkout', async () => {
    const harness = await runFailingAtDocs();
    const { main } = await harness.runJob({
      jobAttempt: 2,
      inputs,
      rules: rerunRules,
      changes: { '.gump/workflows/flow.yaml': workflow('Implement anew with {flavour}.') },
    });
    expect(main.log).toMatch(/Note: the checkout is at another commit .*`fetch-depth: 0`/);
    expect(await promptsOfRerun(harness)).toHaveLength(3);
    expect(main.outputs).toMatchObject({ status: 'passed', resumed: 'false' });
  });

  it('runs all again where the files that the run starts from changed', async () => {
    const harness = await runFailingAtDocs();
    const { main } = await harness.runJob({
      jobAttempt: 2,
      inputs,
      rules: rerunRules,
      checkout: { depth: 0 },
      changes: { 'src/a.txt': 'another\n' },
    });
    expect(await promptsOfRerun(harness)).toHaveLength(3);
    expect(main.log).toContain('Note: the start tree of the run changed.');
    expect(main.log).toContain('These steps run again: tests, impl, docs.');
    expect(main.outputs.status).toBe('passed');
  });

  it('goes on with a changed definition where the step had not passed yet', async () => {
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
