/** S11: a passed step runs again only where something it depends on changed, and then what hangs on it does too. */

import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { defined } from '../../src/optional-keys.js';
import { openScene, type Scene } from './scene.js';
import { bodies, story } from './story.js';

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

const writes = [
  { prompt: 'Tests for', do: [{ write: 'tests.txt', content: 'tests\n' }] },
  { prompt: 'Implement', do: [{ write: 'impl.txt', content: 'impl\n' }] },
  { prompt: 'Document', do: [{ write: 'docs.txt', content: 'docs\n' }] },
];

const finish = [
  { prompt: 'Tests for', do: [{ run: 'ls > seen-by-tests.txt' }] },
  { prompt: 'Implement', do: [{ run: 'ls > seen-by-impl.txt' }] },
  { prompt: 'Document', do: [{ run: 'cat seen-by-*.txt; ls' }, { write: 'done.txt' }] },
];

/** A job that failed at `docs`, and then one of which something is another. */
async function failedAtDocs(store?: 'directory'): Promise<Scene> {
  const scene = await openScene({
    workflow: workflow(),
    ...defined({ store }),
    files: { 'src/a.txt': 'a\n' },
  });
  await scene.attempt({ inputs, rules: writes });
  return scene;
}

/** Which steps ran in job attempt 2, in order. */
async function ranAgain(scene: Scene): Promise<readonly string[]> {
  return bodies((await scene.calls()).slice(3).map((call) => call.prompt));
}

describe('a re-run after a change', () => {
  it('runs a step whose variables changed, and what comes after it; says first why and which', async () => {
    const scene = await failedAtDocs();
    const { main } = await scene.attempt({
      attempt: 2,
      inputs: { ...inputs, vars: 'flavour: lemon' },
      rules: finish,
    });
    expect(await ranAgain(scene)).toEqual(['Implement with lemon.', 'Document.']);
    const lines = main.log.split('\n');
    expect(lines.findIndex((line) => line.includes('the variables of step `impl` changed'))).toBeLessThan(
      lines.findIndex((line) => line.startsWith('::group::')),
    );
    expect(main.log).toContain('These steps run again: impl, docs.');
    expect(story(main.report)).toEqual([
      'tests#1@1 new declared-new passed',
      'impl#1@2 resumed from passed',
      'docs#1@2 resumed from passed',
    ]);
    // The session and the files are as they were after `tests`.
    const impl = (await scene.calls())[3];
    expect(bodies(impl?.earlier ?? [])).toEqual(['Tests for: sums.']);
    expect(main.report?.steps.map((step) => step.takenOver)).toEqual([true, false, false]);
    // What the forgotten attempts cost is not forgotten: two answers each, `docs` three in the end.
    expect(main.report?.totals.inputTokens).toBe(5 * 200 + 100);
    expect(main.warnings).toEqual([]);
  });

  it('puts the work tree back to where the last step that holds had left it', async () => {
    const scene = await failedAtDocs('directory');
    let seen = '';
    const { main } = await scene.attempt({
      attempt: 2,
      inputs: { ...inputs, vars: 'flavour: lemon' },
      rules: finish,
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
    const scene = await failedAtDocs();
    const { main } = await scene.attempt({
      attempt: 2,
      inputs: { ...inputs, vars: 'flavour: mint\nunused: yes' },
      rules: finish,
    });
    expect(await ranAgain(scene)).toEqual(['Document.']);
    expect(main.log).not.toContain('run again');
    expect(main.outputs).toMatchObject({ status: 'passed', resumed: 'true' });
  });

  it.each([
    ['spec', { spec: 'products' }, 'the spec of step `tests` changed'],
    ['agent', { agent: 'claude-opus' }, 'the agent of step `tests` changed'],
  ])('runs all from the first step on that depends on the %s', async (_name, change, reason) => {
    const scene = await failedAtDocs();
    const { main } = await scene.attempt({ attempt: 2, inputs: { ...inputs, ...change }, rules: finish });
    expect(main.log).toContain(reason);
    expect(main.log).toContain('These steps run again: tests, impl, docs.');
    expect(await ranAgain(scene)).toHaveLength(3);
    expect((await scene.calls())[3]?.session.mode).toBe('start');
    expect(main.outputs.status).toBe('passed');
  });

  it('takes an edited workflow at another commit of the same run: only what its change touches runs again', async () => {
    const scene = await failedAtDocs();
    const { main } = await scene.attempt({
      attempt: 2,
      inputs,
      rules: finish,
      checkout: { depth: 0 },
      changes: { '.gump/workflows/flow.yaml': workflow('Implement anew with {flavour}.') },
    });
    expect(main.log).toContain('the definition of step `impl` changed');
    expect(await ranAgain(scene)).toEqual(['Implement anew with mint.', 'Document.']);
    expect(main.outputs.status).toBe('passed');
  });

  it('starts afresh, and says how not to, where the commit of the recorded run is not in the checkout', async () => {
    const scene = await failedAtDocs();
    const { main } = await scene.attempt({
      attempt: 2,
      inputs,
      rules: finish,
      changes: { '.gump/workflows/flow.yaml': workflow('Implement anew with {flavour}.') },
    });
    expect(main.log).toMatch(/Note: the checkout is at another commit .*`fetch-depth: 0`/);
    expect(await ranAgain(scene)).toHaveLength(3);
    expect(main.outputs).toMatchObject({ status: 'passed', resumed: 'false' });
  });

  it('runs all again where the files that the run starts from changed', async () => {
    const scene = await failedAtDocs();
    const { main } = await scene.attempt({
      attempt: 2,
      inputs,
      rules: finish,
      checkout: { depth: 0 },
      changes: { 'src/a.txt': 'another\n' },
    });
    expect(await ranAgain(scene)).toHaveLength(3);
    expect(main.log).toContain('Note: the files that the run starts from are not the same as before.');
    expect(main.log).toContain('These steps run again: tests, impl, docs.');
    expect(main.outputs.status).toBe('passed');
  });

  it('goes on with a changed definition where the step had not passed yet', async () => {
    const scene = await failedAtDocs();
    const { main } = await scene.attempt({
      attempt: 2,
      inputs,
      rules: finish,
      checkout: { depth: 0 },
      changes: { '.gump/workflows/flow.yaml': workflow().replace('Document.', 'Document it well.') },
    });
    expect(await ranAgain(scene)).toEqual(['Document it well.']);
    expect(story(main.report).at(-1)).toBe('docs#2@2 resumed continued passed');
  });
});
