import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { exhausted, maxTotalWaitMs, maxWaits, nextWaitMs } from '../../src/engine/limits/backoff.js';
import type { Failure } from '../../src/failure.js';
import { totalUsage } from '../../src/journal/ledger.js';
import { foldEvents } from '../../src/journal/run-state.js';
import { defined } from '../../src/optional-keys.js';
import { createEngineHarness, type EngineHarness, type FakeTurnResult } from '../fakes/engine-harness.js';
import { holds } from '../fakes/holds.js';
import { agentStep, exitAfter, planOf } from '../fakes/plan.js';

const rateLimited = (retryAfterMs?: number): Failure => ({
  kind: 'rate-limit',
  message: 'too many requests',
  ...defined({ retryAfterMs }),
});

describe('the time to wait', () => {
  const first = { waits: 0, waitedMs: 0, jitter: 0.5 };

  it('is what the service requires or a little more, never less', () => {
    expect(nextWaitMs({ ...first, failure: rateLimited(2000), jitter: 0 })).toBe(2000);
    expect(nextWaitMs({ ...first, failure: rateLimited(2000), jitter: 1 })).toBe(2200);
    expect(nextWaitMs({ ...first, failure: rateLimited(0), jitter: 1 })).toBe(0);
  });

  it('is within 10 minutes if the service requires no more', () => {
    for (const jitter of [0, 0.5, 1]) {
      const ms = nextWaitMs({ ...first, failure: rateLimited(597_000), jitter });
      expect(ms).toBeGreaterThanOrEqual(597_000);
      expect(ms).toBeLessThanOrEqual(600_000);
      expect(nextWaitMs({ ...first, failure: rateLimited(600_000), jitter })).toBe(600_000);
      expect(nextWaitMs({ ...first, failure: rateLimited(600_001), jitter })).toBeUndefined();
    }
  });

  it('grows with each try if the service names no time', () => {
    const waits = [0, 1, 2, 3, 4].map((count) =>
      nextWaitMs({ ...first, failure: rateLimited(), waits: count }),
    );
    expect(waits).toEqual([7500, 15_000, 30_000, 60_000, 120_000]);
  });

  it('is undefined for failures that do not pass by themselves', () => {
    for (const kind of ['auth', 'context', 'crash', 'protocol', 'timeout', 'guard', 'cancelled'] as const)
      expect(nextWaitMs({ ...first, failure: { kind, message: 'x', retryAfterMs: 1 } })).toBeUndefined();
    expect(nextWaitMs({ ...first, failure: { ...rateLimited(1), isFinal: true } })).toBeUndefined();
  });

  it('stays within the limits on the number and the total of the waits', () => {
    const requested = fc.option(fc.integer({ min: 0, max: 900_000 }), { nil: undefined });
    const tries = fc.array(fc.tuple(requested, fc.double({ min: 0, max: 1, noNaN: true }), fc.nat(200_000)));
    holds(
      fc.property(tries, (all) => {
        let waits = 0;
        let waitedMs = 0;
        for (const [retryAfterMs, jitter, idleMs] of all) {
          const ms = nextWaitMs({ failure: rateLimited(retryAfterMs), waits, waitedMs, jitter });
          if (ms === undefined) break;
          expect(ms).toBeGreaterThanOrEqual(retryAfterMs ?? 5000);
          expect(waitedMs + ms).toBeLessThanOrEqual(maxTotalWaitMs);
          waits += 1;
          waitedMs += ms + idleMs;
        }
        expect(waits).toBeLessThanOrEqual(maxWaits);
      }),
    );
  });

  it('is in the message of the failure, with the requested time if that is too long', () => {
    expect(exhausted(rateLimited(), { waits: 5, waitedMs: 61_000 }).message).toBe(
      'too many requests. Waited 5 times, 61 s in total.',
    );
    expect(exhausted(rateLimited(), { waits: 1, waitedMs: 2000 }).message).toContain(
      'Waited once, 2 s in total',
    );
    expect(exhausted(rateLimited(3_600_000), { waits: 0, waitedMs: 0 }).message).toBe(
      'too many requests. The service asks for a wait of 3600 s, but an attempt waits at most 600 s. Re-run the failed jobs after that time.',
    );
    expect(exhausted({ kind: 'auth', message: 'no key' }, { waits: 0, waitedMs: 0 }).message).toBe('no key');
  });
});

/** The service refuses it that many times, then it ends. */
const refusingAgent = (times: number, refusal: FakeTurnResult = { failure: rateLimited(2000) }) => {
  let left = times;
  return (): FakeTurnResult => (left-- > 0 ? refusal : {});
};

const modes = (harness: EngineHarness) => harness.calls.map(({ mode, sessionId }) => `${mode} ${sessionId}`);
const waitEvents = (harness: EngineHarness) =>
  harness.events.filter((event) => event.type === 'attempt-waits');

describe('an attempt that the service refuses', () => {
  const plan = planOf([agentStep('impl', { retry: [exitAfter(2)] })]);

  it('resumes the same session without using up an attempt', async () => {
    const harness = createEngineHarness({ runAgent: refusingAgent(1) });
    const state = await harness.run(plan);
    expect(state.runEnded?.status).toBe('passed');
    expect(modes(harness)).toEqual(['start chosen-1', 'resume chosen-1']);
    expect(state.steps.get('impl')?.attempts).toHaveLength(1);
    expect(harness.sleeps).toHaveLength(1);
    expect(harness.sleeps[0]).toBeGreaterThanOrEqual(2000);
  });

  it('waits also with a session id that the CLI chose', async () => {
    const harness = createEngineHarness({ runAgent: refusingAgent(2), sessionIds: () => 'given' });
    await harness.run(plan);
    expect(modes(harness)).toEqual(['start given-1', 'resume given-1', 'resume given-1']);
  });

  it('logs the end of the wait, and writes it to the journal before it waits', async () => {
    const seen: string[] = [];
    const harness: EngineHarness = createEngineHarness({
      runAgent: refusingAgent(1),
      onSleep: () => seen.push(harness.events.at(-1)?.type ?? '', harness.logLines.at(-1) ?? ''),
    });
    await harness.run(plan);
    expect(seen[0]).toBe('attempt-waits');
    expect(seen[1]).toMatch(/limits requests.*until \d\d:\d\d:\d\d UTC.*wait 1 of 5/);
    expect(waitEvents(harness)[0]).toMatchObject({ step: 'impl', number: 1, kind: 'rate-limit' });
  });

  it('fails after the last wait, and a re-run resumes the session', async () => {
    const harness = createEngineHarness({
      runAgent: () => ({ failure: { kind: 'overloaded', message: 'busy' } }),
    });
    const state = await harness.run(planOf([agentStep('impl')]));
    const attempt = state.steps.get('impl')?.attempts.at(-1);
    expect(harness.sleeps).toHaveLength(maxWaits);
    expect(attempt).toMatchObject({ status: 'failed', failure: { kind: 'overloaded' } });
    expect(attempt?.failure?.message).toContain('5 times');
    const next = createEngineHarness({ runAgent: () => ({}), previous: harness });
    await next.run(planOf([agentStep('impl')]), { jobAttempt: 2 });
    expect(modes(next)).toEqual(['resume chosen-1']);
  });

  it('does not count time in which the agent made progress between waits', async () => {
    const worked = { usage: { turns: 1 }, durationMs: 20 * 60_000 };
    const harness = createEngineHarness({
      runAgent: refusingAgent(maxWaits, { failure: rateLimited(1000), ...worked }),
    });
    expect((await harness.run(plan)).runEnded?.status).toBe('passed');
    expect(harness.sleeps).toHaveLength(maxWaits);
  });

  it('counts the time of tries without an answer as waiting', async () => {
    const idle = { failure: rateLimited(1000), durationMs: 7 * 60_000 };
    const harness = createEngineHarness({ runAgent: () => idle });
    const state = await harness.run(planOf([agentStep('impl')]));
    expect(harness.sleeps).toHaveLength(2);
    expect(state.steps.get('impl')?.attempts.at(-1)?.failure?.message).toMatch(/2 times, 84\d s in total/);
  });

  it('records what each try spent, once', async () => {
    const spending = { usage: { turns: 2, inputTokens: 100 } };
    const runAgent = refusingAgent(2, { failure: rateLimited(1), ...spending });
    const harness = createEngineHarness({ runAgent: () => ({ ...spending, ...runAgent() }) });
    const state = await harness.run(plan);
    expect(totalUsage(state.ledger)).toEqual({ turns: 6, inputTokens: 300 });
    expect(state.steps.get('impl')?.attempts[0]?.usage).toEqual({ turns: 6, inputTokens: 300 });
    expect(foldEvents(harness.events).ledger).toEqual(state.ledger);
  });

  it('sends the prompt again only if there was no answer', async () => {
    const worked = createEngineHarness({
      runAgent: refusingAgent(1, { failure: rateLimited(1), usage: { turns: 1 } }),
    });
    await worked.run(plan);
    expect(worked.calls[1]?.prompt).toContain('Continue where you stopped');
    expect(worked.calls[1]?.prompt).not.toContain('do impl');
    const silent = createEngineHarness({ runAgent: refusingAgent(1) });
    await silent.run(plan);
    expect(silent.calls[1]?.prompt).toBe(silent.calls[0]?.prompt);
  });

  it('starts a new session if the CLI stored nothing of it, also with `on-lost-session: fail`', async () => {
    const lost: Failure = { kind: 'session-lost', message: 'no such session' };
    const harness = createEngineHarness({
      runAgent: (turn) => {
        if (turn.session.mode === 'resume') return { failure: lost };
        return harness.calls.length < 3 ? { failure: rateLimited(1) } : {};
      },
    });
    const state = await harness.run(plan, { onLostSession: 'fail' });
    expect(state.runEnded?.status).toBe('passed');
    expect(modes(harness)).toEqual(['start chosen-1', 'resume chosen-1', 'start chosen-2']);
    expect(harness.warnings).toEqual([]);
    expect(state.steps.get('impl')?.attempts[0]?.session).toMatchObject({
      id: 'chosen-2',
      reason: 'declared-new',
    });
  });

  it('ends immediately when the job is cancelled during a wait', async () => {
    const cancel = new AbortController();
    const harness = createEngineHarness({ runAgent: refusingAgent(9), onSleep: () => cancel.abort() });
    const state = await harness.run(plan, { signal: cancel.signal });
    expect(state.runEnded).toMatchObject({ status: 'waiting', reason: 'cancelled' });
    expect(harness.calls).toHaveLength(1);
    const next = createEngineHarness({ runAgent: () => ({}), previous: harness });
    await next.run(plan, { jobAttempt: 2 });
    expect(modes(next)).toEqual(['resume chosen-1']);
  });
});
