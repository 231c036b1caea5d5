/** Session rules: shared sessions, ids that are recorded early, and missing sessions. */
import { glob, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { Machine, Stop } from '../rig/machine.js';
import { attemptLines, callLines, promptBodies, sessionIdsOf } from './attempt-lines.js';
import { createHarness, readJournal } from './harness.js';

function killOnceJournalHas(text: string): (machine: Machine) => Stop {
  return (machine) => ({
    how: 'kill',
    when: { until: async () => (await readJournal(machine)).includes(text) },
  });
}

const twoAfterOne = `name: flow
steps:
  - name: tests
    type: code
    agent: claude-haiku
    prompt: Tests.
  - name: impl
    type: code
    agent: claude-haiku
    session: from: tests
    prompt: Implement.
    gate: [{bash: "echo impl-gate-error >&2; test -e good.txt"}]
    retry:
      - exit: 2
  - name: docs
    type: code
    agent: claude-haiku
    session: from: tests
    prompt: Document.
    gate: [{bash: "test -e docs.txt"}]
`;

describe('sessions', () => {
  it('S7, S4: two steps resume the same session, and a retry prompt names only the errors of its own step', async () => {
    const harness = await createHarness({ code: 'dist', workflow: twoAfterOne });
    const good = { prompt: 'Implement.', call: 2, do: [{ write: 'good.txt' }] };
    const { main } = await harness.runJob({ rules: [good] });
    expect(attemptLines(main.report)).toEqual([
      'tests#1@1 new declared-new passed',
      'impl#1@1 resumed from failed:gate',
      'impl#2@1 resumed kept-on-retry passed',
      'docs#1@1 resumed from failed:gate',
    ]);
    const rerun = await harness.runJob({
      jobAttempt: 2,
      rules: [{ prompt: 'Document.', do: [{ write: 'docs.txt' }] }],
    });
    expect(rerun.main.outputs.status).toBe('passed');
    const calls = await harness.calls();
    expect(new Set(calls.map((call) => call.session.id)).size).toBe(1);
    expect(promptBodies(calls.at(-1)?.earlier ?? [])).toEqual([
      'Tests.',
      'Implement.',
      'Implement.',
      'Document.',
    ]);
    expect(calls[2]?.prompt).toContain('impl-gate-error');
    expect(calls[3]?.prompt).not.toContain('impl-gate-error');
    expect(calls[4]?.prompt).not.toContain('impl-gate-error');
  });

  it('S4: a retry without a session id of its own step does not resume the session of another step', async () => {
    const harness = await createHarness({
      workflow: `name: flow
steps:
  - name: tests
    type: code
    agent: codex
    prompt: Tests.
  - name: impl
    type: code
    agent: codex
    prompt: Implement.
    retry:
      - exit: 2
`,
    });
    const { main } = await harness.runJob({
      rules: [{ prompt: 'Implement.', call: 1, before: [{ exit: 3 }] }],
    });
    expect(attemptLines(main.report).slice(1)).toEqual([
      'impl#1@1 new declared-new failed:protocol',
      'impl#2@1 new no-session-id passed',
    ]);
    expect(callLines(await harness.calls()).at(-1)).toBe('codex start c after 0');
    expect(
      main.warnings.filter((text) => text.includes('the id of the session to resume is unknown')),
    ).toHaveLength(1);
  });

  it.each([
    ['claude', '"attempt-started"'],
    ['codex', '"session-known"'],
  ])(
    'S8: resumes the session of %s if main was killed right after the id was known',
    async (agent, event) => {
      const harness = await createHarness({
        workflow: `name: flow
steps:
  - name: impl
    type: code
    agent: ${agent}
    prompt: Implement.
`,
      });
      const first = await harness.runJob({
        rules: [{ do: [{ hang: true }] }],
        stop: (machine) => ({
          how: 'kill',
          when: {
            until: async () =>
              (await readJournal(machine)).includes(event) && (await isPromptStored(machine, agent)),
          },
        }),
      });
      expect(first.main.signal).toBe('SIGKILL');
      expect(first.post?.exitCode).toBe(0);
      const { main } = await harness.runJob({ jobAttempt: 2 });
      expect(callLines(await harness.calls())).toEqual([
        `${agent} start a after 0`,
        `${agent} resume a after 1`,
      ]);
      expect(attemptLines(main.report)).toEqual([
        'impl#1@1 new declared-new cancelled:cancelled',
        'impl#1@2 resumed continued passed',
      ]);
      expect(main.warnings).toEqual([]);
    },
  );

  it('S8: continues the attempt in a new session if main was killed before the CLI stored one', async () => {
    const harness = await createHarness({
      workflow: `name: flow
steps:
  - name: impl
    type: code
    agent: claude
    prompt: Implement.
`,
    });
    await harness.runJob({
      rules: [{ before: [{ hang: true }] }],
      stop: killOnceJournalHas('"attempt-started"'),
    });
    const { main } = await harness.runJob({ jobAttempt: 2 });
    expect(attemptLines(main.report)).toEqual([
      'impl#1@1 new declared-new cancelled:cancelled',
      'impl#1@2 new session-lost passed',
    ]);
    expect((await harness.calls()).at(-1)?.prompt).toContain('its session could not be resumed');
    expect(main.warnings).toHaveLength(1);
  });

  it('S9: a missing session is replaced in the same attempt, with one warning', async () => {
    const harness = await createHarness({ workflow: lostSessionFlow });
    const { main } = await harness.runJob();
    expect(attemptLines(main.report)).toEqual([
      'tests#1@1 new declared-new passed',
      'impl#1@1 new session-lost failed:gate',
      'impl#2@1 resumed kept-on-retry failed:gate',
    ]);
    expect(callLines(await harness.calls())).toEqual([
      'codex start a after 0',
      'codex resume a after 0 refused',
      'codex start b after 0',
      'codex resume b after 1',
    ]);
    expect(main.warnings.filter((text) => text.includes('`impl`, attempt 1'))).toHaveLength(1);
    expect(main.warnings.join()).toContain('the session to resume is missing');
    expect(sessionIdsOf(main.outputs).impl).not.toBe(sessionIdsOf(main.outputs).tests);
  });

  it('S9: with `on-lost-session: fail` the step fails without a retry', async () => {
    const harness = await createHarness({ workflow: lostSessionFlow });
    const { main } = await harness.runJob({ inputs: { 'on-lost-session': 'fail' } });
    expect(attemptLines(main.report)).toEqual([
      'tests#1@1 new declared-new passed',
      'impl#1@1 resumed from failed:session-lost',
    ]);
    expect(main.errors).toHaveLength(1);
    expect(main.errors[0]).toContain('Step `impl` failed at attempt 1 (session-lost)');
  });
});

/** The gate of `tests` removes all sessions. */
const lostSessionFlow = `name: flow
steps:
  - name: tests
    type: code
    agent: codex
    prompt: Tests.
    gate: [{bash: "rm -r ~/.codex/sessions"}]
  - name: impl
    type: code
    agent: codex
    session: from: tests
    prompt: Implement.
    gate: [{bash: "false"}]
    retry:
      - exit: 2
`;

async function isPromptStored(machine: Machine, agent: string): Promise<boolean> {
  for await (const file of glob(join(machine.home, `.${agent}`, '**', '*.jsonl')))
    if ((await readFile(file, 'utf8')).includes('Implement.')) return true;
  return false;
}
