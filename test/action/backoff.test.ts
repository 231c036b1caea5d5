/**
 * A model service that refuses for some time, through `dist/` and a stand-in, in real time: one attempt, one session.
 * `test/engine/cli-backoff.test.ts` tests every CLI.
 */
import { expect, it } from 'vitest';
import type { JournalEvent } from '../../src/journal/event.js';
import { createHarness, readJournal } from './harness.js';

it('waits as long as the service requires, then resumes the same session', async () => {
  const harness = await createHarness({
    code: 'dist',
    workflow: 'name: flow\nsteps:\n  - {name: impl, type: code, agent: claude, prompt: Build.}\n',
  });
  const events: JournalEvent[] = [];
  const { main } = await harness.runJob({
    rules: [
      {
        call: 1,
        do: [{ fail: 429, message: 'Rate limit reached. Please try again in 2s.', retryAfterMs: 2000 }],
      },
      { do: [{ write: 'done.txt' }, { say: 'Done.' }] },
    ],
    inspect: async (machine) => {
      const lines = (await readJournal(machine)).split('\n').filter((line) => line !== '');
      events.push(...lines.map((line) => JSON.parse(line) as JournalEvent));
    },
  });
  expect(main.outputs.status).toBe('passed');
  const calls = await harness.calls();
  expect(calls.map(({ session }) => session.mode)).toEqual(['start', 'resume']);
  expect(main.warnings).toEqual([]);
  const attempts = main.report?.steps[0]?.attempts ?? [];
  expect(attempts).toHaveLength(1);
  expect(calls.at(-1)?.session.id).toBe(attempts[0]?.session?.id);
  const [wait] = events.filter((event) => event.type === 'attempt-waits');
  const [end] = events.filter((event) => event.type === 'agent-ended');
  expect(wait).toMatchObject({ kind: 'rate-limit', step: 'impl' });
  expect((end?.at ?? 0) - (wait?.at ?? 0)).toBeGreaterThanOrEqual(2000);
  expect(main.masked).toMatch(/limits requests\. Waiting until \d\d:\d\d:\d\d UTC/);
});
