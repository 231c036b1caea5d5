/** Runs that stop because the model service refuses requests for longer than a job waits. */
import { describe, expect, it } from 'vitest';
import type { Failure } from '../../src/failure.js';
import { totalUsage } from '../../src/journal/ledger.js';
import { foldEvents } from '../../src/journal/run-state.js';
import { runProgress } from '../../src/report/run-progress.js';
import {
  createEngineHarness,
  type EngineHarness,
  type EngineHarnessOptions,
  type FakeAgent,
} from '../fakes/engine-harness.js';
import {
  agentStep,
  bashGate,
  callStep,
  exitAfter,
  groupStep,
  planOf,
  retryAtAttempt,
  reviewCall,
  validateGate,
} from '../fakes/plan.js';
import { firstPromptLines, rerun } from '../fakes/rerun.js';

const minute = 60_000;
const hours = 60 * minute;
const resetsAt = 3 * hours;

const limited = (at = resetsAt): Failure => ({
  kind: 'rate-limit',
  message: 'limit reached',
  acceptsAgainAt: at,
});

/** Refuses every request of that provider. The others answer, and each writes a file. */
const refusing =
  (provider: string, at = resetsAt): FakeAgent =>
  ({ agent, prompt }, files) => {
    if (agent.startsWith(provider)) return { failure: limited(at) };
    files.set(`${prompt.split('\n')[0]}.txt`, agent);
    return { usage: { turns: 1, costUsd: 0.5 } };
  };

const working = refusing('nobody');

const modes = (harness: EngineHarness) =>
  harness.calls.map(({ agent, mode, sessionId }) => `${agent} ${mode} ${sessionId}`);

async function runUntilLimit(
  plan: Parameters<EngineHarness['run']>[0],
  options: Partial<EngineHarnessOptions> = {},
) {
  const harness = createEngineHarness({ runAgent: refusing('claude'), ...options });
  return { harness, state: await harness.run(plan) };
}

describe('a limit that resets in 3 hours', () => {
  const plan = planOf([agentStep('impl', { retry: [exitAfter(2)] }), agentStep('docs')]);

  it('ends the run without a wait, and the attempt as interrupted', async () => {
    const { harness, state } = await runUntilLimit(plan);
    expect(state.runEnded).toMatchObject({
      status: 'waiting',
      reason: 'limit',
      resumeAt: resetsAt,
      failedStep: 'impl',
    });
    expect(harness.sleeps).toEqual([]);
    expect(modes(harness)).toEqual(['claude-haiku start chosen-1']);
    expect(state.steps.get('impl')).toMatchObject({ status: 'cancelled', resumeAt: resetsAt });
    expect(state.steps.get('impl')?.attempts).toMatchObject([
      { number: 1, status: 'cancelled', failure: { kind: 'rate-limit', resumeAt: resetsAt } },
    ]);
    expect(harness.storedJournalLengths.at(-1)).toBe(harness.events.length);
    expect(foldEvents(harness.events)).toEqual(state);
  });

  it('continues in a re-run after it: the same number and session, with the interruption note', async () => {
    const { harness } = await runUntilLimit(plan);
    const next = await rerun(harness, plan, { runAgent: working }, { now: resetsAt });
    expect(next.state.runEnded?.status).toBe('passed');
    expect(next.harness.calls[0]).toMatchObject({ mode: 'resume', sessionId: 'chosen-1' });
    expect(next.harness.calls[0]?.prompt).toContain('You were interrupted');
    expect(next.state.steps.get('impl')?.attempts).toMatchObject([
      { number: 1, jobAttempt: 1, status: 'cancelled' },
      { number: 1, jobAttempt: 2, status: 'passed', session: { reason: 'continued' } },
    ]);
    expect(next.harness.warnings).toEqual([]);
  });

  it('uses up no retry, however often the service refuses', async () => {
    let { harness } = await runUntilLimit(plan);
    for (const jobAttempt of [2, 3, 4]) {
      const again = refusing('claude', jobAttempt * resetsAt);
      const next = await rerun(
        harness,
        plan,
        { runAgent: again },
        { jobAttempt, now: (jobAttempt - 1) * resetsAt },
      );
      expect(next.state.runEnded).toMatchObject({ status: 'waiting', resumeAt: jobAttempt * resetsAt });
      ({ harness } = next);
    }
    expect(
      foldEvents(harness.events)
        .steps.get('impl')
        ?.attempts.map(({ number }) => number),
    ).toEqual([1, 1, 1, 1]);
  });

  it('starts no agent in a re-run before it', async () => {
    const { harness } = await runUntilLimit(plan);
    const early = await rerun(harness, plan, { runAgent: working }, { now: resetsAt - 11 * minute });
    expect(early.harness.calls).toEqual([]);
    expect(early.state.runEnded).toMatchObject({ status: 'waiting', resumeAt: resetsAt, failedStep: 'impl' });
    const later = await rerun(early.harness, plan, { runAgent: working }, { jobAttempt: 3, now: resetsAt });
    expect(later.harness.calls[0]).toMatchObject({ mode: 'resume', sessionId: 'chosen-1' });
  });

  it('asks the service in a re-run less than 10 minutes before it', async () => {
    const { harness } = await runUntilLimit(plan);
    const early = await rerun(harness, plan, { runAgent: working }, { now: resetsAt - 9 * minute });
    expect(early.state.runEnded?.status).toBe('passed');
  });

  it('lets another agent start before it', async () => {
    const { harness } = await runUntilLimit(plan);
    const other = planOf([agentStep('impl', { retry: [exitAfter(2)] }), agentStep('docs')], {
      agent: 'codex',
    });
    const next = await rerun(harness, other, { runAgent: refusing('claude') }, { now: minute });
    expect(next.state.runEnded?.status).toBe('passed');
    expect(next.state.steps.get('impl')?.attempts.at(-1)?.session).toMatchObject({ reason: 'agent-changed' });
  });
});

describe('a shorter limit', () => {
  const plan = planOf([agentStep('impl')]);
  const onceRefusing = (at: number): FakeAgent => {
    let isRefused = false;
    return () => {
      if (isRefused) return {};
      isRefused = true;
      return { failure: limited(at) };
    };
  };

  it('is waited for in the attempt, until the time that the service names', async () => {
    const harness = createEngineHarness({ runAgent: onceRefusing(8 * minute) });
    expect((await harness.run(plan)).runEnded?.status).toBe('passed');
    expect(harness.sleeps).toHaveLength(1);
    expect(harness.sleeps[0]).toBeGreaterThan(7.9 * minute);
  });

  it('ends the run if it is longer than what is left of `max-time`', async () => {
    const harness = createEngineHarness({
      runAgent: onceRefusing(8 * minute),
      onSleep: () => new Promise(() => undefined),
    });
    const state = await harness.run(plan, { deadline: 5 * minute });
    expect(state.runEnded).toMatchObject({ status: 'waiting', reason: 'limit', failedStep: 'impl' });
    expect(state.runEnded?.resumeAt).toBeGreaterThanOrEqual(8 * minute);
    expect(state.steps.get('impl')?.attempts.at(-1)?.status).toBe('cancelled');
  });

  it('ends the run if it is longer than what is left of the timeout of a group', async () => {
    const group = groupStep('g', [agentStep('impl')], { guard: { maxTimeMs: 5 * minute } });
    const harness = createEngineHarness({ runAgent: onceRefusing(8 * minute) });
    const state = await harness.run(planOf([group]));
    expect(state.runEnded).toMatchObject({ status: 'waiting', resumeAt: 8 * minute, failedStep: 'g/impl' });
    const next = await rerun(harness, planOf([group]), { runAgent: working }, { now: 8 * minute });
    expect(next.state.runEnded?.status).toBe('passed');
  });

  it('ends the run if an attempt has already waited 10 minutes', async () => {
    let calls = 0;
    const harness: EngineHarness = createEngineHarness({
      runAgent: () => ({ failure: limited(++calls * 6 * minute) }),
    });
    const state = await harness.run(plan);
    expect(harness.sleeps).toHaveLength(1);
    expect(state.runEnded).toMatchObject({ status: 'waiting', resumeAt: 12 * minute });
  });
});

describe('parallel branches', () => {
  const group = groupStep(
    'g',
    [
      groupStep('one', [agentStep('a'), agentStep('a2')]),
      groupStep('two', [agentStep('b', { agent: 'codex' }), agentStep('b2', { agent: 'codex' })]),
      groupStep('three', [agentStep('c', { agent: 'codex' }), agentStep('c2')]),
    ],
    { parallel: true },
  );
  const plan = planOf([group, agentStep('last')]);

  it('with other providers finish first, and nothing new starts on the limited one', async () => {
    const { harness, state } = await runUntilLimit(plan);
    expect(firstPromptLines(harness).toSorted()).toEqual(['do a', 'do b', 'do b2', 'do c']);
    expect(state.runEnded).toMatchObject({ status: 'waiting', resumeAt: resetsAt });
    // The line of an attempt that was refused says itself until when.
    expect(harness.logLines.filter((line) => line.includes(' waits: '))).toEqual([
      'Step `g/three/c2` waits: the service of its agent accepts requests again at 1970-01-01 03:00 UTC',
    ]);
    expect(state.steps.get('g/two')?.status).toBe('passed');
    expect(state.steps.get('g/three/c2')).toMatchObject({
      status: 'cancelled',
      attempts: [],
      resumeAt: resetsAt,
    });
    const next = await rerun(harness, plan, { runAgent: working }, { now: resetsAt });
    expect(firstPromptLines(next.harness).toSorted()).toEqual(['do a', 'do a2', 'do c2', 'do last']);
    expect(next.state.runEnded?.status).toBe('passed');
  });

  it('are not opened if their first agent cannot start', async () => {
    const many = groupStep(
      'g',
      ['a', 'b', 'c'].map((name) => agentStep(name)),
      { parallel: true, maxParallel: 1 },
    );
    const { harness, state } = await runUntilLimit(planOf([many]));
    expect(harness.openedBranches).toEqual(['g/a/']);
    expect(state.runEnded).toMatchObject({ status: 'waiting', failedStep: 'g/a' });
    const next = await rerun(harness, planOf([many]), { runAgent: working }, { now: resetsAt });
    expect(next.state.runEnded?.status).toBe('passed');
    expect(next.harness.openedBranches).toEqual(['g/a/', 'g/b/', 'g/c/']);
  });

  it('in a turn of the limited provider run to their own end', async () => {
    const slow = groupStep('g', [agentStep('a'), groupStep('b', [agentStep('b1'), agentStep('b2')])], {
      parallel: true,
    });
    const harness = createEngineHarness({
      async runAgent({ prompt }, files) {
        if (prompt.startsWith('do a')) return { failure: limited() };
        for (let i = 0; i < 50; i += 1) await new Promise((resolve) => setImmediate(resolve));
        files.set('b.txt', 'b');
        return {};
      },
    });
    const state = await harness.run(planOf([slow]), { maxParallel: 2 });
    expect(state.steps.get('g/b/b1')?.status).toBe('passed');
    expect(firstPromptLines(harness)).toEqual(['do a', 'do b1']);
    expect(state.runEnded).toMatchObject({ status: 'waiting', failedStep: 'g/a' });
  });

  it('that failed for another reason make the run fail', async () => {
    const mixed = groupStep('g', [agentStep('a'), agentStep('b', { agent: 'codex' })], { parallel: true });
    const { state } = await runUntilLimit(planOf([mixed]), {
      runAgent: (turn, files) =>
        turn.agent === 'codex'
          ? { failure: { kind: 'crash', message: 'broken' } }
          : refusing('claude')(turn, files),
    });
    expect(state.runEnded).toMatchObject({ status: 'failed', failedStep: 'g/b' });
  });

  it('wait until the earliest time at which one of them can continue', async () => {
    const both = groupStep('g', [agentStep('a'), agentStep('b', { agent: 'codex' })], { parallel: true });
    const { state } = await runUntilLimit(planOf([both]), {
      runAgent: ({ agent }) => ({ failure: limited(agent === 'codex' ? 2 * hours : 3 * hours) }),
    });
    expect(state.runEnded).toMatchObject({ status: 'waiting', resumeAt: 2 * hours, failedStep: 'g/b' });
  });
});

describe('steps below others', () => {
  it('wait in a called workflow, whose round continues', async () => {
    const inner = callStep('c', { path: 'w', inputs: {}, workflow: planWorkflow([agentStep('impl')]) });
    const plan = planOf([inner]);
    const { harness, state } = await runUntilLimit(plan);
    expect(state.runEnded).toMatchObject({ status: 'waiting', failedStep: 'c/impl' });
    const next = await rerun(harness, plan, { runAgent: working }, { now: resetsAt });
    expect(next.state.runEnded?.status).toBe('passed');
    expect(next.state.steps.get('c')?.attempts.map(({ number }) => number)).toEqual([1, 1]);
  });

  it('wait in a gate, and only the gate runs again', async () => {
    const gate = validateGate('review', reviewCall({}, { agent: 'codex' }));
    const plan = planOf([agentStep('impl', { gates: [bashGate('first'), gate] })]);
    const { harness, state } = await runUntilLimit(plan, { runAgent: refusing('codex') });
    expect(state.runEnded).toMatchObject({ status: 'waiting', resumeAt: resetsAt });
    expect(state.runEnded?.failedStep).toContain('judge');
    const next = await rerun(
      harness,
      plan,
      { runAgent: () => ({ output: JSON.stringify({ pass: true, comments: '' }) }) },
      { now: resetsAt },
    );
    expect(next.state.runEnded?.status).toBe('passed');
    expect(next.harness.calls.map(({ agent, mode }) => `${agent} ${mode}`)).toEqual(['codex resume']);
  });
});

describe('the budget', () => {
  it('counts what was spent before and after the wait', async () => {
    const plan = planOf([agentStep('impl'), agentStep('docs')], { maxUsd: 1 });
    const spending = { usage: { turns: 1, costUsd: 0.6 } };
    const { harness, state } = await runUntilLimit(plan, {
      runAgent: () => ({ failure: limited(), ...spending }),
    });
    expect(totalUsage(state.ledger).costUsd).toBeCloseTo(0.6);
    const next = await rerun(harness, plan, { runAgent: () => spending }, { now: resetsAt });
    expect(next.state.runEnded).toMatchObject({ status: 'failed', failedStep: 'docs' });
    expect(next.state.steps.get('docs')?.failure).toMatchObject({ kind: 'budget' });
    expect(totalUsage(next.state.ledger).costUsd).toBeCloseTo(1.2);
  });
});

describe('a fallback', () => {
  const plan = planOf([agentStep('impl', { fallback: 'codex', retry: [exitAfter(2)] }), agentStep('docs')]);

  it('continues the attempt in a new session, with a warning, and uses up no retry', async () => {
    const { harness, state } = await runUntilLimit(plan);
    expect(modes(harness)).toEqual(['claude-haiku start chosen-1', 'codex start chosen-2']);
    expect(state.steps.get('impl')?.attempts).toMatchObject([
      { number: 1, agent: 'claude-haiku', status: 'cancelled' },
      {
        number: 1,
        agent: 'codex',
        insteadOf: 'claude-haiku',
        status: 'passed',
        session: { reason: 'agent-changed' },
      },
    ]);
    expect(harness.warnings).toEqual([
      'Step `impl`, attempt 1: new session: the agent changed from claude-haiku to codex (`fallback`: the service refuses requests for some time)',
    ]);
    expect(harness.calls[1]?.prompt).toContain('its session could not be resumed');
    // The next step has none.
    expect(state.runEnded).toMatchObject({ status: 'waiting', failedStep: 'docs' });
  });

  it('from the input replaces the agents of all steps, also of one that has not started', async () => {
    const { harness, state } = await runUntilLimit(
      planOf([agentStep('impl'), agentStep('docs')], { fallback: 'codex' }),
    );
    expect(state.runEnded?.status).toBe('passed');
    expect(modes(harness).map((mode) => mode.split(' ')[0])).toEqual(['claude-haiku', 'codex', 'codex']);
    expect(state.steps.get('docs')?.attempts).toMatchObject([
      { insteadOf: 'claude-haiku', session: { effective: 'new', reason: 'agent-changed' } },
    ]);
    expect(harness.warnings).toHaveLength(2);
  });

  it('of a step takes precedence over the input', async () => {
    const both = planOf([agentStep('impl', { fallback: 'codex' })], { fallback: 'gemini' });
    expect(modes((await runUntilLimit(both)).harness)[1]).toContain('codex');
  });

  it('keeps its session in retries, and in a later job after the limit', async () => {
    const { harness, state } = await runUntilLimit(
      planOf([agentStep('impl', { fallback: 'codex', retry: [exitAfter(2)], gates: [bashGate('no')] })]),
      {
        passesGate: () => false,
      },
    );
    expect(modes(harness)).toEqual([
      'claude-haiku start chosen-1',
      'codex start chosen-2',
      'codex resume chosen-2',
    ]);
    expect(state.steps.get('impl')?.attempts.map(({ number }) => number)).toEqual([1, 1, 2]);
    const next = await rerun(harness, plan, { runAgent: working }, { now: resetsAt + hours });
    expect(modes(next.harness)[0]).toBe('codex resume chosen-2');
  });

  it('that is limited too waits for the earlier of both times', async () => {
    const runAgent: FakeAgent = ({ agent }) => ({
      failure: limited(agent === 'codex' ? 2 * hours : 3 * hours),
    });
    const { harness, state } = await runUntilLimit(plan, { runAgent });
    expect(harness.calls).toHaveLength(2);
    expect(state.runEnded).toMatchObject({ status: 'waiting', resumeAt: 2 * hours, failedStep: 'impl' });
    const next = await rerun(harness, plan, { runAgent: refusing('claude') }, { now: 2 * hours });
    expect(modes(next.harness)).toEqual(['codex resume chosen-2']);
  });

  it('is left again if the agent of the workflow accepts requests earlier', async () => {
    const runAgent: FakeAgent = ({ agent }) => ({
      failure: limited(agent === 'codex' ? 4 * hours : 3 * hours),
    });
    const { harness, state } = await runUntilLimit(plan, { runAgent });
    expect(state.runEnded?.resumeAt).toBe(3 * hours);
    const next = await rerun(harness, plan, { runAgent: refusing('codex') }, { now: 3 * hours });
    expect(next.harness.calls[0]?.agent).toBe('claude-haiku');
    expect(next.state.runEnded?.status).toBe('passed');
  });

  it('of the same provider is another model, which its limit does not concern', async () => {
    const other = planOf([agentStep('impl', { fallback: 'claude-sonnet' })]);
    const { harness, state } = await runUntilLimit(other, { runAgent: refusing('claude-haiku') });
    expect(state.runEnded?.status).toBe('passed');
    expect(harness.calls.map(({ agent }) => agent)).toEqual(['claude-haiku', 'claude-sonnet']);
    const refused = await runUntilLimit(other);
    expect(refused.harness.calls).toHaveLength(2);
    expect(refused.state.runEnded).toMatchObject({ status: 'waiting', resumeAt: resetsAt });
  });

  it('is not taken for a wait of less than 10 minutes', async () => {
    const { harness, state } = await runUntilLimit(plan, { runAgent: refusing('claude', 8 * minute) });
    expect(harness.calls.every(({ agent }) => agent === 'claude-haiku')).toBe(true);
    expect(state.runEnded?.status).not.toBe('passed');
  });

  it('gives way to an escalation to another agent', async () => {
    const escalating = planOf([
      agentStep('impl', {
        fallback: 'codex',
        gates: [bashGate('no')],
        retry: [retryAtAttempt(2, { agent: 'gemini' }), exitAfter(2)],
      }),
    ]);
    const { harness } = await runUntilLimit(escalating, { passesGate: () => false });
    expect(harness.calls.map(({ agent }) => agent)).toEqual(['claude-haiku', 'codex', 'gemini']);
  });
});

describe('the mark of progress', () => {
  const plan = planOf([agentStep('first', { agent: 'codex' }), agentStep('impl')]);

  it('is the same after a re-run in which the service refused again', async () => {
    const { harness, state } = await runUntilLimit(plan);
    const next = await rerun(harness, plan, { runAgent: refusing('claude', 9 * hours) }, { now: resetsAt });
    expect(next.state.runEnded?.status).toBe('waiting');
    expect(runProgress(next.state)).toBe(runProgress(state));
    expect(runProgress(state)).toMatch(/^[0-9a-f]{16}$/);
  });

  it.each([
    ['an answer', () => ({ failure: limited(9 * hours), usage: { turns: 1 } })],
    [
      'a changed tree',
      (files: Map<string, string>) => {
        files.set('new.txt', 'x');
        return { failure: limited(9 * hours) };
      },
    ],
    ['a passed step', () => ({})],
  ] as const)('changes with %s', async (_what, act) => {
    const { harness, state } = await runUntilLimit(plan);
    const next = await rerun(harness, plan, { runAgent: (_turn, files) => act(files) }, { now: resetsAt });
    expect(runProgress(next.state)).not.toBe(runProgress(state));
  });
});

function planWorkflow(steps: readonly ReturnType<typeof agentStep>[]) {
  return { name: 'w', source: 'w.yaml', sessionMatch: 'agent', onPause: 'fail', budget: {}, steps } as const;
}
