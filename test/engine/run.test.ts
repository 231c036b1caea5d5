import { describe, expect, it } from 'vitest';
import { foldEvents } from '../../src/journal/run-state.js';
import {
  createEngineHarness,
  type EngineHarness,
  type FakeTurnResult,
  MachineLost,
} from '../fakes/engine-harness.js';
import { agentStep, bashGate, exitAfter, gateStep, planOf } from '../fakes/plan.js';

const reasons = (harness: EngineHarness) =>
  harness.events.flatMap((event) =>
    event.type === 'attempt-started' && event.session
      ? [`${event.step}#${event.number} ${event.session.reason}`]
      : [],
  );

describe('a run', () => {
  it('runs steps in order and stores a checkpoint after every attempt, before the next starts', async () => {
    const harness = createEngineHarness({ runAgent: (turn, files) => write(files, turn.prompt.trim(), 'x') });
    const state = await harness.run(planOf([agentStep('a'), agentStep('b')]));
    expect(state.runEnded).toMatchObject({ status: 'passed' });
    expect(harness.calls.map((call) => call.prompt.trim())).toEqual(['do a', 'do b']);
    const starts = harness.events.flatMap((event, index) =>
      event.type === 'attempt-started' ? [index] : [],
    );
    expect(harness.storedJournalLengths[0]).toBe(starts[1]);
    expect(harness.storedJournalLengths.at(-1)).toBe(harness.events.length);
  });

  it('resumes the session of the step that `from:` names', async () => {
    const harness = createEngineHarness({ runAgent: () => ({}) });
    await harness.run(
      planOf([agentStep('tests'), agentStep('impl', { session: { mode: 'from', step: 'tests' } })]),
    );
    expect(harness.calls.map(({ mode, sessionId }) => `${mode} ${sessionId}`)).toEqual([
      'start chosen-1',
      'resume chosen-1',
    ]);
  });

  it('resumes the session for a retry, with the output of the gate and the changes in the prompt', async () => {
    const harness = createEngineHarness({
      runAgent: (turn, files) => write(files, 'a.txt', turn.earlier.length === 0 ? 'bad' : 'good'),
      passesGate: (_gate, files) => files.get('a.txt') === 'good',
    });
    await harness.run(planOf([agentStep('impl', { gates: [bashGate('check')], retry: [exitAfter(2)] })]));
    expect(reasons(harness)).toEqual(['impl#1 declared-new', 'impl#2 kept-on-retry']);
    expect(harness.calls[1]?.prompt).toContain('check says no');
    expect(harness.calls[1]?.prompt).toContain('added a.txt');
  });

  it('adds no note if the retry prompt contains the error', async () => {
    const harness = createEngineHarness({ runAgent: () => ({}), passesGate: () => false });
    const retry = [{ when: { attempt: 2 }, overrides: { prompt: 'fix: {error}' } }, exitAfter(2)];
    await harness.run(planOf([agentStep('impl', { gates: [bashGate('check')], retry })]));
    expect(harness.calls[1]?.prompt.match(/check says no/g)).toHaveLength(1);
  });

  it('computes diffs and resets from the start of the step', async () => {
    const harness = createEngineHarness({
      runAgent: (turn, files) => write(files, `${turn.earlier.length}-${files.size}`, 'x'),
      passesGate: () => false,
    });
    const retry = [{ when: { attempt: 3 }, overrides: { worktree: 'reset' as const } }, exitAfter(3)];
    const state = await harness.run(
      planOf([agentStep('first'), agentStep('impl', { gates: [bashGate('check')], retry })]),
    );
    expect([...harness.files.keys()]).toEqual(['0-0', '2-1']);
    expect(state.steps.get('impl')?.attempts.map((attempt) => attempt.files.length)).toEqual([1, 2, 1]);
    expect(harness.calls.at(-1)?.prompt).toContain('was restored to its state before this step');
  });

  it('starts a new session in the same attempt if the old one is missing', async () => {
    const harness = createEngineHarness({ runAgent: () => ({}), passesGate: () => false });
    const plan = planOf([agentStep('impl', { gates: [bashGate('check')], retry: [exitAfter(1)] })]);
    await harness.run(plan);
    const next = createEngineHarness({ runAgent: () => ({}), previous: harness, sessions: 'none' });
    const state = await next.run(plan, { jobAttempt: 2 });
    expect(next.calls.map((call) => call.mode)).toEqual(['resume', 'start']);
    expect(state.steps.get('impl')?.attempts.at(-1)).toMatchObject({
      number: 2,
      session: { reason: 'session-lost', effective: 'new' },
    });
    expect(next.warnings.join()).toContain('the session to resume is missing');
  });

  it('fails the step instead with `on-lost-session: fail`', async () => {
    const harness = createEngineHarness({ runAgent: () => ({}), passesGate: () => false });
    const plan = planOf([agentStep('impl', { gates: [bashGate('check')], retry: [exitAfter(2)] })]);
    await harness.run(plan);
    const next = createEngineHarness({ runAgent: () => ({}), previous: harness, sessions: 'none' });
    const state = await next.run(plan, { jobAttempt: 2, onLostSession: 'fail' });
    expect(next.calls).toHaveLength(1);
    expect(state.steps.get('impl')?.attempts.at(-1)?.failure?.kind).toBe('session-lost');
  });

  it('does not retry a failure that another attempt cannot fix', async () => {
    const harness = createEngineHarness({
      runAgent: () => ({ failure: { kind: 'auth', message: 'no key' } }),
    });
    await harness.run(planOf([agentStep('impl', { retry: [exitAfter(3)] })]));
    expect(harness.calls).toHaveLength(1);
  });

  it('uses the verdict of a validate step', async () => {
    const results: FakeTurnResult[] = [
      { output: '{"pass": false, "comments": "too long"}' },
      { output: 'no json' },
      { output: '{"pass": true}' },
    ];
    const harness = createEngineHarness({ runAgent: () => results.shift() ?? {} });
    const state = await harness.run(
      planOf([agentStep('review', { type: 'validate', retry: [exitAfter(3)] })]),
    );
    expect(
      state.steps.get('review')?.attempts.map((attempt) => attempt.failure?.kind ?? attempt.status),
    ).toEqual(['validate', 'output', 'passed']);
    expect(harness.calls[1]?.prompt).toContain('too long');
  });

  it('undoes changes of a validate step, and fails it', async () => {
    const harness = createEngineHarness({
      runAgent: (_turn, files) => ({ ...write(files, 'sneaky.txt', 'x'), output: '{"pass": true}' }),
    });
    const state = await harness.run(planOf([agentStep('review', { type: 'validate' })]));
    expect(state.steps.get('review')?.attempts[0]?.failure).toMatchObject({ kind: 'guard' });
    expect([...harness.files.keys()]).toEqual([]);
  });

  it('runs a step with only gates once', async () => {
    const harness = createEngineHarness({ runAgent: () => ({}), passesGate: () => false });
    const state = await harness.run(planOf([gateStep('quality', [bashGate('lint')])]));
    expect(state.runEnded).toMatchObject({ status: 'failed', failedStep: 'quality' });
    expect(harness.calls).toEqual([]);
  });

  it('ends as passed after `until`', async () => {
    const harness = createEngineHarness({ runAgent: () => ({}) });
    const state = await harness.run(planOf([agentStep('a'), agentStep('b')], { until: 'a' }));
    expect(state.runEnded?.status).toBe('passed');
    expect(harness.calls).toHaveLength(1);
  });
});

describe('a re-run', () => {
  it('continues to count attempts, allows as many again, and applies the retry policy over three job attempts', async () => {
    const retry = [
      { when: { attempt: 2 }, overrides: { agent: 'claude-sonnet' } },
      { when: { attempt: 4 }, overrides: { agent: 'claude-opus', session: 'new' as const } },
      exitAfter(2),
    ];
    const plan = planOf([agentStep('impl', { gates: [bashGate('check')], retry })]);
    let harness = createEngineHarness({
      runAgent: (_turn, files) => write(files, `f${files.size}`, 'x'),
      passesGate: () => false,
    });
    await harness.run(plan);
    for (const jobAttempt of [2, 3]) {
      harness = createEngineHarness({
        runAgent: (_turn, files) => write(files, `f${files.size}`, 'x'),
        passesGate: () => false,
        previous: harness,
      });
      await harness.run(plan, { jobAttempt });
    }
    const attempts = foldEvents(harness.events).steps.get('impl')?.attempts ?? [];
    expect(
      attempts.map((one) => `${one.jobAttempt}:${one.number} ${one.agent} ${one.session?.reason}`),
    ).toEqual([
      '1:1 claude-haiku declared-new',
      '1:2 claude-sonnet agent-changed',
      '2:3 claude-sonnet continued',
      '2:4 claude-opus override-new',
      '3:5 claude-opus continued',
      '3:6 claude-opus kept-on-retry',
    ]);
  });

  it('continues the interrupted attempt: same number, same session, with a note in the prompt', async () => {
    const plan = planOf([agentStep('impl')]);
    const harness = createEngineHarness({ runAgent: () => ({ crash: true }) });
    await expect(harness.run(plan)).rejects.toThrow(MachineLost);
    const next = createEngineHarness({ runAgent: () => ({}), previous: harness });
    const state = await next.run(plan, { jobAttempt: 2 });
    expect(next.calls).toMatchObject([{ mode: 'resume', sessionId: 'chosen-1' }]);
    expect(next.calls[0]?.prompt).toContain('interrupted');
    expect(next.calls[0]?.prompt).toContain('do impl');
    expect(
      state.steps.get('impl')?.attempts.map((one) => `${one.jobAttempt}:${one.number} ${one.status}`),
    ).toEqual(['1:1 cancelled', '2:1 passed']);
  });
});

describe('after any prefix of the journal', () => {
  const plan = planOf([
    agentStep('tests', { agent: 'codex', gates: [bashGate('first')] }),
    agentStep('impl', {
      agent: 'codex',
      session: { mode: 'from', step: 'tests' },
      gates: [bashGate('check')],
      retry: [exitAfter(3)],
    }),
    gateStep('quality', [bashGate('lint')]),
  ]);
  const runAgent = (turn: { readonly earlier: readonly string[] }, files: Map<string, string>) =>
    write(files, 'work', String(turn.earlier.length));
  const options = {
    runAgent,
    passesGate: (gate: { readonly name: string }, files: ReadonlyMap<string, string>) =>
      gate.name !== 'check' || Number(files.get('work')) >= 2,
    sessionIds: () => 'given' as const,
  };

  it('the run ends the same, and no turn whose end is recorded runs again', async () => {
    const whole = createEngineHarness(options);
    const end = await whole.run(plan);
    expect(end.runEnded?.status).toBe('passed');
    for (let length = 0; length < whole.events.length; length += 1) {
      const events = whole.events.slice(0, length);
      const before = { ...whole, events, calls: whole.calls };
      const next = createEngineHarness({ ...options, previous: before, sessions: whole });
      const recorded = events.filter((event) => event.type === 'agent-ended').length;
      const state = await next.run(plan, { jobAttempt: 2 });
      expect(state.runEnded?.status, `prefix ${length}`).toBe('passed');
      expect(next.calls.length, `prefix ${length}`).toBeLessThanOrEqual(whole.calls.length - recorded);
      const doneBefore = [...foldEvents(events).steps.values()]
        .filter((step) => step.status === 'passed')
        .map((step) => step.path);
      const startedAgain = next.events
        .slice(length)
        .flatMap((event) => (event.type === 'attempt-started' ? [event.step] : []));
      expect(
        startedAgain.filter((step) => doneBefore.includes(step)),
        `prefix ${length}`,
      ).toEqual([]);
    }
  });
});

function write(files: Map<string, string>, path: string, content: string): FakeTurnResult {
  files.set(path, content);
  return {};
}

describe('between an agent and its gates', () => {
  const plan = planOf([agentStep('impl', { gates: [bashGate('check')] })]);

  async function interruptAfterAgent(failure?: FakeTurnResult['failure']) {
    const whole = createEngineHarness({ runAgent: () => (failure === undefined ? {} : { failure }) });
    await whole.run(plan);
    const end = whole.events.findIndex((event) => event.type === 'agent-ended');
    return { whole, after: { ...whole, events: whole.events.slice(0, end + 1) } };
  }

  it('an attempt continues in the later job with the same number and without an agent', async () => {
    const { after } = await interruptAfterAgent();
    const next = createEngineHarness({ runAgent: () => ({}), previous: after });
    const state = await next.run(plan, { jobAttempt: 2 });
    expect(next.calls).toEqual([]);
    expect(
      state.steps.get('impl')?.attempts.map((one) => `${one.jobAttempt}:${one.number} ${one.status}`),
    ).toEqual(['1:1 cancelled', '2:1 passed']);
  });

  it('an agent that failed runs again', async () => {
    const { after, whole } = await interruptAfterAgent({ kind: 'cancelled', message: 'cancelled' });
    const next = createEngineHarness({ runAgent: () => ({}), previous: after, sessions: whole });
    const state = await next.run(plan, { jobAttempt: 2 });
    expect(next.calls).toHaveLength(1);
    expect(state.runEnded?.status).toBe('passed');
  });
});

describe('a session that is known to be missing', () => {
  it('fails the step without starting the agent with `on-lost-session: fail`', async () => {
    const harness = createEngineHarness({ runAgent: () => ({}), passesGate: () => false });
    const plan = planOf([agentStep('impl', { gates: [bashGate('check')], retry: [exitAfter(2)] })]);
    await harness.run(plan);
    const lost = new Map([['chosen-1', 'session-lost' as const]]);
    const next = createEngineHarness({ runAgent: () => ({}), previous: harness });
    const state = await next.run(plan, { jobAttempt: 2, onLostSession: 'fail', unavailable: lost });
    expect(next.calls).toEqual([]);
    expect(state.runEnded).toMatchObject({ status: 'failed', failedStep: 'impl' });
  });
});

it('ignores a session id that is not in the format of its provider', async () => {
  const harness = createEngineHarness({
    runAgent: () => ({ events: [{ type: 'session', id: '../../etc' }] }),
  });
  const state = await harness.run(planOf([agentStep('impl')]));
  expect(state.steps.get('impl')?.attempts[0]?.session?.id).toBe('chosen-1');
});
