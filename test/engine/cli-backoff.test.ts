/** A model service that refuses for some time, with each CLI: one attempt, one session. */
import { describe, expect, it } from 'vitest';
import { foldEvents } from '../../src/journal/run-state.js';
import { createCliHarness } from '../fakes/cli-harness.js';
import { agentStep, planOf } from '../fakes/plan.js';

describe.each(['claude', 'codex', 'gemini', 'qwen', 'opencode', 'cursor'])('%s', (agent) => {
  it('waits as long as the service requires, then resumes the same session', async () => {
    const message = 'Rate limit reached. Please try again in 2s.';
    const { harness, calls, run } = createCliHarness({
      rules: [{ call: 1, do: [{ fail: 429, message, retryAfterMs: 2000 }] }, { do: [{ say: 'Done.' }] }],
    });
    const state = await run(planOf([agentStep('impl', { agent })]));
    expect(state.runEnded?.status).toBe('passed');
    const recorded = await calls();
    expect(new Set(recorded.map(({ provider }) => provider))).toEqual(new Set([agent]));
    // Gemini CLI stores nothing of a session whose first request was refused, so the session starts over.
    const restart = agent === 'gemini' ? ['start'] : [];
    expect(recorded.map(({ session }) => session.mode)).toEqual(['start', 'resume', ...restart]);
    expect(recorded[1]?.session.id).toBe(recorded[0]?.session.id);
    expect(harness.warnings).toEqual([]);
    const attempts = foldEvents(harness.events).steps.get('impl')?.attempts ?? [];
    expect(attempts).toHaveLength(1);
    expect(recorded.at(-1)?.session.id).toBe(attempts[0]?.session?.id);
    const wait = harness.events.find((event) => event.type === 'attempt-waits');
    const end = harness.events.find((event) => event.type === 'agent-ended');
    expect(wait).toMatchObject({ kind: 'rate-limit', step: 'impl' });
    expect((end?.at ?? 0) - (wait?.at ?? 0)).toBeGreaterThanOrEqual(2000);
    expect(harness.sleeps).toEqual([expect.toSatisfy((ms: number) => ms >= 2000)]);
    expect(harness.logLines.join('\n')).toMatch(/limits requests\. Waiting until \d\d:\d\d:\d\d UTC/);
  });
});
