import { describe, expect, it } from 'vitest';
import { fold } from '../../src/journal/state.js';
import { agentStep, bash, exits, gateStep, planOf } from '../fakes/plan.js';
import { createWorld, MachineLost, type Said, type World } from '../fakes/world.js';

const reasons = (world: World) =>
  world.events.flatMap((event) =>
    event.type === 'attempt-started' && event.session
      ? [`${event.step}#${event.number} ${event.session.reason}`]
      : [],
  );

describe('a run', () => {
  it('runs steps in order and stores a checkpoint after every attempt, before the next starts', async () => {
    const world = createWorld({ play: (turn, files) => write(files, turn.prompt.trim(), 'x') });
    const state = await world.run(planOf([agentStep('a'), agentStep('b')]));
    expect(state.ended).toMatchObject({ status: 'passed' });
    expect(world.calls.map((call) => call.prompt.trim())).toEqual(['do a', 'do b']);
    const starts = world.events.flatMap((event, index) => (event.type === 'attempt-started' ? [index] : []));
    expect(world.stored[0]).toBe(starts[1]);
    expect(world.stored.at(-1)).toBe(world.events.length);
  });

  it('goes on from a named step, and both talk to the same session', async () => {
    const world = createWorld({ play: () => ({}) });
    await world.run(
      planOf([agentStep('tests'), agentStep('impl', { session: { mode: 'from', step: 'tests' } })]),
    );
    expect(world.calls.map(({ mode, id }) => `${mode} ${id}`)).toEqual(['start chosen-1', 'resume chosen-1']);
  });

  it('keeps the session on a retry and tells what the gate said and what was changed', async () => {
    const world = createWorld({
      play: (turn, files) => write(files, 'a.txt', turn.earlier.length === 0 ? 'bad' : 'good'),
      gate: (_gate, files) => files.get('a.txt') === 'good',
    });
    await world.run(planOf([agentStep('impl', { gates: [bash('check')], retry: [exits(2)] })]));
    expect(reasons(world)).toEqual(['impl#1 declared-new', 'impl#2 kept-on-retry']);
    expect(world.calls[1]?.prompt).toContain('check says no');
    expect(world.calls[1]?.prompt).toContain('added a.txt');
  });

  it('adds no note where the retry prompt names the error itself', async () => {
    const world = createWorld({ play: () => ({}), gate: () => false });
    const retry = [{ when: { attempt: 2 }, overrides: { prompt: 'mend: {error}' } }, exits(2)];
    await world.run(planOf([agentStep('impl', { gates: [bash('check')], retry })]));
    expect(world.calls[1]?.prompt.match(/check says no/g)).toHaveLength(1);
  });

  it('counts diffs and resets from the start of the step', async () => {
    const world = createWorld({
      play: (turn, files) => write(files, `${turn.earlier.length}-${files.size}`, 'x'),
      gate: () => false,
    });
    const retry = [{ when: { attempt: 3 }, overrides: { worktree: 'reset' as const } }, exits(3)];
    const state = await world.run(
      planOf([agentStep('first'), agentStep('impl', { gates: [bash('check')], retry })]),
    );
    expect([...world.files.keys()]).toEqual(['0-0', '2-1']);
    expect(state.steps.get('impl')?.attempts.map((attempt) => attempt.files.length)).toEqual([1, 2, 1]);
    expect(world.calls.at(-1)?.prompt).toContain('has been put back');
  });

  it('starts a new session in the same attempt where the old one is gone', async () => {
    const world = createWorld({ play: () => ({}), gate: () => false });
    const plan = planOf([agentStep('impl', { gates: [bash('check')], retry: [exits(1)] })]);
    await world.run(plan);
    const next = createWorld({ play: () => ({}), after: world, sessions: 'none' });
    const state = await next.run(plan, { jobAttempt: 2 });
    expect(next.calls.map((call) => call.mode)).toEqual(['resume', 'start']);
    expect(state.steps.get('impl')?.attempts.at(-1)).toMatchObject({
      number: 2,
      session: { reason: 'session-lost', effective: 'new' },
    });
    expect(next.warnings.join()).toContain('is gone');
  });

  it('fails the step instead, where `on-lost-session` says so', async () => {
    const world = createWorld({ play: () => ({}), gate: () => false });
    const plan = planOf([agentStep('impl', { gates: [bash('check')], retry: [exits(2)] })]);
    await world.run(plan);
    const next = createWorld({ play: () => ({}), after: world, sessions: 'none' });
    const state = await next.run(plan, { jobAttempt: 2, onLostSession: 'fail' });
    expect(next.calls).toHaveLength(1);
    expect(state.steps.get('impl')?.attempts.at(-1)?.failure?.kind).toBe('session-lost');
  });

  it('does not try again what another attempt cannot mend', async () => {
    const world = createWorld({ play: () => ({ failure: { kind: 'auth', message: 'no key' } }) });
    await world.run(planOf([agentStep('impl', { retry: [exits(3)] })]));
    expect(world.calls).toHaveLength(1);
  });

  it('takes the verdict of a validate step', async () => {
    const said: Said[] = [
      { output: '{"pass": false, "comments": "too long"}' },
      { output: 'no json' },
      { output: '{"pass": true}' },
    ];
    const world = createWorld({ play: () => said.shift() ?? {} });
    const state = await world.run(planOf([agentStep('review', { type: 'validate', retry: [exits(3)] })]));
    expect(
      state.steps.get('review')?.attempts.map((attempt) => attempt.failure?.kind ?? attempt.status),
    ).toEqual(['validate', 'output', 'passed']);
    expect(world.calls[1]?.prompt).toContain('too long');
  });

  it('undoes what a validate step writes, and fails it', async () => {
    const world = createWorld({
      play: (_turn, files) => ({ ...write(files, 'sneaky.txt', 'x'), output: '{"pass": true}' }),
    });
    const state = await world.run(planOf([agentStep('review', { type: 'validate' })]));
    expect(state.steps.get('review')?.attempts[0]?.failure).toMatchObject({ kind: 'guard' });
    expect([...world.files.keys()]).toEqual([]);
  });

  it('runs gates alone, once', async () => {
    const world = createWorld({ play: () => ({}), gate: () => false });
    const state = await world.run(planOf([gateStep('quality', [bash('lint')])]));
    expect(state.ended).toMatchObject({ status: 'failed', failedStep: 'quality' });
    expect(world.calls).toEqual([]);
  });

  it('stops with success after `until`', async () => {
    const world = createWorld({ play: () => ({}) });
    const state = await world.run(planOf([agentStep('a'), agentStep('b')], { until: 'a' }));
    expect(state.ended?.status).toBe('passed');
    expect(world.calls).toHaveLength(1);
  });
});

describe('a re-run', () => {
  it('counts attempts on, allows as many again, and climbs the ladder over three job attempts', async () => {
    const retry = [
      { when: { attempt: 2 }, overrides: { agent: 'claude-sonnet' } },
      { when: { attempt: 4 }, overrides: { agent: 'claude-opus', session: 'new' as const } },
      exits(2),
    ];
    const plan = planOf([agentStep('impl', { gates: [bash('check')], retry })]);
    let world = createWorld({
      play: (_turn, files) => write(files, `f${files.size}`, 'x'),
      gate: () => false,
    });
    await world.run(plan);
    for (const jobAttempt of [2, 3]) {
      world = createWorld({
        play: (_turn, files) => write(files, `f${files.size}`, 'x'),
        gate: () => false,
        after: world,
      });
      await world.run(plan, { jobAttempt });
    }
    const attempts = fold(world.events).steps.get('impl')?.attempts ?? [];
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

  it('goes on with the attempt that was cut off: same number, same session, and says so', async () => {
    const plan = planOf([agentStep('impl')]);
    const world = createWorld({ play: () => ({ crash: true }) });
    await expect(world.run(plan)).rejects.toThrow(MachineLost);
    const next = createWorld({ play: () => ({}), after: world });
    const state = await next.run(plan, { jobAttempt: 2 });
    expect(next.calls).toMatchObject([{ mode: 'resume', id: 'chosen-1' }]);
    expect(next.calls[0]?.prompt).toContain('interrupted');
    expect(next.calls[0]?.prompt).toContain('do impl');
    expect(
      state.steps.get('impl')?.attempts.map((one) => `${one.jobAttempt}:${one.number} ${one.status}`),
    ).toEqual(['1:1 cancelled', '2:1 passed']);
  });
});

describe('however much of the journal survived', () => {
  const plan = planOf([
    agentStep('tests', { agent: 'codex', gates: [bash('first')] }),
    agentStep('impl', {
      agent: 'codex',
      session: { mode: 'from', step: 'tests' },
      gates: [bash('check')],
      retry: [exits(3)],
    }),
    gateStep('quality', [bash('lint')]),
  ]);
  const play = (turn: { readonly earlier: readonly string[] }, files: Map<string, string>) =>
    write(files, 'work', String(turn.earlier.length));
  const options = {
    play,
    gate: (gate: { readonly name: string }, files: ReadonlyMap<string, string>) =>
      gate.name !== 'check' || Number(files.get('work')) >= 2,
    sessionIds: () => 'given' as const,
  };

  it('the run ends the same and no turn whose end is recorded is sent again', async () => {
    const whole = createWorld(options);
    const end = await whole.run(plan);
    expect(end.ended?.status).toBe('passed');
    for (let length = 0; length < whole.events.length; length += 1) {
      const events = whole.events.slice(0, length);
      const before = { ...whole, events, calls: whole.calls };
      const next = createWorld({ ...options, after: before, sessions: whole });
      const recorded = events.filter((event) => event.type === 'agent-ended').length;
      const state = await next.run(plan, { jobAttempt: 2 });
      expect(state.ended?.status, `prefix ${length}`).toBe('passed');
      expect(next.calls.length, `prefix ${length}`).toBeLessThanOrEqual(whole.calls.length - recorded);
      const doneBefore = [...fold(events).steps.values()]
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

function write(files: Map<string, string>, path: string, content: string): Said {
  files.set(path, content);
  return {};
}

describe('between an agent and its gates', () => {
  const plan = planOf([agentStep('impl', { gates: [bash('check')] })]);

  async function cutAfterAgent(failure?: Said['failure']) {
    const whole = createWorld({ play: () => (failure === undefined ? {} : { failure }) });
    await whole.run(plan);
    const end = whole.events.findIndex((event) => event.type === 'agent-ended');
    return { whole, after: { ...whole, events: whole.events.slice(0, end + 1) } };
  }

  it('an attempt goes on in the later job under the same number, and costs nothing more', async () => {
    const { after } = await cutAfterAgent();
    const next = createWorld({ play: () => ({}), after });
    const state = await next.run(plan, { jobAttempt: 2 });
    expect(next.calls).toEqual([]);
    expect(
      state.steps.get('impl')?.attempts.map((one) => `${one.jobAttempt}:${one.number} ${one.status}`),
    ).toEqual(['1:1 cancelled', '2:1 passed']);
  });

  it('an agent that had failed is not taken for done', async () => {
    const { after, whole } = await cutAfterAgent({ kind: 'cancelled', message: 'cancelled' });
    const next = createWorld({ play: () => ({}), after, sessions: whole });
    const state = await next.run(plan, { jobAttempt: 2 });
    expect(next.calls).toHaveLength(1);
    expect(state.ended?.status).toBe('passed');
  });
});

describe('a session that is known to be gone', () => {
  it('fails the step without starting the agent, where `on-lost-session` says so', async () => {
    const world = createWorld({ play: () => ({}), gate: () => false });
    const plan = planOf([agentStep('impl', { gates: [bash('check')], retry: [exits(2)] })]);
    await world.run(plan);
    const lost = new Map([['chosen-1', 'session-lost' as const]]);
    const next = createWorld({ play: () => ({}), after: world });
    const state = await next.run(plan, { jobAttempt: 2, onLostSession: 'fail', unavailable: lost });
    expect(next.calls).toEqual([]);
    expect(state.ended).toMatchObject({ status: 'failed', failedStep: 'impl' });
  });
});

it('takes no text for a session id that its provider could not have made', async () => {
  const world = createWorld({ play: () => ({ events: [{ type: 'session', id: '../../etc' }] }) });
  const state = await world.run(planOf([agentStep('impl')]));
  expect(state.steps.get('impl')?.attempts[0]?.session?.id).toBe('chosen-1');
});
