/** S13: `from-step` restores each session as it was when its step started. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { attemptLines, promptBodies, sessionIdsOf } from './attempt-lines.js';
import { createHarness } from './harness.js';

const workflow = (agent: string) => `name: flow
steps:
  - name: tests
    type: code
    agent: ${agent}
    prompt: Tests.
  - name: impl
    type: code
    agent: ${agent}
    session: from: tests
    prompt: Implement.
  - name: docs
    type: code
    agent: ${agent}
    session: from: impl
    prompt: Document.
    gate: [{bash: "test -e done.txt"}]
`;

const writes = [
  { prompt: 'Tests', do: [{ write: 'tests.txt' }] },
  { prompt: 'Implement', do: [{ write: 'impl.txt' }] },
  { prompt: 'Document', do: [{ write: 'docs.txt' }] },
];

const finish = [
  { prompt: 'Implement', do: [{ run: 'ls > seen.txt' }] },
  { prompt: 'Document', do: [{ write: 'done.txt' }] },
];

describe('from-step', () => {
  it.each(['claude-haiku', 'codex'])(
    'restores session and files as they were before the step (%s)',
    async (agent) => {
      const harness = await createHarness({ workflow: workflow(agent) });
      const first = await harness.runJob({ rules: writes });
      let seen = '';
      const { main } = await harness.runJob({
        jobAttempt: 2,
        inputs: { 'from-step': 'impl' },
        rules: finish,
        inspect: async (machine) => {
          seen = await readFile(join(machine.workspace, 'seen.txt'), 'utf8');
        },
      });
      expect(main.log).toContain('the input `from-step` names `impl`');
      expect(main.log).toContain('These steps run again: impl, docs.');
      expect(attemptLines(main.report)).toEqual([
        'tests#1@1 new declared-new passed',
        'impl#1@2 resumed from passed',
        'docs#1@2 resumed from passed',
      ]);
      const [impl, docs] = (await harness.calls()).slice(3);
      expect(promptBodies(impl?.earlier ?? [])).toEqual(['Tests.']);
      expect(promptBodies(docs?.earlier ?? [])).toEqual(['Tests.', 'Implement.']);
      expect(seen.trim().split('\n')).toEqual(['README.md', 'seen.txt', 'tests.txt']);
      expect(sessionIdsOf(main.outputs).docs).toBe(sessionIdsOf(first.main.outputs).tests);
      // Of this attempt only, although Codex and Claude Code report totals of the session.
      expect(main.report?.steps[1]?.attempts[0]?.usage).toMatchObject({ inputTokens: 200 });
      expect(main.report?.totals.inputTokens).toBe(3 * 200 + 2 * 200);
      expect(main.warnings).toEqual([]);
    },
  );

  it('starts a new session, with a warning, if the session file was rewritten since', async () => {
    const harness = await createHarness({
      code: 'dist',
      workflow: workflow('claude-haiku'),
      store: 'directory',
    });
    const rewrite = "sed -i '1s/Tests/TESTS/' ~/.claude/projects/*/*.jsonl";
    await harness.runJob({ rules: [{ prompt: 'Document', do: [{ run: rewrite }] }] });
    const { main } = await harness.runJob({
      jobAttempt: 2,
      inputs: { 'from-step': 'impl' },
      rules: finish,
    });
    expect(attemptLines(main.report)).toEqual([
      'tests#1@1 new declared-new passed',
      'impl#1@2 new session-ahead passed',
      'docs#1@2 resumed from passed',
    ]);
    expect((await harness.calls())[3]?.session.mode).toBe('start');
    expect(main.warnings.filter((text) => text.includes('`impl`, attempt 1'))).toHaveLength(1);
  });

  it('runs everything in new sessions if it names the first step', async () => {
    const harness = await createHarness({ workflow: workflow('codex') });
    await harness.runJob({ rules: writes });
    const { main } = await harness.runJob({
      jobAttempt: 2,
      inputs: { 'from-step': 'tests' },
      rules: finish,
    });
    expect(attemptLines(main.report)[0]).toBe('tests#1@2 new declared-new passed');
    expect((await harness.calls())[3]?.session.mode).toBe('start');
    expect(main.outputs.status).toBe('passed');
  });

  it('runs nothing if it names no step of the workflow', async () => {
    const harness = await createHarness({ workflow: workflow('codex') });
    const { main } = await harness.runJob({ inputs: { 'from-step': 'imp', until: 'nowhere' } });
    expect(main.exitCode).toBe(1);
    expect(main.errors.join('\n')).toMatch(/`from-step`.*no step `imp`.*Did you mean `impl`/s);
    expect(main.errors.join('\n')).toMatch(/`until`.*no step `nowhere`/s);
    expect(await harness.calls()).toEqual([]);
  });
});
