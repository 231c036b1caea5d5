/** A model service that refuses for a while, through `dist/` and the stand-ins: one attempt, one session. */
import { describe, expect, it } from 'vitest';
import type { JournalEvent } from '../../src/journal/event.js';
import { createHarness, readJournal } from './harness.js';

const providers = ['claude', 'codex', 'gemini', 'qwen', 'opencode', 'cursor'] as const;

const credentials = { GEMINI_API_KEY: 'dummy-gemini-key', CURSOR_API_KEY: 'dummy-cursor-key' };

describe.each(providers)('%s', (provider) => {
  it('waits as long as it is asked to, then goes on in the same session', async () => {
    const harness = await createHarness({
      workflow: `name: flow\nsteps:\n  - {name: impl, type: code, agent: ${provider}, prompt: Build.}\n`,
    });
    const events: JournalEvent[] = [];
    const { main } = await harness.runJob({
      env: credentials,
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
    // Gemini CLI keeps nothing of a conversation whose first request was refused: it begins again.
    const again = provider === 'gemini' ? ['start'] : [];
    expect(calls.map(({ session }) => session.mode)).toEqual(['start', 'resume', ...again]);
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
});
