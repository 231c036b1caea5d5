import { describe, expect, it } from 'vitest';
import type { Step } from '../../src/workflow/workflow.js';
import {
  createEngineHarness,
  type EngineHarness,
  type EngineHarnessOptions,
  type FakeAgent,
} from '../fakes/engine-harness.js';
import {
  agentStep,
  bashGate,
  callOf,
  callStep,
  exitAfter,
  gateStep,
  groupStep,
  parallelSplit,
  planOf,
  splitStep,
  validateGate,
} from '../fakes/plan.js';
import { firstPromptLines, type Rerun, rerun } from '../fakes/rerun.js';

const runAgent: FakeAgent = (turn, files) => {
  const line = turn.prompt.split('\n')[0] ?? '';
  if (turn.prompt.includes('plan.json')) return { output: '[{"name": "a"}, {"name": "b"}]' };
  if (turn.prompt.includes('validate.json')) return { output: '{"pass": true}' };
  files.set(line, 'x');
  return {};
};

const inner = [agentStep('a'), agentStep('b')];
const checked = { gates: [bashGate('check')] };
const last = agentStep('last');

interface Case {
  readonly name: string;
  readonly path: string;
  readonly steps: readonly Step[];
  /** The prompts before it waits, and those after the approval. */
  readonly before: readonly string[];
  readonly after: readonly string[];
}

const pauses = ['before-gate', 'after-gate'] as const;

const cases = pauses.flatMap((hitl): readonly Case[] => [
  {
    name: `an agent, ${hitl}`,
    path: 'impl',
    steps: [agentStep('impl', { ...checked, hitl }), last],
    before: ['do impl'],
    after: ['do last'],
  },
  {
    name: `a step of gates, ${hitl}`,
    path: 'check',
    steps: [agentStep('impl'), { ...gateStep('check', checked.gates), hitl }, last],
    before: ['do impl'],
    after: ['do last'],
  },
  {
    name: `a split, ${hitl}`,
    path: 'build',
    steps: [splitStep('build', [agentStep('impl')], { ...checked, hitl }), last],
    before: ['plan build'],
    after: ['do impl', 'do impl', 'do last'],
  },
  {
    name: `a group, ${hitl}`,
    path: 'g',
    steps: [groupStep('g', inner, { ...checked, hitl }), last],
    before: ['do a', 'do b'],
    after: ['do last'],
  },
  {
    name: `a parallel group, ${hitl}`,
    path: 'g',
    steps: [groupStep('g', inner, { ...checked, hitl, parallel: true }), last],
    before: ['do a', 'do b'],
    after: ['do last'],
  },
  {
    name: `a called workflow, ${hitl}`,
    path: 'sub',
    steps: [callStep('sub', callOf('sub', inner), { ...checked, hitl }), last],
    before: ['do a', 'do b'],
    after: ['do last'],
  },
  {
    name: `a step in a called workflow, ${hitl}`,
    path: 'sub/x/y',
    steps: [callStep('sub', callOf('sub', [groupStep('x', [agentStep('y', { ...checked, hitl })])])), last],
    before: ['do y'],
    after: ['do last'],
  },
]);

/** The approval of a job, and what the job recorded about one step. */
const approvals = (harness: EngineHarness) =>
  harness.events.flatMap((event) =>
    event.type === 'attempt-approved' ? [`${event.step} by ${event.by}`] : [],
  );

describe.each(cases)('`hitl` on $name', ({ path, steps, before, after }) => {
  async function paused(options: EngineHarnessOptions = { runAgent }): Promise<EngineHarness> {
    const harness = createEngineHarness(options);
    const state = await harness.run(planOf(steps));
    expect(state.runEnded).toMatchObject({ status: 'paused', failedStep: path });
    expect(firstPromptLines(harness)).toEqual(before);
    return harness;
  }

  it('waits, and waits again in a plain re-run, which sends no prompt', async () => {
    const harness = await paused();
    const plain = await rerun(harness, planOf(steps), { runAgent });
    expect(plain.state.runEnded).toMatchObject({ status: 'paused', failedStep: path });
    expect(plain.harness.calls).toEqual([]);
    expect(plain.reuse.dropped).toEqual([]);
  });

  it('continues in the job that approves it, and logs who approved', async () => {
    const harness = await paused();
    const second = await rerun(harness, planOf(steps, { approve: path }), { runAgent }, { actor: 'ann' });
    expect(second.state.runEnded?.status).toBe('passed');
    expect(firstPromptLines(second.harness)).toEqual(after);
    expect(new Set(approvals(second.harness))).toEqual(new Set([`${path} by ann`]));
    const attempt = second.state.steps.get(path)?.attempts.findLast((one) => one.approvedBy !== undefined);
    expect(attempt?.approvedBy).toBe('ann');
  });

  it('needs no further approval if that job is re-run for another reason', async () => {
    const harness = await paused();
    const failing: FakeAgent = (turn, files) =>
      turn.prompt.startsWith('do last') ? { failure: { kind: 'crash', message: '' } } : runAgent(turn, files);
    const second = await rerun(harness, planOf(steps, { approve: path }), { runAgent: failing });
    expect(second.state.runEnded).toMatchObject({ status: 'failed', failedStep: 'last' });
    const third = await rerun(second.harness, planOf(steps), { runAgent }, { jobAttempt: 3 });
    expect(third.state.runEnded?.status).toBe('passed');
    expect(firstPromptLines(third.harness)).toEqual(['do last']);
  });

  it('does not wait again if the approving job is lost at any point', async () => {
    const harness = await paused();
    const second = await rerun(harness, planOf(steps, { approve: path }), { runAgent });
    const from = second.harness.events.findIndex(({ type }) => type === 'attempt-approved');
    expect(from).toBeGreaterThan(0);
    for (let length = from + 1; length <= second.harness.events.length; length += 1) {
      const truncated = { ...second.harness, events: second.harness.events.slice(0, length) };
      const options = { runAgent, sessions: second.harness };
      const next = await rerun(truncated, planOf(steps), options, { jobAttempt: 3 });
      expect(next.state.runEnded?.status, `prefix ${length}`).toBe('passed');
      for (const prompt of before)
        expect(firstPromptLines(next.harness), `prefix ${length}`).not.toContain(prompt);
    }
  });

  it('also waits if the machine was lost at any point before', async () => {
    const harness = await paused();
    for (let length = 0; length <= harness.events.length; length += 1) {
      const truncated = { ...harness, events: harness.events.slice(0, length) };
      const next = await rerun(truncated, planOf(steps), { runAgent, sessions: harness });
      expect(next.state.runEnded, `prefix ${length}`).toMatchObject({ status: 'paused', failedStep: path });
    }
  });

  it('is not approved by the name of another step, or before it waits', async () => {
    const harness = createEngineHarness({ runAgent });
    const state = await harness.run(planOf(steps, { approve: path }));
    expect(state.runEnded).toMatchObject({ status: 'paused', failedStep: path });
    const other = await rerun(harness, planOf(steps, { approve: 'last' }), { runAgent });
    expect(other.state.runEnded).toMatchObject({ status: 'paused', failedStep: path });
    expect(approvals(other.harness)).toEqual([]);
  });
});

describe('`hitl`', () => {
  it('before the gates: a failed gate counts as usual, and the next attempt waits again', async () => {
    const impl = agentStep('impl', { ...checked, hitl: 'before-gate', retry: [exitAfter(2)] });
    const harness = createEngineHarness({ runAgent, passesGate: () => false });
    await harness.run(planOf([impl]));
    const approve = planOf([impl], { approve: 'impl' });
    const second = await rerun(harness, approve, { runAgent, passesGate: () => false });
    expect(firstPromptLines(second.harness)).toEqual(['do impl']);
    expect(second.state.runEnded?.status).toBe('paused');
    const third = await rerun(second.harness, approve, { runAgent }, { jobAttempt: 3 });
    expect(third.harness.calls).toEqual([]);
    expect(third.state.runEnded?.status).toBe('passed');
  });

  it('after the gates: waits after a failure if attempts remain, but not after the last attempt', async () => {
    const impl = agentStep('impl', { ...checked, hitl: 'after-gate', retry: [exitAfter(2)] });
    const harness = createEngineHarness({ runAgent, passesGate: () => false });
    expect((await harness.run(planOf([impl]))).runEnded?.status).toBe('paused');
    expect(harness.calls).toHaveLength(1);
    const plain = await rerun(harness, planOf([impl]), { runAgent });
    expect(plain.harness.calls).toEqual([]);
    const approved = await rerun(harness, planOf([impl], { approve: 'impl' }), { runAgent });
    expect(approved.harness.calls[0]).toMatchObject({ mode: 'resume' });
    expect(approved.harness.calls[0]?.prompt).toContain('check says no');
    // The passed attempt now waits for its own approval.
    expect(approved.state.runEnded?.status).toBe('paused');

    const once = createEngineHarness({ runAgent, passesGate: () => false });
    const only = agentStep('impl', { ...checked, hitl: 'after-gate' });
    expect((await once.run(planOf([only]))).runEnded?.status).toBe('failed');
  });

  it('does not wait if the agent itself failed', async () => {
    const impl = agentStep('impl', { ...checked, hitl: 'before-gate' });
    const harness = createEngineHarness({ runAgent: () => ({ failure: { kind: 'crash', message: 'x' } }) });
    expect((await harness.run(planOf([impl]))).runEnded?.status).toBe('failed');
  });

  it('in one parallel branch lets the others finish, and a re-run runs only the waiting branch', async () => {
    const each = [agentStep('impl', { prompt: 'impl {task.name}' })];
    const group = groupStep(
      'g',
      [agentStep('x', { ...checked, hitl: 'after-gate' }), parallelSplit('build', each), agentStep('y')],
      { parallel: true },
    );
    const steps = [group, last];
    const harness = createEngineHarness({ runAgent });
    expect((await harness.run(planOf(steps))).runEnded).toMatchObject({
      status: 'paused',
      failedStep: 'g/x',
    });
    expect(firstPromptLines(harness).toSorted()).toEqual(['do x', 'do y', 'impl a', 'impl b', 'plan build']);
    const approved = await rerun(harness, planOf(steps, { approve: 'g/x' }), { runAgent });
    expect(firstPromptLines(approved.harness)).toEqual(['do last']);
    expect(approved.harness.openedBranches).toEqual(['g/x/']);
    expect(approved.state.runEnded?.status).toBe('passed');
  });

  it('in each task waits in every task, one approval after the other', async () => {
    const steps = [
      splitStep('build', [agentStep('impl', { prompt: 'impl {task.name}', hitl: 'after-gate' })]),
    ];
    const harness = createEngineHarness({ runAgent });
    expect((await harness.run(planOf(steps))).runEnded).toMatchObject({ failedStep: 'build/a/impl' });
    const one = await rerun(harness, planOf(steps, { approve: 'build/a/impl' }), { runAgent });
    expect(one.state.runEnded).toMatchObject({ status: 'paused', failedStep: 'build/b/impl' });
    const two = await rerun(
      one.harness,
      planOf(steps, { approve: 'build/b/impl' }),
      { runAgent },
      { jobAttempt: 3 },
    );
    expect(two.state.runEnded?.status).toBe('passed');
  });

  it('in a validator stops the judged step, whose agent does not run again', async () => {
    const judge = agentStep('judge', { type: 'validate', prompt: 'judge', hitl: 'after-gate' });
    const impl = agentStep('impl', { gates: [validateGate('review', callOf('validators/review', [judge]))] });
    const harness = createEngineHarness({ runAgent });
    const state = await harness.run(planOf([impl]));
    expect(state.runEnded).toMatchObject({ status: 'paused', failedStep: 'impl/gate:review:1/judge' });
    const plain: Rerun = await rerun(harness, planOf([impl]), { runAgent });
    expect(plain.state.runEnded).toMatchObject({ status: 'paused', failedStep: 'impl/gate:review:1/judge' });
    expect(plain.harness.calls).toEqual([]);
  });
});
