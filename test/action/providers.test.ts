/**
 * Each CLI through `dist/`, over three job attempts on different machines: interrupted in the last step, continued,
 * and run again from the second step. `test/engine/cli-sessions.test.ts` tests each session rule.
 */
import { expect, it } from 'vitest';
import { cliCases, sessionFlow } from '../fakes/session-rules.js';
import { attemptLines, callLines, promptBodies, sessionIdsOf } from './attempt-lines.js';
import { createHarness } from './harness.js';

/** Deletes the sessions of all CLIs. */
const deleteSessions =
  'rm -rf ~/.claude/projects ~/.codex/sessions ~/.gemini/tmp ~/.qwen/projects ~/.local/share/opencode ~/.cursor/chats';

const env = {
  GEMINI_API_KEY: 'AIza-CANARY-0123456789abcdefghij',
  CURSOR_API_KEY: 'key_CANARY-0123456789abcdefghij',
};

it.each(cliCases)('$id resumes its sessions in a re-run, and from an earlier step', async (cli) => {
  const { id, nextProvider } = cli;
  const harness = await createHarness({
    code: 'dist',
    workflow: sessionFlow(cli, deleteSessions),
    store: 'directory',
  });
  const interrupted = await harness.runJob({
    env,
    rules: [
      { prompt: 'Implement.', call: 2, do: [{ write: 'impl.txt' }] },
      { prompt: 'Switch.', provider: nextProvider, do: [{ write: 'switched.txt' }] },
      { prompt: 'Replace.', do: [{ run: 'true', say: 'halfway there' }, { hang: true }] },
    ],
    stop: { how: 'cancel', when: { log: 'halfway' } },
  });
  const untilInterruption = [
    'tests#1@1 new declared-new passed',
    'impl#1@1 resumed from failed:gate',
    'impl#2@1 resumed kept-on-retry passed',
    'switched#1@1 new declared-new failed:gate',
    'switched#2@1 new agent-changed passed',
    'deleted#1@1 new declared-new passed',
    'replaced#1@1 new session-lost cancelled:cancelled',
  ];
  expect(attemptLines(interrupted.main.report)).toEqual(untilInterruption);
  expect(
    interrupted.main.warnings.filter((text) =>
      /^Step `(switched`, attempt 2|replaced`, attempt 1)/.test(text),
    ),
  ).toHaveLength(2);

  const rerun = await harness.runJob({
    jobAttempt: 2,
    env,
    workspace: 'other/place_2/My.Sample',
    rules: [{ prompt: 'Replace.', do: [{ write: 'replaced.txt' }] }],
    laterStatus: 'failure',
  });
  expect(attemptLines(rerun.main.report)).toEqual([
    ...untilInterruption,
    'replaced#1@2 resumed continued passed',
  ]);
  expect(rerun.main.warnings).toEqual([]);
  expect(sessionIdsOf(rerun.main.outputs).replaced).toBe(sessionIdsOf(interrupted.main.outputs).replaced);

  const fromImpl = await harness.runJob({
    jobAttempt: 3,
    env,
    inputs: { 'from-step': 'impl', until: 'impl' },
    rules: [{ prompt: 'Implement.', do: [{ write: 'impl.txt' }] }],
  });
  const isResumed = cli.earlierPoint === 'resumed from';
  expect(attemptLines(fromImpl.main.report)).toEqual([
    untilInterruption[0],
    `impl#1@3 ${cli.earlierPoint} passed`,
  ]);
  expect(fromImpl.main.warnings.filter((text) => text.includes('`impl`, attempt 1'))).toHaveLength(
    isResumed ? 0 : 1,
  );

  const calls = await harness.calls();
  expect(callLines(calls)).toEqual([
    `${id} start a after 0`,
    `${id} resume a after 1`,
    `${id} resume a after 2`,
    `${id} start b after 0`,
    `${nextProvider} start c after 0`,
    `${id} start d after 0`,
    `${id} resume d after 0 refused`,
    `${id} start e after 0`,
    `${id} resume e after 1`,
    isResumed ? `${id} resume a after 1` : `${id} start f after 0`,
  ]);
  expect(sessionIdsOf(interrupted.main.outputs).replaced).toBe(calls[7]?.session.id);
  expect(promptBodies(calls[8]?.earlier ?? [])).toEqual(['Replace.']);
  expect(calls[8]?.prompt).toContain('You were interrupted');
  expect(promptBodies(calls.at(-1)?.earlier ?? [])).toEqual(isResumed ? ['Tests.'] : []);
  for (const { argv, session } of calls.filter(({ session }) => session.mode === 'resume'))
    expect(argv[argv.indexOf(cli.resumeArgument) + 1]).toBe(session.id);
});
