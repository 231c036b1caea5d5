import { describe, expect, it } from 'vitest';
import type { AgentTurn } from '../../src/engine/engine-ports.js';
import { formatAmount } from '../../src/engine/limits/limit-failure.js';
import { totalUsage } from '../../src/journal/ledger.js';
import { foldEvents } from '../../src/journal/run-state.js';
import type { Plan } from '../../src/plan/plan.js';
import type { AgentEvent, TurnOutcome, Usage } from '../../src/providers/provider.js';
import type { Budget, GroupStep, Guard, Step } from '../../src/workflow/workflow.js';
import { createEngineHarness, type EngineHarness, type FakeAgent } from '../fakes/engine-harness.js';
import { agentStep, bashGate, exitAfter, planOf } from '../fakes/plan.js';

const turn = (usage: Usage = {}): AgentEvent => ({ type: 'turn', usage });
const tool: AgentEvent = { type: 'tool', name: 'Bash', detail: 'npm test' };
const text: AgentEvent = { type: 'text', text: 'so' };

/** Reports the events in order until it is stopped. Its usage is what it has reported until then. */
function reportEvents(events: readonly AgentEvent[], received: AgentEvent[] = []): FakeAgent {
  return (agentTurn) => {
    let usage: Usage = {};
    for (const event of events) {
      if (agentTurn.signal.aborted) break;
      received.push(event);
      if (event.type === 'turn') usage = addUsage(usage, event.usage ?? {});
      agentTurn.onEvent(event, undefined);
    }
    return turnResult(agentTurn, usage);
  };
}

function addUsage(sum: Usage, { inputTokens = 0, outputTokens = 0, costUsd = 0 }: Usage): Usage {
  return {
    turns: (sum.turns ?? 0) + 1,
    inputTokens: (sum.inputTokens ?? 0) + inputTokens,
    outputTokens: (sum.outputTokens ?? 0) + outputTokens,
    costUsd: (sum.costUsd ?? 0) + costUsd,
  };
}

function turnResult({ signal }: Pick<AgentTurn, 'signal'>, usage: Usage) {
  const failure: TurnOutcome['failure'] = { kind: 'cancelled', message: 'was stopped' };
  return signal.aborted ? { usage, failure } : { usage };
}

const guardedPlan = (guard: Guard, more: Partial<Parameters<typeof agentStep>[1]> = {}) =>
  planOf([agentStep('impl', { guard, ...more })]);
const failureOf = (harness: EngineHarness, step = 'impl') =>
  foldEvents(harness.events).steps.get(step)?.attempts.at(-1)?.failure ??
  foldEvents(harness.events).steps.get(step)?.failure;
const answer = (usage?: Usage): readonly AgentEvent[] => [tool, turn(usage)];
const expensive: Usage = { inputTokens: 90, outputTokens: 10, costUsd: 0.25 };

async function runUnderGuard(guard: Guard, events: readonly AgentEvent[]) {
  const received: AgentEvent[] = [];
  const harness = createEngineHarness({ runAgent: reportEvents(events, received) });
  const state = await harness.run(guardedPlan(guard));
  return { harness, received, status: state.runEnded?.status, failure: failureOf(harness) };
}

describe('a guard of a step', () => {
  const four = [1, 2, 3, 4].flatMap(() => answer(expensive));

  it('allows the number of turns, and stops at the beginning of another', async () => {
    const { received, failure } = await runUnderGuard({ maxTurns: 2 }, four);
    expect(received).toHaveLength(5);
    expect(failure).toEqual({
      kind: 'guard',
      message: '`max_turns` of the guard of step `impl` is reached: 3 turns used, limit 2 turns.',
    });
  });

  it('does not stop an agent that ends after exactly that number', async () => {
    expect(await runUnderGuard({ maxTurns: 4 }, four)).toMatchObject({
      status: 'passed',
      failure: undefined,
    });
    const last = [...answer(), text, turn()];
    expect(await runUnderGuard({ maxTurns: 2 }, last)).toMatchObject({ status: 'passed' });
  });

  it('does not count late tool calls of a complete answer as the next answer', async () => {
    const calls = [tool, turn(), { ...tool, isOfLast: true } as const, { ...text, isOfLast: true } as const];
    expect(await runUnderGuard({ maxTurns: 1 }, calls)).toMatchObject({ status: 'passed' });
    expect((await runUnderGuard({ maxTurns: 1 }, [...calls, text, tool])).failure?.kind).toBe('guard');
  });

  it('stops at the turn that exceeds tokens or dollars, not at the one that reaches them', async () => {
    const tokens = await runUnderGuard({ maxTokens: 200 }, four);
    expect(tokens.received).toHaveLength(6);
    expect(tokens.failure?.message).toContain('300 tokens used, limit 200 tokens');
    const dollars = await runUnderGuard({ maxUsd: 0.5 }, four);
    expect(dollars.received).toHaveLength(6);
    expect(dollars.failure?.message).toContain('$0.75 used, limit $0.50.');
  });

  it('counts what the CLI reports only at its end, for an agent that has not finished', async () => {
    const usage = { inputTokens: 500, outputTokens: 1 };
    const failure = { kind: 'protocol', message: 'ended without a result' } as const;
    for (const [end, kind] of [
      [{ usage }, undefined],
      [{ usage, failure }, 'guard'],
    ] as const) {
      const harness = createEngineHarness({ runAgent: () => end });
      await harness.run(guardedPlan({ maxTokens: 500 }));
      expect(failureOf(harness)?.kind).toBe(kind);
    }
  });

  it('lets the gates decide if the last answer exceeds it', async () => {
    const last = [...answer(expensive), text, turn(expensive)];
    for (const guard of [{ maxTokens: 100 }, { maxUsd: 0.25 }, { maxTurns: 1 }])
      expect(await runUnderGuard(guard, last)).toMatchObject({ status: 'passed', failure: undefined });
    const harness = createEngineHarness({ runAgent: reportEvents(last), passesGate: () => false });
    const state = await harness.run(guardedPlan({ maxTurns: 1 }, { gates: [bashGate('ok')] }));
    expect(state.runEnded?.status).toBe('failed');
    expect(failureOf(harness)?.kind).toBe('gate');
  });

  it('stops an agent that continues after such an answer', async () => {
    const last = [...answer(expensive), text, turn(expensive)];
    for (const next of [tool, text, turn(), { ...tool, isOfLast: true } as const]) {
      const { received, failure } = await runUnderGuard({ maxTokens: 100 }, [...last, next, tool, turn()]);
      expect(failure?.kind).toBe('guard');
      expect(received).toHaveLength(5);
    }
  });

  it('stops an agent that does not end after such an answer', async () => {
    const harness = createEngineHarness({
      runAgent: async (agentTurn) => {
        for (const event of [text, turn(expensive)]) agentTurn.onEvent(event, undefined);
        if (!agentTurn.signal.aborted)
          await new Promise((resolve) => agentTurn.signal.addEventListener('abort', resolve));
        return turnResult(agentTurn, expensive);
      },
    });
    await harness.run(guardedPlan({ maxTokens: 50 }));
    expect(harness.sleeps).toEqual([15_000]);
    expect(failureOf(harness)?.kind).toBe('guard');
  });

  it('stops an agent without output when its time is up', async () => {
    const harness = createEngineHarness({
      runAgent: async (agentTurn) => {
        if (!agentTurn.signal.aborted)
          await new Promise((resolve) => agentTurn.signal.addEventListener('abort', resolve));
        return turnResult(agentTurn, {});
      },
    });
    await harness.run(guardedPlan({ maxTimeMs: 60_000 }));
    expect(harness.sleeps[0]).toBe(60_001);
    expect(failureOf(harness)?.message).toMatch(/^`max_time` of the guard of step `impl` .* limit 60 s/);
  });

  it('starts after the installation of the CLI and does not stop it', async () => {
    const signals: AbortSignal[] = [];
    const harness = createEngineHarness({
      runAgent: ({ signal }) => {
        signals.push(signal);
        return {};
      },
      async provideCli(_agent, signal) {
        signals.push(signal);
        for (let ticks = 0; ticks < 5; ticks += 1) await new Promise((resolve) => setImmediate(resolve));
      },
    });
    expect((await harness.run(guardedPlan({ maxTimeMs: 60_000 }))).runEnded?.status).toBe('passed');
    expect([signals.length, new Set(signals).size]).toEqual([2, 2]);
  });

  it('passes on how long the agent may be silent, also without limit', async () => {
    const stallTimes: unknown[] = [];
    const runAgent: FakeAgent = ({ stallMs }) => {
      stallTimes.push(stallMs);
      return {};
    };
    for (const guard of [{}, { stallMs: 0 }, { stallMs: 90_000 }])
      await createEngineHarness({ runAgent }).run(guardedPlan(guard));
    expect(stallTimes).toEqual([undefined, 0, 90_000]);
  });

  it('gives an agent 5 s to end, and 1 s as soon as the job is cancelled', async () => {
    const graceTimes: [boolean, number][] = [];
    const cancel = new AbortController();
    const runAgent: FakeAgent = (agentTurn) => {
      for (const act of [() => agentTurn.onEvent({ type: 'turn' }, undefined), () => cancel.abort()]) {
        act();
        graceTimes.push([agentTurn.cancelSignal.aborted, agentTurn.graceMs()]);
      }
      expect(agentTurn.signal.aborted).toBe(true);
      return {};
    };
    await createEngineHarness({ runAgent }).run(guardedPlan({ maxTurns: 0.5 }), { signal: cancel.signal });
    expect(graceTimes).toEqual([
      [false, 5000],
      [true, 1000],
    ]);
  });

  it('fails the attempt without running its gates, and the next one resumes the session', async () => {
    const gateNames: string[] = [];
    const agents = [reportEvents(four), reportEvents(answer())];
    const harness = createEngineHarness({
      runAgent: (...args) => (agents.shift() ?? reportEvents([]))(...args),
      passesGate: (gate) => {
        gateNames.push(gate.name);
        return true;
      },
    });
    const plan = guardedPlan({ maxTurns: 1 }, { gates: [bashGate('ok')], retry: [exitAfter(2)] });
    const state = await harness.run(plan);
    expect(state.runEnded?.status).toBe('passed');
    expect(gateNames).toEqual(['ok']);
    expect(harness.calls.map(({ mode, sessionId }) => `${mode} ${sessionId}`)).toEqual([
      'start chosen-1',
      'resume chosen-1',
    ]);
    expect(harness.calls[1]?.prompt).toContain('max_turns');
    expect(state.steps.get('impl')?.attempts[0]?.usage).toMatchObject({ turns: 1, costUsd: 0.25 });
  });

  it('counts all parts of an interrupted attempt', async () => {
    const cancel = new AbortController();
    const plan = guardedPlan({ maxTurns: 3 });
    const first = createEngineHarness({
      runAgent: (agentTurn) => {
        for (const event of [...answer(), ...answer()]) agentTurn.onEvent(event, undefined);
        cancel.abort();
        return turnResult(agentTurn, { turns: 2 });
      },
    });
    await first.run(plan, { signal: cancel.signal });
    const received: AgentEvent[] = [];
    const second = createEngineHarness({ runAgent: reportEvents(four, received), previous: first });
    await second.run(plan, { jobAttempt: 2 });
    expect(received).toHaveLength(3);
    expect(failureOf(second)).toMatchObject({ kind: 'guard' });
  });

  it('applies to each attempt on its own', async () => {
    const harness = createEngineHarness({
      runAgent: reportEvents([...answer(), ...answer()]),
      passesGate: () => false,
    });
    await harness.run(guardedPlan({ maxTurns: 2 }, { gates: [bashGate('no')], retry: [exitAfter(3)] }));
    expect(harness.calls).toHaveLength(3);
    expect(failureOf(harness)).toMatchObject({ kind: 'gate' });
  });

  it('does not replace the cancellation of a job', async () => {
    const cancel = new AbortController();
    const harness = createEngineHarness({
      runAgent: (agentTurn) => {
        cancel.abort();
        for (const event of four) agentTurn.onEvent(event, undefined);
        return turnResult(agentTurn, {});
      },
    });
    const state = await harness.run(guardedPlan({ maxTurns: 1 }), { signal: cancel.signal });
    expect(state.runEnded).toMatchObject({ status: 'waiting', reason: 'cancelled' });
  });

  it('does not fail an agent that finishes at the moment of a cancellation', async () => {
    const cancel = new AbortController();
    const first = createEngineHarness({
      runAgent: () => {
        cancel.abort();
        return { usage: { turns: 4 } };
      },
    });
    const state = await first.run(guardedPlan({ maxTurns: 3 }), { signal: cancel.signal });
    expect(state.steps.get('impl')?.status).toBe('passed');
    expect(failureOf(first)).toBeUndefined();
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
  it('counts all its steps, and starts none when it is used up', async () => {
    const harness = createEngineHarness({ runAgent: reportEvents([...answer(), ...answer()]) });
    await harness.run(planOf([group([agentStep('a'), agentStep('b'), agentStep('c')], { maxTurns: 4 })]));
    expect(harness.calls).toHaveLength(2);
    expect(failureOf(harness, 'all/c')).toMatchObject({ kind: 'guard' });
    expect(failureOf(harness, 'all')?.message).toContain(
      '`max_turns` of the guard of step `all` is reached: 4 turns used, limit 4 turns. Spent by `all/a` (2 turns), `all/b` (2 turns).',
    );
  });

  it('starts over in another round', async () => {
    const harness = createEngineHarness({ runAgent: reportEvents([...answer(), ...answer()]) });
    const plan = planOf([
      group([agentStep('a'), agentStep('b')], { maxTurns: 3 }, { retry: [exitAfter(2)] }),
    ]);
    const state = await harness.run(plan);
    expect(state.runEnded?.status).toBe('passed');
    expect(harness.calls).toHaveLength(3);
  });

  it('forbids its agents to write (`no_write`)', async () => {
    const harness = createEngineHarness({
      runAgent: (_turn, files) => {
        files.set('a.txt', 'x');
        return {};
      },
    });
    await harness.run(planOf([group([agentStep('a')], { noWrite: true })]));
    expect(failureOf(harness, 'all/a')).toMatchObject({ kind: 'guard' });
    expect(harness.files.size).toBe(0);
  });
});

const withBudget = (steps: readonly Step[], budget: Budget, maxUsd?: number): Plan => ({
  ...planOf(steps, maxUsd === undefined ? {} : { maxUsd }),
  budget,
});

/** Each attempt costs a dollar in four turns. */
const dollarOfAnswers = [1, 2, 3, 4].flatMap(() => answer(expensive));

describe('a budget', () => {
  const steps = [agentStep('a'), agentStep('b', { retry: [exitAfter(3)] }), agentStep('c')];

  it('is final, and names the steps that spent it and how to continue', async () => {
    const harness = createEngineHarness({ runAgent: reportEvents(dollarOfAnswers) });
    const state = await harness.run(withBudget(steps, {}, 1.5));
    expect(state.runEnded).toMatchObject({ status: 'failed', failedStep: 'b' });
    expect(harness.calls).toHaveLength(2);
    const failure = failureOf(harness, 'b');
    expect(failure?.kind).toBe('budget');
    expect(failure?.message).toContain(
      '`max_budget` of the input `max-budget` is reached: $1.75 used, limit $1.50.',
    );
    expect(failure?.message).toContain('Spent by `a` ($1.00), `b` ($0.75).');
    // biome-ignore lint/suspicious/noTemplateCurlyInString: text of a workflow file.
    expect(failure?.message).toContain('`max-budget: ${{ vars.GUMP_MAX_BUDGET }}`');
  });

  it('starts no agent when it is used up, also in a re-run, until it is raised', async () => {
    const first = createEngineHarness({ runAgent: reportEvents(dollarOfAnswers) });
    await first.run(withBudget(steps, {}, 2));
    expect(first.calls).toHaveLength(2);
    expect(failureOf(first, 'c')?.kind).toBe('budget');
    const second = createEngineHarness({ runAgent: reportEvents(dollarOfAnswers), previous: first });
    await second.run(withBudget(steps, {}, 2), { jobAttempt: 2 });
    expect(second.calls).toHaveLength(0);
    const third = createEngineHarness({ runAgent: reportEvents(dollarOfAnswers), previous: second });
    const state = await third.run(withBudget(steps, {}, 3), { jobAttempt: 3 });
    expect(third.calls).toHaveLength(1);
    expect(state.runEnded?.status).toBe('passed');
    expect(totalUsage(state.ledger).costUsd).toBe(3);
  });

  it('is no matter of agents: the prompt of a continued step says only that it was stopped', async () => {
    const first = createEngineHarness({ runAgent: reportEvents(dollarOfAnswers) });
    await first.run(withBudget(steps, {}, 1.5));
    expect(failureOf(first, 'b')?.kind).toBe('budget');
    const second = createEngineHarness({ runAgent: reportEvents(answer()), previous: first });
    await second.run(withBudget(steps, {}, 9), { jobAttempt: 2 });
    expect(second.calls[0]?.prompt).toContain(
      'Attempt 1 at this task failed: it was stopped before it had finished',
    );
    // Step `c` had not begun.
    for (const { prompt } of second.calls) expect(prompt).not.toMatch(/budget|\$|re-run/);
    expect(second.calls[1]?.prompt).not.toContain('Attempt 1');
  });

  it('is not in the prompt if a journal of version 0.1.0 has only the message', async () => {
    const first = createEngineHarness({ runAgent: reportEvents(dollarOfAnswers) });
    await first.run(withBudget(steps, {}, 1.5));
    const old = first.events.map((event) => {
      if (!('failure' in event) || event.failure === undefined) return event;
      const { forAgent: _forAgent, isSameInRerun: _isSameInRerun, ...failure } = event.failure;
      return { ...event, failure };
    });
    first.events.splice(0, first.events.length, ...old);
    const second = createEngineHarness({ runAgent: reportEvents(answer()), previous: first });
    await second.run(withBudget(steps, {}, 9), { jobAttempt: 2 });
    expect(second.calls[0]?.prompt).toContain('it was stopped before it had finished');
    expect(second.calls[0]?.prompt).not.toContain('budget');
  });

  it('is not in the prompt of the next attempt if it is that of a guard', async () => {
    const harness = createEngineHarness({ runAgent: reportEvents(dollarOfAnswers) });
    const plan = guardedPlan({ maxUsd: 0.3 }, { retry: [exitAfter(2)], prompt: 'Go. {error}' });
    await harness.run(plan);
    expect(failureOf(harness)?.message).toContain('`max_budget` of the guard');
    expect(harness.calls[1]?.prompt).toMatch(/^Go\. it was stopped before it had finished/);
    expect(harness.calls[1]?.prompt).not.toMatch(/budget|\$/);
  });

  it('that starts no agent of a step leaves no note for its agent', async () => {
    const first = createEngineHarness({ runAgent: reportEvents(dollarOfAnswers) });
    await first.run(withBudget(steps, {}, 2));
    expect(failureOf(first, 'c')?.kind).toBe('budget');
    const second = createEngineHarness({ runAgent: reportEvents(answer()), previous: first });
    await second.run(withBudget(steps, {}, 9), { jobAttempt: 2 });
    expect(second.calls.map(({ prompt }) => prompt)).toEqual(['do c\n']);
  });

  it('is not in the prompt if it stopped a workflow that judges the step', async () => {
    const inner = { name: 'w', source: 'w', sessionMatch: 'agent', onPause: 'fail', budget: {} } as const;
    const call = {
      path: 'w',
      inputs: {},
      workflow: { ...inner, steps: [agentStep('x', { type: 'validate' })] },
    };
    const gates = [{ name: 'w', type: 'validate', call } as const, bashGate('ok')];
    const plan = (maxUsd: number) =>
      withBudget([agentStep('a', { gates, retry: [exitAfter(2)] })], {}, maxUsd);
    const first = createEngineHarness({ runAgent: reportEvents(dollarOfAnswers) });
    await first.run(plan(1.1));
    const failed = foldEvents(first.events).steps.get('a')?.attempts.at(-1);
    expect(failed?.failure).toMatchObject({ kind: 'budget', message: expect.stringContaining('max-budget') });
    expect(failed?.gates[0]?.output).toBe(
      'step `a/gate:w:1/x` failed: it was stopped before it had finished',
    );
  });

  it('counts dropped results', async () => {
    const first = createEngineHarness({ runAgent: reportEvents(dollarOfAnswers) });
    await first.run(withBudget([agentStep('a')], {}, 5));
    const next = createEngineHarness({ runAgent: reportEvents(dollarOfAnswers), previous: first });
    next.events.push({ type: 'steps-dropped', steps: ['a'], reason: 'x', at: 99 });
    await next.run(withBudget([agentStep('a')], {}, 1), { jobAttempt: 2 });
    expect(next.calls).toHaveLength(0);
    expect(failureOf(next, 'a')?.kind).toBe('budget');
  });

  it('is the lower of the workflow and the input', async () => {
    const low = createEngineHarness({ runAgent: reportEvents(dollarOfAnswers) });
    await low.run(withBudget(steps, { maxUsd: 0.5 }, 10));
    expect(failureOf(low, 'a')?.message).toContain('`max_budget` of the workflow is reached');
    const other = createEngineHarness({ runAgent: reportEvents(dollarOfAnswers) });
    await other.run(withBudget(steps, { maxUsd: 10 }, 0.5));
    expect(failureOf(other, 'a')?.message).toContain('of the input');
  });

  it('names the input only if the input can replace it', async () => {
    const dollars = createEngineHarness({ runAgent: reportEvents(dollarOfAnswers) });
    await dollars.run(withBudget(steps, { maxUsd: 0.5 }));
    const message = failureOf(dollars, 'a')?.message;
    expect(message).toContain('Raise it in the workflow and start a new run');
    expect(message).toContain('remove it from the workflow and set the input `max-budget`');
    const tokens = createEngineHarness({ runAgent: reportEvents(dollarOfAnswers) });
    await tokens.run(withBudget(steps, { maxTokens: 100 }));
    expect(failureOf(tokens, 'a')?.message).toContain('Raise it in the workflow and start a new run');
    expect(failureOf(tokens, 'a')?.message).not.toContain('max-budget');
  });

  it('applies to tokens, including those of a called workflow', async () => {
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
      retry: [exitAfter(3)],
      guard: {},
    };
    const harness = createEngineHarness({ runAgent: reportEvents(dollarOfAnswers) });
    await harness.run(withBudget([agentStep('a'), call], {}));
    expect(harness.calls).toHaveLength(3);
    expect(failureOf(harness, 'sub/y')).toMatchObject({ kind: 'budget' });
    expect(failureOf(harness, 'sub')?.message).toContain('`max_tokens` of the workflow called by step `sub`');
  });

  it('stops all parallel branches when their sum exceeds it', async () => {
    const order: string[] = [];
    let billed = 0;
    const runAgent: FakeAgent = async (agentTurn) => {
      let usage: Usage = {};
      while (!agentTurn.signal.aborted && (usage.turns ?? 0) < 40) {
        await Promise.resolve();
        if (agentTurn.signal.aborted) break;
        billed += 0.1;
        usage = addUsage(usage, { costUsd: 0.1 });
        order.push(agentTurn.directory);
        for (const event of answer({ costUsd: 0.1 })) agentTurn.onEvent(event, undefined);
      }
      return turnResult(agentTurn, usage);
    };
    const harness = createEngineHarness({ runAgent });
    const branches = group([agentStep('a'), agentStep('b'), agentStep('c')], {}, { parallel: true });
    const state = await harness.run(withBudget([branches], {}, 1), { maxParallel: 3 });
    expect(new Set(order).size).toBe(3);
    expect(billed).toBeLessThanOrEqual(1 + 3 * 0.1 + 1e-9);
    expect(state.runEnded?.status).toBe('failed');
    for (const step of ['all/a', 'all/b', 'all/c']) expect(failureOf(harness, step)?.kind).toBe('budget');
  });

  it.each([
    [
      'a model without a price',
      { turns: 1, inputTokens: 5, outputTokens: 5 },
      'the price of its model is unknown',
    ],
    ['an agent that reports no tokens', { turns: 1 }, 'it reported neither cost nor tokens'],
  ])('warns once that it does not count the cost of %s', async (_what, usage, why) => {
    const harness = createEngineHarness({ runAgent: () => ({ usage }) });
    const state = await harness.run(withBudget([agentStep('a')], {}, 1));
    expect(state.runEnded?.status).toBe('passed');
    const warnings = harness.warnings.filter((warning) => warning.includes('do not count the cost'));
    expect(warnings).toEqual([expect.stringContaining(why)]);
  });
});

describe('waiting for the service', () => {
  const refused = {
    failure: { kind: 'rate-limit', message: 'too many requests', retryAfterMs: 20_000 },
    usage: { turns: 1, costUsd: 0.25 },
  } as const;

  it('does not start if a time limit around the step would end first', async () => {
    const harness = createEngineHarness({ runAgent: () => refused });
    const state = await harness.run(
      withBudget([agentStep('a', { retry: [exitAfter(3)] })], { maxTimeMs: 4000 }),
    );
    expect(harness.sleeps).toEqual([]);
    expect(harness.calls).toHaveLength(1);
    expect(failureOf(harness, 'a')?.kind).toBe('budget');
    expect(failureOf(harness, 'a')?.message).toMatch(
      /^`max_timeout` of the workflow leaves no time .* limit 4 s, wait 2\d(\.\d)? s\. .* too many requests$/,
    );
    expect(totalUsage(state.ledger)).toMatchObject({ turns: 1, costUsd: 0.25 });
    const grouped = createEngineHarness({ runAgent: () => refused });
    await grouped.run(planOf([group([agentStep('a')], { maxTimeMs: 4000 })]));
    expect(grouped.sleeps).toEqual([]);
    expect(failureOf(grouped, 'all/a')).toMatchObject({ kind: 'guard' });
  });

  it('starts if there is enough time, and uses it', async () => {
    const harness = createEngineHarness({ runAgent: () => refused });
    await harness.run(withBudget([agentStep('a')], { maxTimeMs: 50_000 }));
    expect(harness.calls).toHaveLength(3);
    expect(failureOf(harness, 'a')?.message).toContain('leaves no time');
  });

  it('does not count as time of the agent', async () => {
    const agents: FakeAgent[] = [() => refused, () => ({})];
    const harness = createEngineHarness({ runAgent: (...args) => agents.shift()?.(...args) ?? {} });
    expect((await harness.run(guardedPlan({ maxTimeMs: 4000 }))).runEnded?.status).toBe('passed');
  });

  it('ends when other agents have used up a shared limit', async () => {
    let startWait: () => void = () => undefined;
    const waiting = new Promise<void>((resolve) => {
      startWait = resolve;
    });
    const harness = createEngineHarness({
      async runAgent(agentTurn, files) {
        if (agentTurn.prompt.includes('do a')) return refused;
        await waiting;
        return reportEvents(dollarOfAnswers)(agentTurn, files);
      },
      onSleep() {
        startWait();
        return new Promise(() => undefined);
      },
    });
    const branches = group([agentStep('a'), agentStep('b')], {}, { parallel: true });
    await harness.run(withBudget([branches], { maxUsd: 1 }));
    expect(failureOf(harness, 'all/a')?.message).toContain('`max_budget` of the workflow is reached');
    expect(harness.sleeps).toHaveLength(1);
    expect(harness.calls).toHaveLength(2);
  });
});

describe('a limit that is exceeded by less than what is shown', () => {
  it('is described as exceeded', async () => {
    const spent = (costUsd: number): Usage => ({ inputTokens: 1, outputTokens: 1, costUsd });
    const { failure } = await runUnderGuard({ maxUsd: 0.35 }, [...answer(spent(0.351)), tool]);
    expect(failure?.message).toContain('more than $0.35 used, limit $0.35.');
  });
});

describe('an amount', () => {
  it('has the form of every cost, and enough digits to differ from zero', () => {
    expect(formatAmount('maxUsd', 0.00001)).toBe('less than $0.0001');
    expect(formatAmount('maxUsd', 1.5)).toBe('$1.50');
    expect(formatAmount('maxUsd', 0)).toBe('$0.00');
    expect(formatAmount('maxTimeMs', 60_000)).toBe('60 s');
    expect(formatAmount('maxTimeMs', 40)).toBe('0.04 s');
  });

  it('has a singular unit if the value is 1', () => {
    expect(formatAmount('maxTurns', 1)).toBe('1 turn');
    expect(formatAmount('maxTurns', 0)).toBe('0 turns');
    expect(formatAmount('maxTokens', 1)).toBe('1 token');
    expect(formatAmount('maxTokens', 10)).toBe('10 tokens');
  });
});

describe('the time of a job', () => {
  const plan = planOf([agentStep('a'), agentStep('b')]);

  /** The time is up as soon as an agent runs. */
  function outOfTime(graceTimes: number[] = []): EngineHarness {
    let reportStart: () => void = () => undefined;
    const started = new Promise<void>((resolve) => {
      reportStart = resolve;
    });
    return createEngineHarness({
      onSleep: () => started,
      async runAgent(agentTurn) {
        const ends = new Promise((resolve) => agentTurn.signal.addEventListener('abort', resolve));
        reportStart();
        await ends;
        graceTimes.push(agentTurn.graceMs());
        return turnResult(agentTurn, { turns: 1 });
      },
    });
  }

  it('stops the running agent and ends the run as waiting, and a re-run continues the attempt', async () => {
    const first = outOfTime();
    const state = await first.run(plan, { deadline: 60_000 });
    expect(state.runEnded).toMatchObject({
      status: 'waiting',
      reason: 'time',
      failedStep: 'a',
      failure: { kind: 'timeout' },
    });
    expect(state.runEnded?.resumeAt).toBeGreaterThanOrEqual(60_000);
    expect(state.steps.get('a')?.attempts.at(-1)?.status).toBe('cancelled');
    expect(first.storedJournalLengths.at(-1)).toBe(first.events.length);
    const second = createEngineHarness({ runAgent: () => ({}), previous: first });
    expect((await second.run(plan, { jobAttempt: 2 })).runEnded?.status).toBe('passed');
    expect(second.calls[0]).toMatchObject({ mode: 'resume', sessionId: first.calls[0]?.sessionId });
    expect(
      foldEvents(second.events)
        .steps.get('a')
        ?.attempts.map(({ number }) => number),
    ).toEqual([1, 1]);
  });

  it('gives agents 5 s to end', async () => {
    const graceTimes: number[] = [];
    await outOfTime(graceTimes).run(plan, { deadline: 1000 });
    expect(graceTimes).toEqual([5000]);
  });

  it('does not affect a run that ends before', async () => {
    const harness = createEngineHarness({
      runAgent: () => ({}),
      onSleep: () => new Promise(() => undefined),
    });
    expect((await harness.run(plan, { deadline: 1000 })).runEnded?.status).toBe('passed');
  });
});

describe('tokens that are only in the session file', () => {
  /** Resumes a session that has spent 1000 tokens. Each answer spends 100. */
  function createResumed(answers: number, shown: Usage[] = [], guard: Guard = {}) {
    let spent = 0;
    const harness = createEngineHarness({
      passesGate: () => harness.calls.length > 1,
      sessionUsage: () => (spent === 0 ? undefined : { inputTokens: spent, outputTokens: 1 }),
      runAgent: async (agentTurn) => {
        if (agentTurn.session.mode === 'start') {
          spent = 1000;
          return { usage: { turns: 1 } };
        }
        for (let answered = 0; answered < answers && !agentTurn.signal.aborted; answered += 1) {
          spent += 100;
          agentTurn.onEvent(tool, undefined);
          agentTurn.onEvent({ type: 'turn' }, undefined);
          await new Promise((resolve) => setImmediate(resolve));
        }
        shown.push((await harness.usageReaders.at(-1)?.()) ?? {});
        return turnResult(agentTurn, { turns: answers });
      },
    });
    const plan = guardedPlan(guard, { gates: [bashGate('check')], retry: [exitAfter(2)] });
    return { harness, run: () => harness.run(plan) };
  }

  it.each([1, 3])('show what resuming a session cost, after %i answers', async (answers) => {
    const shown: Usage[] = [];
    const { harness, run } = createResumed(answers, shown);
    await run();
    const last = foldEvents(harness.events).steps.get('impl')?.attempts.at(-1);
    expect(last).toMatchObject({ session: { effective: 'resumed' }, firstTurn: { inputTokens: 100 } });
    expect(shown).toEqual([expect.objectContaining({ turns: answers, inputTokens: answers * 100 })]);
  });

  it('count while the agent runs', async () => {
    const { harness, run } = createResumed(40, [], { maxTokens: 1250 });
    await run();
    expect(failureOf(harness)?.message).toContain('1300 tokens used, limit 1250 tokens');
  });
});
