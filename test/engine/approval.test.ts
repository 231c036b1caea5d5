import { describe, expect, it } from 'vitest';
import type { Step } from '../../src/workflow/workflow.js';
import {
  agentStep,
  bash,
  callStep,
  calls,
  exits,
  gateStep,
  groupStep,
  parallelSplit,
  planOf,
  splitStep,
  validates,
} from '../fakes/plan.js';
import { prompts, type Rerun, rerun } from '../fakes/rerun.js';
import { createWorld, type Play, type World, type WorldOptions } from '../fakes/world.js';

const play: Play = (turn, files) => {
  const line = turn.prompt.split('\n')[0] ?? '';
  if (turn.prompt.includes('plan.json')) return { output: '[{"name": "a"}, {"name": "b"}]' };
  if (turn.prompt.includes('validate.json')) return { output: '{"pass": true}' };
  files.set(line, 'x');
  return {};
};

const inner = [agentStep('a'), agentStep('b')];
const told = { gates: [bash('check')] };
const last = agentStep('last');

interface Case {
  readonly name: string;
  readonly path: string;
  readonly steps: readonly Step[];
  /** What is sent before it waits, and what once it may go on. */
  readonly before: readonly string[];
  readonly after: readonly string[];
}

const pauses = ['before-gate', 'after-gate'] as const;

const cases = pauses.flatMap((hitl): readonly Case[] => [
  {
    name: `an agent, ${hitl}`,
    path: 'impl',
    steps: [agentStep('impl', { ...told, hitl }), last],
    before: ['do impl'],
    after: ['do last'],
  },
  {
    name: `a step of gates, ${hitl}`,
    path: 'check',
    steps: [agentStep('impl'), { ...gateStep('check', told.gates), hitl }, last],
    before: ['do impl'],
    after: ['do last'],
  },
  {
    name: `a split, ${hitl}`,
    path: 'build',
    steps: [splitStep('build', [agentStep('impl')], { ...told, hitl }), last],
    before: ['plan build'],
    after: ['do impl', 'do impl', 'do last'],
  },
  {
    name: `a group, ${hitl}`,
    path: 'g',
    steps: [groupStep('g', inner, { ...told, hitl }), last],
    before: ['do a', 'do b'],
    after: ['do last'],
  },
  {
    name: `a parallel group, ${hitl}`,
    path: 'g',
    steps: [groupStep('g', inner, { ...told, hitl, parallel: true }), last],
    before: ['do a', 'do b'],
    after: ['do last'],
  },
  {
    name: `a called workflow, ${hitl}`,
    path: 'sub',
    steps: [callStep('sub', calls('sub', inner), { ...told, hitl }), last],
    before: ['do a', 'do b'],
    after: ['do last'],
  },
  {
    name: `a step in a called workflow, ${hitl}`,
    path: 'sub/x/y',
    steps: [callStep('sub', calls('sub', [groupStep('x', [agentStep('y', { ...told, hitl })])])), last],
    before: ['do y'],
    after: ['do last'],
  },
]);

/** Everything a job was told by people, and what it recorded, of one step. */
const approvals = (world: World) =>
  world.events.flatMap((event) =>
    event.type === 'attempt-approved' ? [`${event.step} by ${event.by}`] : [],
  );

describe.each(cases)('`hitl` on $name', ({ path, steps, before, after }) => {
  async function paused(options: WorldOptions = { play }): Promise<World> {
    const world = createWorld(options);
    const state = await world.run(planOf(steps));
    expect(state.ended).toMatchObject({ status: 'paused', failedStep: path });
    expect(prompts(world)).toEqual(before);
    return world;
  }

  it('waits, and waits again in a plain re-run, in which nothing is sent', async () => {
    const world = await paused();
    const plain = await rerun(world, planOf(steps), { play });
    expect(plain.state.ended).toMatchObject({ status: 'paused', failedStep: path });
    expect(plain.world.calls).toEqual([]);
    expect(plain.takeover.dropped).toEqual([]);
  });

  it('goes on in the job that approves it, and says who did', async () => {
    const world = await paused();
    const gone = await rerun(world, planOf(steps, { approve: path }), { play }, { actor: 'ann' });
    expect(gone.state.ended?.status).toBe('passed');
    expect(prompts(gone.world)).toEqual(after);
    expect(new Set(approvals(gone.world))).toEqual(new Set([`${path} by ann`]));
    const attempt = gone.state.steps.get(path)?.attempts.findLast((one) => one.approvedBy !== undefined);
    expect(attempt?.approvedBy).toBe('ann');
  });

  it('needs no other approval where that job is re-run for another reason', async () => {
    const world = await paused();
    const failing: Play = (turn, files) =>
      turn.prompt.startsWith('do last') ? { failure: { kind: 'crash', message: '' } } : play(turn, files);
    const gone = await rerun(world, planOf(steps, { approve: path }), { play: failing });
    expect(gone.state.ended).toMatchObject({ status: 'failed', failedStep: 'last' });
    const again = await rerun(gone.world, planOf(steps), { play }, { jobAttempt: 3 });
    expect(again.state.ended?.status).toBe('passed');
    expect(prompts(again.world)).toEqual(['do last']);
  });

  it('does not wait again where the approving job is lost at any point', async () => {
    const world = await paused();
    const gone = await rerun(world, planOf(steps, { approve: path }), { play });
    const from = gone.world.events.findIndex(({ type }) => type === 'attempt-approved');
    expect(from).toBeGreaterThan(0);
    for (let length = from + 1; length <= gone.world.events.length; length += 1) {
      const cut = { ...gone.world, events: gone.world.events.slice(0, length) };
      const options = { play, sessions: gone.world };
      const next = await rerun(cut, planOf(steps), options, { jobAttempt: 3 });
      expect(next.state.ended?.status, `prefix ${length}`).toBe('passed');
      for (const prompt of before) expect(prompts(next.world), `prefix ${length}`).not.toContain(prompt);
    }
  });

  it('waits too where the machine was lost at any point before', async () => {
    const world = await paused();
    for (let length = 0; length <= world.events.length; length += 1) {
      const cut = { ...world, events: world.events.slice(0, length) };
      const next = await rerun(cut, planOf(steps), { play, sessions: world });
      expect(next.state.ended, `prefix ${length}`).toMatchObject({ status: 'paused', failedStep: path });
    }
  });

  it('is not approved by the name of another step, nor before it waits', async () => {
    const world = createWorld({ play });
    const state = await world.run(planOf(steps, { approve: path }));
    expect(state.ended).toMatchObject({ status: 'paused', failedStep: path });
    const other = await rerun(world, planOf(steps, { approve: 'last' }), { play });
    expect(other.state.ended).toMatchObject({ status: 'paused', failedStep: path });
    expect(approvals(other.world)).toEqual([]);
  });
});

describe('`hitl`', () => {
  it('before the gates: a gate that fails counts as always, and the next attempt waits again', async () => {
    const impl = agentStep('impl', { ...told, hitl: 'before-gate', retry: [exits(2)] });
    const world = createWorld({ play, gate: () => false });
    await world.run(planOf([impl]));
    const approve = planOf([impl], { approve: 'impl' });
    const second = await rerun(world, approve, { play, gate: () => false });
    expect(prompts(second.world)).toEqual(['do impl']);
    expect(second.state.ended?.status).toBe('paused');
    const third = await rerun(second.world, approve, { play }, { jobAttempt: 3 });
    expect(third.world.calls).toEqual([]);
    expect(third.state.ended?.status).toBe('passed');
  });

  it('after the gates: waits after a failure where attempts are left, not after the last', async () => {
    const impl = agentStep('impl', { ...told, hitl: 'after-gate', retry: [exits(2)] });
    const world = createWorld({ play, gate: () => false });
    expect((await world.run(planOf([impl]))).ended?.status).toBe('paused');
    expect(world.calls).toHaveLength(1);
    const plain = await rerun(world, planOf([impl]), { play });
    expect(plain.world.calls).toEqual([]);
    const approved = await rerun(world, planOf([impl], { approve: 'impl' }), { play });
    expect(approved.world.calls[0]).toMatchObject({ mode: 'resume' });
    expect(approved.world.calls[0]?.prompt).toContain('check says no');
    // The attempt that passes now waits for its own approval.
    expect(approved.state.ended?.status).toBe('paused');

    const once = createWorld({ play, gate: () => false });
    const only = agentStep('impl', { ...told, hitl: 'after-gate' });
    expect((await once.run(planOf([only]))).ended?.status).toBe('failed');
  });

  it('is not asked for where the agent itself failed', async () => {
    const impl = agentStep('impl', { ...told, hitl: 'before-gate' });
    const world = createWorld({ play: () => ({ failure: { kind: 'crash', message: 'x' } }) });
    expect((await world.run(planOf([impl]))).ended?.status).toBe('failed');
  });

  it('in one unit lets the others get to their end, and a re-run runs only what waits', async () => {
    const each = [agentStep('impl', { prompt: 'impl {task.name}' })];
    const group = groupStep(
      'g',
      [agentStep('x', { ...told, hitl: 'after-gate' }), parallelSplit('build', each), agentStep('y')],
      { parallel: true },
    );
    const steps = [group, last];
    const world = createWorld({ play });
    expect((await world.run(planOf(steps))).ended).toMatchObject({ status: 'paused', failedStep: 'g/x' });
    expect(prompts(world).toSorted()).toEqual(['do x', 'do y', 'impl a', 'impl b', 'plan build']);
    const approved = await rerun(world, planOf(steps, { approve: 'g/x' }), { play });
    expect(prompts(approved.world)).toEqual(['do last']);
    expect(approved.world.opened).toEqual(['g/x/']);
    expect(approved.state.ended?.status).toBe('passed');
  });

  it('in each task waits at each, one approval after the other', async () => {
    const steps = [
      splitStep('build', [agentStep('impl', { prompt: 'impl {task.name}', hitl: 'after-gate' })]),
    ];
    const world = createWorld({ play });
    expect((await world.run(planOf(steps))).ended).toMatchObject({ failedStep: 'build/a/impl' });
    const one = await rerun(world, planOf(steps, { approve: 'build/a/impl' }), { play });
    expect(one.state.ended).toMatchObject({ status: 'paused', failedStep: 'build/b/impl' });
    const two = await rerun(
      one.world,
      planOf(steps, { approve: 'build/b/impl' }),
      { play },
      { jobAttempt: 3 },
    );
    expect(two.state.ended?.status).toBe('passed');
  });

  it('in a validator stops the step that it judges, whose agent is not asked again', async () => {
    const judge = agentStep('judge', { type: 'validate', prompt: 'judge', hitl: 'after-gate' });
    const impl = agentStep('impl', { gates: [validates('review', calls('validators/review', [judge]))] });
    const world = createWorld({ play });
    const state = await world.run(planOf([impl]));
    expect(state.ended).toMatchObject({ status: 'paused', failedStep: 'impl/gate:review:1/judge' });
    const plain: Rerun = await rerun(world, planOf([impl]), { play });
    expect(plain.state.ended).toMatchObject({ status: 'paused', failedStep: 'impl/gate:review:1/judge' });
    expect(plain.world.calls).toEqual([]);
  });
});
