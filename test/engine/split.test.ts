import { describe, expect, it } from 'vitest';
import { fold } from '../../src/journal/state.js';
import { decideTakeover } from '../../src/plan/takeover.js';
import { agentStep, bash, exits, planOf, splitStep } from '../fakes/plan.js';
import { createWorld, MachineLost, type Play, type World } from '../fakes/world.js';

const plan = (...names: readonly string[]) =>
  JSON.stringify(names.map((name) => ({ name, description: `do ${name}`, files: [`${name}.txt`] })));

const each = [
  agentStep('tests', { prompt: 'tests for {task.name}: {task.description} in {task.files}' }),
  agentStep('impl', {
    prompt: 'impl of {task.name}',
    session: { mode: 'from', step: 'tests' },
    gates: [bash('check')],
  }),
];

/** Plans the tasks `a` and `b`; an `impl` is right from its `tries`th turn on. */
function player(tries: Readonly<Record<string, number>> = {}): Play {
  const made = new Map<string, number>();
  return (turn, files) => {
    if (turn.prompt.startsWith('plan')) return { output: plan('a', 'b') };
    const name = /impl of (\w)/.exec(turn.prompt)?.[1];
    if (name === undefined) return {};
    made.set(name, (made.get(name) ?? 0) + 1);
    files.set(`${name}.txt`, (made.get(name) ?? 0) >= (tries[name] ?? 1) ? 'good' : 'bad');
    return {};
  };
}

const allGood = (_gate: unknown, files: ReadonlyMap<string, string>) => ![...files.values()].includes('bad');
const prompts = (world: World) => world.calls.map((call) => call.prompt.split('\n')[0]);

describe('a split', () => {
  it('takes its tasks one after the other through the steps of `each`', async () => {
    const world = createWorld({ play: player() });
    const state = await world.run(planOf([splitStep('build', each), agentStep('last')]));
    expect(prompts(world)).toEqual([
      'plan build',
      'tests for a: do a in a.txt',
      'impl of a',
      'tests for b: do b in b.txt',
      'impl of b',
      'do last',
    ]);
    expect([...state.steps.keys()]).toEqual([
      'build',
      'build/a/tests',
      'build/a/impl',
      'build/b/tests',
      'build/b/impl',
      'last',
    ]);
    expect(state.steps.get('build')?.status).toBe('passed');
  });

  it('begins each task in fresh sessions, which only its own steps share (S3)', async () => {
    const world = createWorld({ play: player() });
    await world.run(planOf([splitStep('build', each)]));
    const [, testsA, implA, testsB, implB] = world.calls.map(({ mode, id }) => `${mode} ${id}`);
    expect(testsA?.startsWith('start')).toBe(true);
    expect(implA).toBe(`resume ${testsA?.slice(6)}`);
    expect(implB).toBe(`resume ${testsB?.slice(6)}`);
    expect(testsB).not.toBe(testsA);
  });

  it('tells what the plan has to look like, and takes no other for one', async () => {
    const outputs = ['no json', '[{"name": "a"}, {"name": "a"}]', plan('a')];
    const world = createWorld({
      play: (turn) => (turn.prompt.startsWith('plan') ? { output: outputs.shift() ?? '' } : {}),
    });
    const state = await world.run(planOf([splitStep('build', [agentStep('one')], { retry: [exits(3)] })]));
    expect(
      state.steps.get('build')?.attempts.map((attempt) => attempt.failure?.kind ?? attempt.status),
    ).toEqual(['output', 'output', 'passed']);
    expect(world.calls[0]?.prompt).toContain('.gump/out/plan.json');
    expect(world.calls[2]?.prompt).toContain('two tasks with the name "a"');
  });

  it('warns of a plan without tasks and goes on', async () => {
    const world = createWorld({ play: () => ({ output: '[]' }) });
    const state = await world.run(planOf([splitStep('build', each), agentStep('last')]));
    expect(state.ended?.status).toBe('passed');
    expect(prompts(world)).toEqual(['plan build', 'do last']);
    expect(world.warnings.join()).toContain('no tasks');
  });

  it('stops at the first task that fails', async () => {
    const world = createWorld({ play: player({ a: 9 }), gate: allGood });
    const state = await world.run(planOf([splitStep('build', each)]));
    expect(state.ended).toMatchObject({ status: 'failed', failedStep: 'build/a/impl' });
    expect(prompts(world)).not.toContain('impl of b');
  });

  it('goes over its tasks again where `retry` says so: six launches for 3 over 2', async () => {
    const twice = each.map((step) => (step.name === 'impl' ? { ...step, retry: [exits(2)] } : step));
    const world = createWorld({ play: player({ a: 9 }), gate: allGood });
    await world.run(planOf([splitStep('build', twice, { retry: [exits(3)] })]));
    expect(prompts(world).filter((prompt) => prompt === 'impl of a')).toHaveLength(6);
    expect(prompts(world).filter((prompt) => prompt === 'plan build')).toHaveLength(1);
    expect(prompts(world).filter((prompt) => prompt?.startsWith('tests'))).toHaveLength(1);
  });

  it('keeps two names apart that are the same once they are safe', async () => {
    const world = createWorld({
      play: (turn) => (turn.prompt.startsWith('plan') ? { output: plan('a/b', 'a b', '..') } : {}),
    });
    const state = await world.run(planOf([splitStep('build', [agentStep('one')])]));
    const paths = [...state.steps.keys()].slice(1);
    expect(new Set(paths).size).toBe(3);
    for (const path of paths) expect(path).toMatch(/^build\/[A-Za-z0-9_-]+\/one$/);
  });

  it('stops after a step within a task where `until` names it', async () => {
    const world = createWorld({ play: player() });
    const state = await world.run(
      planOf([splitStep('build', each), agentStep('last')], { until: 'build/a/impl' }),
    );
    expect(state.ended?.status).toBe('passed');
    expect(prompts(world).at(-1)).toBe('impl of a');
    const next = createWorld({ play: player(), after: world });
    await next.run(planOf([splitStep('build', each), agentStep('last')]), { jobAttempt: 2 });
    expect(prompts(next)).toEqual(['tests for b: do b in b.txt', 'impl of b', 'do last']);
  });
});

describe('a re-run of a split', () => {
  const workflow = planOf([splitStep('build', each), agentStep('last')]);

  it('runs no planner and no task that has passed', async () => {
    const world = createWorld({ play: player({ b: 9 }), gate: allGood });
    await world.run(workflow);
    const next = createWorld({ play: player(), gate: allGood, after: world });
    const state = await next.run(workflow, { jobAttempt: 2 });
    expect(prompts(next)).toEqual(['impl of b', 'do last']);
    expect(next.calls[0]?.mode).toBe('resume');
    expect(state.ended?.status).toBe('passed');
  });

  it('forgets every task where what the planner depends on changed', async () => {
    const world = createWorld({ play: player({ b: 9 }), gate: allGood });
    await world.run(workflow);
    const changed = planOf([splitStep('build', each, { prompt: 'plan it otherwise' }), agentStep('last')]);
    const facts = { state: fold(world.events), job: 'j', jobAttempt: 2, startTree: 'tree' };
    expect(decideTakeover({ ...facts, plan: changed })).toMatchObject({
      dropped: ['build', 'build/a/tests', 'build/a/impl', 'build/b/tests', 'build/b/impl'],
      reason: 'the definition of step `build` changed',
    });
    expect(decideTakeover({ ...facts, plan: workflow }).dropped).toEqual([]);
  });

  it('takes up a task in the middle (`from-step`), and the split has not ended then', async () => {
    const world = createWorld({ play: player() });
    await world.run(workflow);
    const plan = planOf([splitStep('build', each), agentStep('last')], { fromStep: 'build/b/impl' });
    const { dropped } = decideTakeover({
      state: fold(world.events),
      job: 'j',
      jobAttempt: 2,
      startTree: 'tree',
      plan,
    });
    expect(dropped).toEqual(['build/b/impl', 'last']);
    world.events.push({ type: 'steps-dropped', steps: dropped, reason: '', at: 0 });
    const next = createWorld({ play: player(), after: world });
    await next.run(plan, { jobAttempt: 2 });
    expect(prompts(next)).toEqual(['impl of b', 'do last']);
  });

  it('ends the same, whatever prefix of the journal survived', async () => {
    const whole = createWorld({ play: player({ b: 2 }), gate: allGood });
    const twice = planOf([splitStep('build', each, { retry: [exits(2)] }), agentStep('last')]);
    expect((await whole.run(twice)).ended?.status).toBe('passed');
    for (let length = 0; length < whole.events.length; length += 1) {
      const events = whole.events.slice(0, length);
      const next = createWorld({
        play: player(),
        gate: allGood,
        after: { ...whole, events },
        sessions: whole,
      });
      const recorded = events.filter((event) => event.type === 'agent-ended').length;
      const state = await next.run(twice, { jobAttempt: 2 });
      expect(state.ended?.status, `prefix ${length}`).toBe('passed');
      expect(next.calls.length, `prefix ${length}`).toBeLessThanOrEqual(whole.calls.length - recorded);
    }
  });

  it('goes on with the task whose agent was cut off', async () => {
    const world = createWorld({
      play: (turn, files) => (turn.prompt.startsWith('impl of b') ? { crash: true } : player()(turn, files)),
    });
    await expect(world.run(workflow)).rejects.toThrow(MachineLost);
    const next = createWorld({ play: player(), after: world });
    await next.run(workflow, { jobAttempt: 2 });
    expect(next.calls[0]).toMatchObject({ mode: 'resume', id: world.calls.at(-1)?.id });
  });
});

it('warns where `until` names a task that the plan does not have', async () => {
  const world = createWorld({ play: player() });
  await world.run(planOf([splitStep('build', each)], { until: 'build/typo/impl' }));
  expect(world.warnings.join()).toContain('no step `build/typo/impl` came');
  const stopped = createWorld({ play: player() });
  await stopped.run(planOf([splitStep('build', each)], { until: 'build/b/impl' }));
  expect(stopped.warnings).toEqual([]);
});

describe('a split that has passed', () => {
  const failing = (gate: { readonly name: string }) => gate.name !== 'never';
  const last = agentStep('last', { gates: [bash('never')] });

  it('is gone through for the step that `until` names', async () => {
    const world = createWorld({ play: player(), gate: failing });
    await world.run(planOf([splitStep('build', each), last]));
    const next = createWorld({ play: player(), gate: failing, after: world });
    const state = await next.run(planOf([splitStep('build', each), last], { until: 'build/a/impl' }), {
      jobAttempt: 2,
    });
    expect(next.calls).toEqual([]);
    expect(state.ended?.status).toBe('passed');
    expect(next.warnings).toEqual([]);
  });

  it('runs a step that was added to `each` since, and what hangs on it', async () => {
    const world = createWorld({ play: player(), gate: failing });
    await world.run(planOf([splitStep('build', each), last]));
    const grown = planOf([
      splitStep('build', [...each, agentStep('polish', { prompt: 'polish {task.name}' })]),
      agentStep('last'),
    ]);
    const { dropped } = decideTakeover({
      state: fold(world.events),
      job: 'j',
      jobAttempt: 2,
      startTree: 'tree',
      plan: grown,
    });
    world.events.push({ type: 'steps-dropped', steps: dropped, reason: '', at: 0 });
    const next = createWorld({ play: player(), after: world });
    const state = await next.run(grown, { jobAttempt: 2 });
    expect(prompts(next).filter((prompt) => prompt?.startsWith('polish'))).toEqual(['polish a', 'polish b']);
    expect(state.ended?.status).toBe('passed');
  });
});
