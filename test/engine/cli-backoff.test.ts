/** A model service that refuses for a while × CLIs: one attempt, one session. */
import { describe, expect, it } from 'vitest';
import { foldEvents } from '../../src/journal/run-state.js';
import { createCliHarness } from '../fakes/cli-harness.js';
import { agentStep, planOf } from '../fakes/plan.js';

describe.each(['claude', 'codex', 'gemini', 'qwen', 'opencode', 'cursor'])('%s', (agent) => {
  it('waits as long as it is asked to, then goes on in the same session', async () => {
    const message = 'Rate limit reached. Please try again in 2s.';
    const { harness, calls } = createCliHarness({
      rules: [{ call: 1, do: [{ fail: 429, message, retryAfterMs: 2000 }] }, { do: [{ say: 'Done.' }] }],
    });
    const state = await harness.run(planOf([agentStep('impl', { agent })]));
    expect(state.runEnded?.status).toBe('passed');
    const made = await calls();
    expect(new Set(made.map(({ provider }) => provider))).toEqual(new Set([agent]));
    // Gemini CLI keeps nothing of a conversation whose first request was refused: it begins again.
    const again = agent === 'gemini' ? ['start'] : [];
    expect(made.map(({ session }) => session.mode)).toEqual(['start', 'resume', ...again]);
    expect(made[1]?.session.id).toBe(made[0]?.session.id);
    expect(harness.warnings).toEqual([]);
    const attempts = foldEvents(harness.events).steps.get('impl')?.attempts ?? [];
    expect(attempts).toHaveLength(1);
    expect(made.at(-1)?.session.id).toBe(attempts[0]?.session?.id);
    const wait = harness.events.find((event) => event.type === 'attempt-waits');
    const end = harness.events.find((event) => event.type === 'agent-ended');
    expect(wait).toMatchObject({ kind: 'rate-limit', step: 'impl' });
    expect((end?.at ?? 0) - (wait?.at ?? 0)).toBeGreaterThanOrEqual(2000);
    expect(harness.sleeps).toEqual([expect.toSatisfy((ms: number) => ms >= 2000)]);
    expect(harness.logLines.join('\n')).toMatch(/limits requests\. Waiting until \d\d:\d\d:\d\d UTC/);
  });
});
