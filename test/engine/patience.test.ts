import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { impatient, mostPatienceMs, mostWaits, waitMs } from '../../src/engine/patience.js';
import type { Failure } from '../../src/failure.js';
import { fold } from '../../src/journal/state.js';
import { defined } from '../../src/optional-keys.js';
import { agentStep, exits, planOf } from '../fakes/plan.js';
import { createWorld, type Said, type World } from '../fakes/world.js';

const limited = (retryAfterMs?: number): Failure => ({
  kind: 'rate-limit',
  message: 'too many requests',
  ...defined({ retryAfterMs }),
});

describe('how long is waited', () => {
  const first = { waits: 0, waitedMs: 0, chance: 0.5 };

  it('is what the service asks for, and a little more, never less', () => {
    expect(waitMs({ ...first, failure: limited(2000), chance: 0 })).toBe(2000);
    expect(waitMs({ ...first, failure: limited(2000), chance: 1 })).toBe(2200);
    expect(waitMs({ ...first, failure: limited(0), chance: 1 })).toBe(0);
  });

  it('grows from try to try where the service asks for nothing', () => {
    const waits = [0, 1, 2, 3, 4].map((count) => waitMs({ ...first, failure: limited(), waits: count }));
    expect(waits).toEqual([7500, 15_000, 30_000, 60_000, 120_000]);
  });

  it('is nothing for what does not pass by itself', () => {
    for (const kind of ['auth', 'context', 'crash', 'protocol', 'timeout', 'guard', 'cancelled'] as const)
      expect(waitMs({ ...first, failure: { kind, message: 'x', retryAfterMs: 1 } })).toBeUndefined();
    expect(waitMs({ ...first, failure: { ...limited(1), isFinal: true } })).toBeUndefined();
  });

  it('is never too often and never too long in all', () => {
    const asked = fc.option(fc.integer({ min: 0, max: 900_000 }), { nil: undefined });
    const tries = fc.array(fc.tuple(asked, fc.double({ min: 0, max: 1, noNaN: true }), fc.nat(200_000)));
    fc.assert(
      fc.property(tries, (all) => {
        let waits = 0;
        let waitedMs = 0;
        for (const [retryAfterMs, chance, idleMs] of all) {
          const ms = waitMs({ failure: limited(retryAfterMs), waits, waitedMs, chance });
          if (ms === undefined) break;
          expect(ms).toBeGreaterThanOrEqual(retryAfterMs ?? 5000);
          expect(waitedMs + ms).toBeLessThanOrEqual(mostPatienceMs);
          waits += 1;
          waitedMs += ms + idleMs;
        }
        expect(waits).toBeLessThanOrEqual(mostWaits);
      }),
    );
  });

  it('says in the end what was tried, and what was asked for where that is too long', () => {
    expect(impatient(limited(), { waits: 5, waitedMs: 61_000 }).message).toBe(
      'too many requests It was waited for 5 times, 61 s in all.',
    );
    expect(impatient(limited(), { waits: 1, waitedMs: 2000 }).message).toContain('once, 2 s in all');
    expect(impatient(limited(3_600_000), { waits: 0, waitedMs: 0 }).message).toContain('3600 s');
    expect(impatient({ kind: 'auth', message: 'no key' }, { waits: 0, waitedMs: 0 }).message).toBe('no key');
  });
});

/** Refuses so often, then is done. */
const refusing = (times: number, said: Said = { failure: limited(2000) }) => {
  let left = times;
  return (): Said => (left-- > 0 ? said : {});
};

const modes = (world: World) => world.calls.map(({ mode, id }) => `${mode} ${id}`);
const waits = (world: World) => world.events.filter((event) => event.type === 'attempt-waits');

describe('an attempt that the service refuses', () => {
  const plan = planOf([agentStep('impl', { retry: [exits(2)] })]);

  it('goes on in the same session, and no attempt is used up', async () => {
    const world = createWorld({ play: refusing(1) });
    const state = await world.run(plan);
    expect(state.ended?.status).toBe('passed');
    expect(modes(world)).toEqual(['start chosen-1', 'resume chosen-1']);
    expect(state.steps.get('impl')?.attempts).toHaveLength(1);
    expect(world.sleeps).toHaveLength(1);
    expect(world.sleeps[0]).toBeGreaterThanOrEqual(2000);
  });

  it('waits with an id that the CLI gave, too', async () => {
    const world = createWorld({ play: refusing(2), sessionIds: () => 'given' });
    await world.run(plan);
    expect(modes(world)).toEqual(['start given-1', 'resume given-1', 'resume given-1']);
  });

  it('says until when, and has it in the journal before it waits', async () => {
    const seen: string[] = [];
    const world: World = createWorld({
      play: refusing(1),
      whileAsleep: () => seen.push(world.events.at(-1)?.type ?? '', world.said.at(-1) ?? ''),
    });
    await world.run(plan);
    expect(seen[0]).toBe('attempt-waits');
    expect(seen[1]).toMatch(/limits requests.*until \d\d:\d\d:\d\d UTC.*wait 1 of 5/);
    expect(waits(world)[0]).toMatchObject({ step: 'impl', number: 1, kind: 'rate-limit' });
  });

  it('gives up in the end; the failure stands and the session is kept for the next', async () => {
    const world = createWorld({ play: () => ({ failure: { kind: 'overloaded', message: 'busy' } }) });
    const state = await world.run(planOf([agentStep('impl')]));
    const attempt = state.steps.get('impl')?.attempts.at(-1);
    expect(world.sleeps).toHaveLength(mostWaits);
    expect(attempt).toMatchObject({ status: 'failed', failure: { kind: 'overloaded' } });
    expect(attempt?.failure?.message).toContain('5 times');
    const next = createWorld({ play: () => ({}), after: world });
    await next.run(planOf([agentStep('impl')]), { jobAttempt: 2 });
    expect(modes(next)).toEqual(['resume chosen-1']);
  });

  it('waits as often as ever where the agent got on for long in between', async () => {
    const worked = { usage: { turns: 1 }, durationMs: 20 * 60_000 };
    const world = createWorld({ play: refusing(mostWaits, { failure: limited(1000), ...worked }) });
    expect((await world.run(plan)).ended?.status).toBe('passed');
    expect(world.sleeps).toHaveLength(mostWaits);
  });

  it('takes the time of tries that got nothing done for waiting', async () => {
    const idle = { failure: limited(1000), durationMs: 7 * 60_000 };
    const world = createWorld({ play: () => idle });
    const state = await world.run(planOf([agentStep('impl')]));
    expect(world.sleeps).toHaveLength(2);
    expect(state.steps.get('impl')?.attempts.at(-1)?.failure?.message).toMatch(/2 times, 84\d s in all/);
  });

  it('books what every try spent, once', async () => {
    const spends = { usage: { turns: 2, inputTokens: 100 } };
    const play = refusing(2, { failure: limited(1), ...spends });
    const world = createWorld({ play: () => ({ ...spends, ...play() }) });
    const state = await world.run(plan);
    expect(state.spent).toEqual({ turns: 6, inputTokens: 300 });
    expect(state.steps.get('impl')?.attempts[0]?.usage).toEqual({ turns: 6, inputTokens: 300 });
    expect(fold(world.events).spent).toEqual(state.spent);
  });

  it('asks for nothing again that was answered, and for everything where nothing was', async () => {
    const worked = createWorld({ play: refusing(1, { failure: limited(1), usage: { turns: 1 } }) });
    await worked.run(plan);
    expect(worked.calls[1]?.prompt).toContain('go on where you stopped');
    expect(worked.calls[1]?.prompt).not.toContain('do impl');
    const silent = createWorld({ play: refusing(1) });
    await silent.run(plan);
    expect(silent.calls[1]?.prompt).toBe(silent.calls[0]?.prompt);
  });

  it('begins the session again where the CLI kept nothing of it, whatever is asked of lost ones', async () => {
    const lost: Failure = { kind: 'session-lost', message: 'no such session' };
    const world = createWorld({
      play: (turn) => {
        if (turn.session.mode === 'resume') return { failure: lost };
        return world.calls.length < 3 ? { failure: limited(1) } : {};
      },
    });
    const state = await world.run(plan, { onLostSession: 'fail' });
    expect(state.ended?.status).toBe('passed');
    expect(modes(world)).toEqual(['start chosen-1', 'resume chosen-1', 'start chosen-2']);
    expect(world.warnings).toEqual([]);
    expect(state.steps.get('impl')?.attempts[0]?.session).toMatchObject({
      id: 'chosen-2',
      reason: 'declared-new',
    });
  });

  it('stops at once when the job is cancelled while it waits', async () => {
    const cancel = new AbortController();
    const world = createWorld({ play: refusing(9), whileAsleep: () => cancel.abort() });
    const state = await world.run(plan, { signal: cancel.signal });
    expect(state.ended?.status).toBe('cancelled');
    expect(world.calls).toHaveLength(1);
    const next = createWorld({ play: () => ({}), after: world });
    await next.run(plan, { jobAttempt: 2 });
    expect(modes(next)).toEqual(['resume chosen-1']);
  });
});
