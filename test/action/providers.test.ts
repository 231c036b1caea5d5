/**
 * Each CLI through `dist/`, over three job attempts on machines of their own: cut off in the last step, gone on
 * with elsewhere, sent back to the second step. Rule by rule: `test/engine/sessions-of-clis.test.ts`.
 */
import { expect, it } from 'vitest';
import { flow, rows } from '../fakes/session-rules.js';
import { attemptLines, callLines, promptBodies, sessionIdsOf } from './attempt-lines.js';
import { createHarness } from './harness.js';

/** Takes away what the CLIs keep of their conversations. */
const forget =
  'rm -rf ~/.claude/projects ~/.codex/sessions ~/.gemini/tmp ~/.qwen/projects ~/.local/share/opencode ~/.cursor/chats';

const env = {
  GEMINI_API_KEY: 'AIza-CANARY-0123456789abcdefghij',
  CURSOR_API_KEY: 'key_CANARY-0123456789abcdefghij',
};

it.each(rows)('$id goes on, and back, in its conversations', async (row) => {
  const { id, next } = row;
  const harness = await createHarness({ code: 'dist', workflow: flow(row, forget), store: 'directory' });
  const interrupted = await harness.runJob({
    env,
    rules: [
      { prompt: 'Implement.', call: 2, do: [{ write: 'impl.txt' }] },
      { prompt: 'Hand over.', provider: next, do: [{ write: 'handed.txt' }] },
      { prompt: 'Find.', do: [{ run: 'true', say: 'halfway there' }, { hang: true }] },
    ],
    stop: { how: 'cancel', when: { log: 'halfway' } },
  });
  const until = [
    'tests#1@1 new declared-new passed',
    'impl#1@1 resumed from failed:gate',
    'impl#2@1 resumed kept-on-retry passed',
    'handed#1@1 new declared-new failed:gate',
    'handed#2@1 new agent-changed passed',
    'gone#1@1 new declared-new passed',
    'lost#1@1 new session-lost cancelled:cancelled',
  ];
  expect(attemptLines(interrupted.main.report)).toEqual(until);
  expect(
    interrupted.main.warnings.filter((text) => /^Step (handed, attempt 2|lost, attempt 1)/.test(text)),
  ).toHaveLength(2);

  const rerun = await harness.runJob({
    jobAttempt: 2,
    env,
    workspace: 'other/place_2/My.Sample',
    rules: [{ prompt: 'Find.', do: [{ write: 'found.txt' }] }],
    laterStatus: 'failure',
  });
  expect(attemptLines(rerun.main.report)).toEqual([...until, 'lost#1@2 resumed continued passed']);
  expect(rerun.main.warnings).toEqual([]);
  expect(sessionIdsOf(rerun.main.outputs).lost).toBe(sessionIdsOf(interrupted.main.outputs).lost);

  const back = await harness.runJob({
    jobAttempt: 3,
    env,
    inputs: { 'from-step': 'impl', until: 'impl' },
    rules: [{ prompt: 'Implement.', do: [{ write: 'impl.txt' }] }],
  });
  const isBack = row.goesBack === 'resumed from';
  expect(attemptLines(back.main.report)).toEqual([until[0], `impl#1@3 ${row.goesBack} passed`]);
  expect(back.main.warnings.filter((text) => text.includes('impl, attempt 1'))).toHaveLength(isBack ? 0 : 1);

  const calls = await harness.calls();
  expect(callLines(calls)).toEqual([
    `${id} start a after 0`,
    `${id} resume a after 1`,
    `${id} resume a after 2`,
    `${id} start b after 0`,
    `${next} start c after 0`,
    `${id} start d after 0`,
    `${id} resume d after 0 refused`,
    `${id} start e after 0`,
    `${id} resume e after 1`,
    isBack ? `${id} resume a after 1` : `${id} start f after 0`,
  ]);
  expect(sessionIdsOf(interrupted.main.outputs).lost).toBe(calls[7]?.session.id);
  expect(promptBodies(calls[8]?.earlier ?? [])).toEqual(['Find.']);
  expect(calls[8]?.prompt).toContain('You were interrupted');
  expect(promptBodies(calls.at(-1)?.earlier ?? [])).toEqual(isBack ? ['Tests.'] : []);
  for (const { argv, session } of calls.filter(({ session }) => session.mode === 'resume'))
    expect(argv[argv.indexOf(row.resumes) + 1]).toBe(session.id);
});
