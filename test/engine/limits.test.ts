import { describe, expect, it } from 'vitest';
import { amount } from '../../src/engine/guards.js';
import type { AgentTurn } from '../../src/engine/ports.js';
import { fold } from '../../src/journal/state.js';
import type { Plan } from '../../src/plan/plan.js';
import type { AgentEvent, TurnOutcome, Usage } from '../../src/providers/provider.js';
import type { Budget, GroupStep, Guard, Step } from '../../src/workflow/workflow.js';
import { agentStep, bash, exits, planOf } from '../fakes/plan.js';
import { createWorld, type Play, type World } from '../fakes/world.js';

const turn = (usage: Usage = {}): AgentEvent => ({ type: 'turn', usage });
const tool: AgentEvent = { type: 'tool', name: 'Bash', detail: 'npm test' };
const text: AgentEvent = { type: 'text', text: 'so' };

/** Tells the events one after the other and stops where it is ended; what it told is what it spent. */
function telling(events: readonly AgentEvent[], heard: AgentEvent[] = []): Play {
  return (asked) => {
    let usage: Usage = {};
    for (const event of events) {
      if (asked.signal.aborted) break;
      heard.push(event);
      if (event.type === 'turn') usage = plus(usage, event.usage ?? {});
      asked.onEvent(event, undefined);
    }
    return ended(asked, usage);
  };
}

function plus(sum: Usage, { inputTokens = 0, outputTokens = 0, costUsd = 0 }: Usage): Usage {
  return {
    turns: (sum.turns ?? 0) + 1,
    inputTokens: (sum.inputTokens ?? 0) + inputTokens,
    outputTokens: (sum.outputTokens ?? 0) + outputTokens,
    costUsd: (sum.costUsd ?? 0) + costUsd,
  };
}

function ended({ signal }: Pick<AgentTurn, 'signal'>, usage: Usage) {
  const failure: TurnOutcome['failure'] = { kind: 'cancelled', message: 'was stopped' };
  return signal.aborted ? { usage, failure } : { usage };
}

const guarded = (guard: Guard, more: Partial<Parameters<typeof agentStep>[1]> = {}) =>
  planOf([agentStep('impl', { guard, ...more })]);
const failureOf = (world: World, step = 'impl') =>
  fold(world.events).steps.get(step)?.attempts.at(-1)?.failure ?? fold(world.events).steps.get(step)?.failure;
const answer = (usage?: Usage): readonly AgentEvent[] => [tool, turn(usage)];
const dear: Usage = { inputTokens: 90, outputTokens: 10, costUsd: 0.25 };

async function heardUnder(guard: Guard, events: readonly AgentEvent[]) {
  const heard: AgentEvent[] = [];
  const world = createWorld({ play: telling(events, heard) });
  const state = await world.run(guarded(guard));
  return { world, heard, status: state.ended?.status, failure: failureOf(world) };
}

describe('a guard of a step', () => {
  const four = [1, 2, 3, 4].flatMap(() => answer(dear));

  it('allows as many turns as it says, and not the beginning of another', async () => {
    const { heard, failure } = await heardUnder({ maxTurns: 2 }, four);
    expect(heard).toHaveLength(5);
    expect(failure).toEqual({
      kind: 'guard',
      message: 'max_turns of the guard of `impl` is reached: the limit is 2 turns, and it was 3 turns.',
    });
  });

  it('leaves an agent alone that is done after exactly so many', async () => {
    expect(await heardUnder({ maxTurns: 4 }, four)).toMatchObject({ status: 'passed', failure: undefined });
    const last = [...answer(), text, turn()];
    expect(await heardUnder({ maxTurns: 2 }, last)).toMatchObject({ status: 'passed' });
  });

  it('knows further calls of an answer that was told to be over from the next answer', async () => {
    const calls = [tool, turn(), { ...tool, isOfLast: true } as const, { ...text, isOfLast: true } as const];
    expect(await heardUnder({ maxTurns: 1 }, calls)).toMatchObject({ status: 'passed' });
    expect((await heardUnder({ maxTurns: 1 }, [...calls, text])).failure?.kind).toBe('guard');
  });

  it('trips with the turn that goes above tokens or dollars, not with the one that reaches them', async () => {
    const tokens = await heardUnder({ maxTokens: 200 }, four);
    expect(tokens.heard).toHaveLength(6);
    expect(tokens.failure?.message).toContain('the limit is 200 tokens, and it was 300 tokens');
    const dollars = await heardUnder({ maxUsd: 0.5 }, four);
    expect(dollars.heard).toHaveLength(6);
    expect(dollars.failure?.message).toContain('the limit is 0.5 USD, and it was 0.75 USD');
  });

  it('counts what only the end of the process tells', async () => {
    const world = createWorld({ play: () => ({ usage: { inputTokens: 500, outputTokens: 1 } }) });
    await world.run(guarded({ maxTokens: 500 }));
    expect(failureOf(world)).toMatchObject({ kind: 'guard' });
  });

  it('ends an agent that says nothing, in time', async () => {
    const world = createWorld({
      play: async (asked) => {
        if (!asked.signal.aborted)
          await new Promise((resolve) => asked.signal.addEventListener('abort', resolve));
        return ended(asked, {});
      },
    });
    await world.run(guarded({ maxTimeMs: 60_000 }));
    expect(world.sleeps[0]).toBe(60_001);
    expect(failureOf(world)?.message).toMatch(/^max_time of the guard of `impl` .* limit is 60 s/);
  });

  it('begins once the CLI is there, whose installation it does not end', async () => {
    const signals: AbortSignal[] = [];
    const world = createWorld({
      play: ({ signal }) => {
        signals.push(signal);
        return {};
      },
      async provides(_agent, signal) {
        signals.push(signal);
        for (let turns = 0; turns < 5; turns += 1) await new Promise((resolve) => setImmediate(resolve));
      },
    });
    expect((await world.run(guarded({ maxTimeMs: 60_000 }))).ended?.status).toBe('passed');
    expect([signals.length, new Set(signals).size]).toEqual([2, 2]);
  });

  it('says how long the agent may be silent, also for ever', async () => {
    const told: unknown[] = [];
    const play: Play = ({ stallMs }) => {
      told.push(stallMs);
      return {};
    };
    for (const guard of [{}, { stallMs: 0 }, { stallMs: 90_000 }])
      await createWorld({ play }).run(guarded(guard));
    expect(told).toEqual([undefined, 0, 90_000]);
  });

  it('gives what it ends 5 s, and 1 s from the moment on when the job is cancelled', async () => {
    const graces: [boolean, number][] = [];
    const cancel = new AbortController();
    const play: Play = (asked) => {
      for (const act of [() => asked.onEvent({ type: 'turn' }, undefined), () => cancel.abort()]) {
        act();
        graces.push([asked.hurry.aborted, asked.graceMs()]);
      }
      expect(asked.signal.aborted).toBe(true);
      return {};
    };
    await createWorld({ play }).run(guarded({ maxTurns: 0.5 }), { signal: cancel.signal });
    expect(graces).toEqual([
      [false, 5000],
      [true, 1000],
    ]);
  });

  it('fails the attempt whatever its gates would say, and the next goes on in the session', async () => {
    const asked: string[] = [];
    const plays = [telling(four), telling(answer())];
    const world = createWorld({
      play: (...told) => (plays.shift() ?? telling([]))(...told),
      gate: (gate) => {
        asked.push(gate.name);
        return true;
      },
    });
    const plan = guarded({ maxTurns: 1 }, { gates: [bash('ok')], retry: [exits(2)] });
    const state = await world.run(plan);
    expect(state.ended?.status).toBe('passed');
    expect(asked).toEqual(['ok']);
    expect(world.calls.map(({ mode, id }) => `${mode} ${id}`)).toEqual(['start chosen-1', 'resume chosen-1']);
    expect(world.calls[1]?.prompt).toContain('max_turns');
    expect(state.steps.get('impl')?.attempts[0]?.usage).toMatchObject({ turns: 1, costUsd: 0.25 });
  });

  it('counts all parts of an attempt that was cut off', async () => {
    const cancel = new AbortController();
    const plan = guarded({ maxTurns: 3 });
    const first = createWorld({
      play: (asked) => {
        for (const event of [...answer(), ...answer()]) asked.onEvent(event, undefined);
        cancel.abort();
        return ended(asked, { turns: 2 });
      },
    });
    await first.run(plan, { signal: cancel.signal });
    const heard: AgentEvent[] = [];
    const second = createWorld({ play: telling(four, heard), after: first });
    await second.run(plan, { jobAttempt: 2 });
    expect(heard).toHaveLength(3);
    expect(failureOf(second)).toMatchObject({ kind: 'guard' });
  });

  it('gives each attempt its own', async () => {
    const world = createWorld({ play: telling([...answer(), ...answer()]), gate: () => false });
    await world.run(guarded({ maxTurns: 2 }, { gates: [bash('no')], retry: [exits(3)] }));
    expect(world.calls).toHaveLength(3);
    expect(failureOf(world)).toMatchObject({ kind: 'gate' });
  });

  it('is not what a cancelled job fails with', async () => {
    const cancel = new AbortController();
    const world = createWorld({
      play: (asked) => {
        cancel.abort();
        for (const event of four) asked.onEvent(event, undefined);
        return ended(asked, {});
      },
    });
    const state = await world.run(guarded({ maxTurns: 1 }), { signal: cancel.signal });
    expect(state.ended?.status).toBe('cancelled');
  });

  it('holds for what is done by itself in the moment of a cancellation', async () => {
    const cancel = new AbortController();
    const first = createWorld({
      play: () => {
        cancel.abort();
        return { usage: { turns: 4 } };
      },
    });
    const state = await first.run(guarded({ maxTurns: 3 }), { signal: cancel.signal });
    expect(state.ended?.status).toBe('cancelled');
    expect(failureOf(first)).toMatchObject({ kind: 'guard' });
    const second = createWorld({ play: () => ({}), after: first });
    await second.run(guarded({ maxTurns: 3 }), { jobAttempt: 2 });
    expect(second.calls).toHaveLength(1);
    expect(second.calls[0]?.prompt).toContain('max_turns of the guard');
  });
});

const group = (steps: readonly Step[], guard: Guard, more: Partial<GroupStep> = {}): GroupStep => ({
  kind: 'group',
  name: 'all',
  steps,
  gates: [],
  retry: [],
  guard,
  parallel: false,
  ...more,
});

describe('a guard of a group', () => {
  it('sums up over its steps, and starts none when nothing is left', async () => {
    const world = createWorld({ play: telling([...answer(), ...answer()]) });
    await world.run(planOf([group([agentStep('a'), agentStep('b'), agentStep('c')], { maxTurns: 4 })]));
    expect(world.calls).toHaveLength(2);
    expect(failureOf(world, 'all/c')).toMatchObject({ kind: 'guard' });
    expect(failureOf(world, 'all')?.message).toContain(
      'max_turns of the guard of `all` is reached: the limit is 4 turns, and it was 4 turns. It went into `all/a` (2 turns), `all/b` (2 turns).',
    );
  });

  it('begins anew in a further round', async () => {
    const world = createWorld({ play: telling([...answer(), ...answer()]) });
    const plan = planOf([group([agentStep('a'), agentStep('b')], { maxTurns: 3 }, { retry: [exits(2)] })]);
    const state = await world.run(plan);
    expect(state.ended?.status).toBe('passed');
    expect(world.calls).toHaveLength(3);
  });

  it('lets no agent below it write (no_write)', async () => {
    const world = createWorld({
      play: (_turn, files) => {
        files.set('a.txt', 'x');
        return {};
      },
    });
    await world.run(planOf([group([agentStep('a')], { noWrite: true })]));
    expect(failureOf(world, 'all/a')).toMatchObject({ kind: 'guard' });
    expect(world.files.size).toBe(0);
  });
});

const withBudget = (steps: readonly Step[], budget: Budget, maxUsd?: number): Plan => ({
  ...planOf(steps, maxUsd === undefined ? {} : { maxUsd }),
  budget,
});

/** Each attempt of it costs a dollar in four turns. */
const dollar = [1, 2, 3, 4].flatMap(() => answer(dear));

describe('a budget', () => {
  const steps = [agentStep('a'), agentStep('b', { retry: [exits(3)] }), agentStep('c')];

  it('is never tried again, says what was spent where, and how to go on', async () => {
    const world = createWorld({ play: telling(dollar) });
    const state = await world.run(withBudget(steps, {}, 1.5));
    expect(state.ended).toMatchObject({ status: 'failed', failedStep: 'b' });
    expect(world.calls).toHaveLength(2);
    const failure = failureOf(world, 'b');
    expect(failure?.kind).toBe('budget');
    expect(failure?.message).toContain(
      'max_budget of the input `max-budget` is reached: the limit is 1.5 USD',
    );
    expect(failure?.message).toContain('it was 1.75 USD. It went into `a` (1 USD), `b` (0.75 USD).');
    // biome-ignore lint/suspicious/noTemplateCurlyInString: what a workflow file says.
    expect(failure?.message).toContain('`max-budget: ${{ vars.GUMP_MAX_BUDGET }}`');
  });

  it('starts no agent when nothing is left, also in a re-run, until it is raised', async () => {
    const first = createWorld({ play: telling(dollar) });
    await first.run(withBudget(steps, {}, 2));
    expect(first.calls).toHaveLength(2);
    expect(failureOf(first, 'c')?.kind).toBe('budget');
    const second = createWorld({ play: telling(dollar), after: first });
    await second.run(withBudget(steps, {}, 2), { jobAttempt: 2 });
    expect(second.calls).toHaveLength(0);
    const third = createWorld({ play: telling(dollar), after: second });
    const state = await third.run(withBudget(steps, {}, 3), { jobAttempt: 3 });
    expect(third.calls).toHaveLength(1);
    expect(state.ended?.status).toBe('passed');
    expect(state.spent.costUsd).toBe(3);
  });

  it('counts results that were dropped', async () => {
    const first = createWorld({ play: telling(dollar) });
    await first.run(withBudget([agentStep('a')], {}, 5));
    const again = createWorld({ play: telling(dollar), after: first });
    again.events.push({ type: 'steps-dropped', steps: ['a'], reason: 'x', at: 99 });
    await again.run(withBudget([agentStep('a')], {}, 1), { jobAttempt: 2 });
    expect(again.calls).toHaveLength(0);
    expect(failureOf(again, 'a')?.kind).toBe('budget');
  });

  it('is the lower of the workflow and the input', async () => {
    const low = createWorld({ play: telling(dollar) });
    await low.run(withBudget(steps, { maxUsd: 0.5 }, 10));
    expect(failureOf(low, 'a')?.message).toContain('max_budget of the workflow is reached');
    const other = createWorld({ play: telling(dollar) });
    await other.run(withBudget(steps, { maxUsd: 10 }, 0.5));
    expect(failureOf(other, 'a')?.message).toContain('of the input');
  });

  it('names the input only where that can take its place', async () => {
    const dollars = createWorld({ play: telling(dollar) });
    await dollars.run(withBudget(steps, { maxUsd: 0.5 }));
    const told = failureOf(dollars, 'a')?.message;
    expect(told).toContain('raise it in the workflow and start a new run');
    expect(told).toContain('take it out of the workflow and use the input `max-budget`');
    const tokens = createWorld({ play: telling(dollar) });
    await tokens.run(withBudget(steps, { maxTokens: 100 }));
    expect(failureOf(tokens, 'a')?.message).toContain('raise it in the workflow and start a new run');
    expect(failureOf(tokens, 'a')?.message).not.toContain('max-budget');
  });

  it('holds for tokens, with what a called workflow takes', async () => {
    const inner = { name: 'w', source: 'w', sessionMatch: 'agent', onPause: 'fail' } as const;
    const call: Step = {
      kind: 'call',
      name: 'sub',
      call: {
        path: 'w',
        inputs: {},
        workflow: { ...inner, budget: { maxTokens: 500 }, steps: [agentStep('x'), agentStep('y')] },
      },
      gates: [],
      retry: [exits(3)],
      guard: {},
    };
    const world = createWorld({ play: telling(dollar) });
    await world.run(withBudget([agentStep('a'), call], {}));
    expect(world.calls).toHaveLength(3);
    expect(failureOf(world, 'sub/y')).toMatchObject({ kind: 'budget' });
    expect(failureOf(world, 'sub')?.message).toContain('max_tokens of the workflow called by `sub`');
  });

  it('stops what runs side by side together, by the sum of all of them', async () => {
    const order: string[] = [];
    let billed = 0;
    const play: Play = async (asked) => {
      let usage: Usage = {};
      while (!asked.signal.aborted && (usage.turns ?? 0) < 40) {
        await Promise.resolve();
        if (asked.signal.aborted) break;
        billed += 0.1;
        usage = plus(usage, { costUsd: 0.1 });
        order.push(asked.directory);
        asked.onEvent(turn({ costUsd: 0.1 }), undefined);
      }
      return ended(asked, usage);
    };
    const world = createWorld({ play });
    const units = group([agentStep('a'), agentStep('b'), agentStep('c')], {}, { parallel: true });
    const state = await world.run(withBudget([units], {}, 1), { maxParallel: 3 });
    expect(new Set(order).size).toBe(3);
    expect(billed).toBeLessThanOrEqual(1 + 3 * 0.1 + 1e-9);
    expect(state.ended?.status).toBe('failed');
    for (const step of ['all/a', 'all/b', 'all/c']) expect(failureOf(world, step)?.kind).toBe('budget');
  });

  it.each([
    [
      'a model without a price',
      { turns: 1, inputTokens: 5, outputTokens: 5 },
      'no price of its model is known',
    ],
    ['an agent that told no tokens', { turns: 1 }, 'it told neither cost nor tokens'],
  ])('says once that it does not see %s', async (_what, usage, why) => {
    const world = createWorld({ play: () => ({ usage }) });
    const state = await world.run(withBudget([agentStep('a')], {}, 1));
    expect(state.ended?.status).toBe('passed');
    const told = world.warnings.filter((warning) => warning.includes('do not see'));
    expect(told).toEqual([expect.stringContaining(why)]);
  });
});

describe('waiting for the service', () => {
  const refused = {
    failure: { kind: 'rate-limit', message: 'too many requests', retryAfterMs: 20_000 },
    usage: { turns: 1, costUsd: 0.25 },
  } as const;

  it('is not begun where a limit of time around the step is over before', async () => {
    const world = createWorld({ play: () => refused });
    const state = await world.run(withBudget([agentStep('a', { retry: [exits(3)] })], { maxTimeMs: 4000 }));
    expect(world.sleeps).toEqual([]);
    expect(world.calls).toHaveLength(1);
    expect(failureOf(world, 'a')?.kind).toBe('budget');
    expect(failureOf(world, 'a')?.message).toMatch(
      /^max_timeout of the workflow leaves no time .* limit is 4 s, .* would take 2\d(\.\d)? s\. .* too many requests$/,
    );
    expect(state.spent).toMatchObject({ turns: 1, costUsd: 0.25 });
    const grouped = createWorld({ play: () => refused });
    await grouped.run(planOf([group([agentStep('a')], { maxTimeMs: 4000 })]));
    expect(grouped.sleeps).toEqual([]);
    expect(failureOf(grouped, 'all/a')).toMatchObject({ kind: 'guard' });
  });

  it('is begun where the time is enough, and takes of it', async () => {
    const world = createWorld({ play: () => refused });
    await world.run(withBudget([agentStep('a')], { maxTimeMs: 50_000 }));
    expect(world.calls).toHaveLength(3);
    expect(failureOf(world, 'a')?.message).toContain('leaves no time');
  });

  it('is no time of the agent itself', async () => {
    const plays: Play[] = [() => refused, () => ({})];
    const world = createWorld({ play: (...told) => plays.shift()?.(...told) ?? {} });
    expect((await world.run(guarded({ maxTimeMs: 4000 }))).ended?.status).toBe('passed');
  });

  it('ends when others have used up what they share', async () => {
    let fallAsleep: () => void = () => undefined;
    const asleep = new Promise<void>((resolve) => {
      fallAsleep = resolve;
    });
    const world = createWorld({
      async play(asked, files) {
        if (asked.prompt.includes('do a')) return refused;
        await asleep;
        return telling(dollar)(asked, files);
      },
      whileAsleep() {
        fallAsleep();
        return new Promise(() => undefined);
      },
    });
    const units = group([agentStep('a'), agentStep('b')], {}, { parallel: true });
    await world.run(withBudget([units], { maxUsd: 1 }));
    expect(failureOf(world, 'all/a')?.message).toContain('max_budget of the workflow is reached');
    expect(world.sleeps).toHaveLength(1);
    expect(world.calls).toHaveLength(2);
  });
});

describe('an amount', () => {
  it('is told so that it differs from nothing', () => {
    expect(amount('maxUsd', 0.00001)).toBe('0.00001 USD');
    expect(amount('maxUsd', 0.0000123456)).toBe('0.00001235 USD');
    expect(amount('maxUsd', 1.5)).toBe('1.5 USD');
    expect(amount('maxUsd', 0.1 + 0.2)).toBe('0.3 USD');
    expect(amount('maxUsd', 10)).toBe('10 USD');
    expect(amount('maxUsd', 0)).toBe('0 USD');
    expect(amount('maxTimeMs', 60_000)).toBe('60 s');
    expect(amount('maxTimeMs', 40)).toBe('0.04 s');
  });

  it('of one is singular', () => {
    expect(amount('maxTurns', 1)).toBe('1 turn');
    expect(amount('maxTurns', 0)).toBe('0 turns');
    expect(amount('maxTokens', 1)).toBe('1 token');
    expect(amount('maxTokens', 10)).toBe('10 tokens');
  });
});

describe('the time of a job', () => {
  const plan = planOf([agentStep('a'), agentStep('b')]);

  /** Its time is up once an agent is at work. */
  function outOfTime(graces: number[] = []): World {
    let begin: () => void = () => undefined;
    const begun = new Promise<void>((resolve) => {
      begin = resolve;
    });
    return createWorld({
      whileAsleep: () => begun,
      async play(asked) {
        const ends = new Promise((resolve) => asked.signal.addEventListener('abort', resolve));
        begin();
        await ends;
        graces.push(asked.graceMs());
        return ended(asked, { turns: 1 });
      },
    });
  }

  it('cuts off what is at work, fails the run, and a re-run goes on in it', async () => {
    const first = outOfTime();
    const state = await first.run(plan, { endsBy: 60_000 });
    expect(state.ended).toMatchObject({ status: 'failed', failedStep: 'a', failure: { kind: 'timeout' } });
    expect(state.steps.get('a')?.attempts.at(-1)?.status).toBe('cancelled');
    expect(first.stored.at(-1)).toBe(first.events.length);
    const second = createWorld({ play: () => ({}), after: first });
    expect((await second.run(plan, { jobAttempt: 2 })).ended?.status).toBe('passed');
    expect(second.calls[0]).toMatchObject({ mode: 'resume', id: first.calls[0]?.id });
    expect(
      fold(second.events)
        .steps.get('a')
        ?.attempts.map(({ number }) => number),
    ).toEqual([1, 1]);
  });

  it('leaves agents 5 s to end', async () => {
    const graces: number[] = [];
    await outOfTime(graces).run(plan, { endsBy: 1000 });
    expect(graces).toEqual([5000]);
  });

  it('is no limit for a run that is done before', async () => {
    const world = createWorld({ play: () => ({}), whileAsleep: () => new Promise(() => undefined) });
    expect((await world.run(plan, { endsBy: 1000 })).ended?.status).toBe('passed');
  });
});

describe('tokens that only the session file tells', () => {
  /** Of a conversation that has spent 1000 before, in answers of 100. */
  function silent(answers: number, looks: Usage[] = [], guard: Guard = {}) {
    let spent = 0;
    const world = createWorld({
      gate: () => world.calls.length > 1,
      spent: () => (spent === 0 ? undefined : { inputTokens: spent, outputTokens: 1 }),
      play: async (asked) => {
        if (asked.session.mode === 'start') {
          spent = 1000;
          return { usage: { turns: 1 } };
        }
        for (let told = 0; told < answers && !asked.signal.aborted; told += 1) {
          spent += 100;
          asked.onEvent(tool, undefined);
          asked.onEvent({ type: 'turn' }, undefined);
          await new Promise((resolve) => setImmediate(resolve));
        }
        looks.push((await world.progress.at(-1)?.()) ?? {});
        return ended(asked, { turns: answers });
      },
    });
    const plan = guarded(guard, { gates: [bash('check')], retry: [exits(2)] });
    return { world, run: () => world.run(plan) };
  }

  it.each([1, 3])('say what a conversation took up again cost, after %i answers', async (answers) => {
    const looks: Usage[] = [];
    const { world, run } = silent(answers, looks);
    await run();
    const last = fold(world.events).steps.get('impl')?.attempts.at(-1);
    expect(last).toMatchObject({ session: { effective: 'resumed' }, firstTurn: { inputTokens: 100 } });
    expect(looks).toEqual([expect.objectContaining({ turns: answers, inputTokens: answers * 100 })]);
  });

  it('are looked at while the agent works', async () => {
    const { world, run } = silent(40, [], { maxTokens: 1250 });
    await run();
    expect(failureOf(world)?.message).toContain('the limit is 1250 tokens, and it was 1300 tokens');
  });
});
