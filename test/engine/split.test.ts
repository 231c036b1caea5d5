import { describe, expect, it } from 'vitest';
import { foldEvents } from '../../src/journal/run-state.js';
import { decideReuse } from '../../src/plan/reuse.js';
import {
  createEngineHarness,
  type EngineHarness,
  type FakeAgent,
  MachineLost,
} from '../fakes/engine-harness.js';
import { agentStep, bashGate, exitAfter, planOf, splitStep } from '../fakes/plan.js';

const planOutput = (...names: readonly string[]) =>
  JSON.stringify(names.map((name) => ({ name, description: `do ${name}`, files: [`${name}.txt`] })));

const eachSteps = [
  agentStep('tests', { prompt: 'tests for {task.name}: {task.description} in {task.files}' }),
  agentStep('impl', {
    prompt: 'impl of {task.name}',
    session: { mode: 'from', step: 'tests' },
    gates: [bashGate('check')],
  }),
];

/** Plans the tasks `a` and `b`. An `impl` is correct from its turn number `tries` on. */
function createAgent(tries: Readonly<Record<string, number>> = {}): FakeAgent {
  const attempts = new Map<string, number>();
  return (turn, files) => {
    if (turn.prompt.startsWith('plan')) return { output: planOutput('a', 'b') };
    const name = /impl of (\w)/.exec(turn.prompt)?.[1];
    if (name === undefined) return {};
    attempts.set(name, (attempts.get(name) ?? 0) + 1);
    files.set(`${name}.txt`, (attempts.get(name) ?? 0) >= (tries[name] ?? 1) ? 'good' : 'bad');
    return {};
  };
}

const areFilesGood = (_gate: unknown, files: ReadonlyMap<string, string>) =>
  ![...files.values()].includes('bad');
const prompts = (harness: EngineHarness) => harness.calls.map((call) => call.prompt.split('\n')[0]);

describe('a split', () => {
  it('runs the steps of `each` for one task after the other', async () => {
    const harness = createEngineHarness({ runAgent: createAgent() });
    const state = await harness.run(planOf([splitStep('build', eachSteps), agentStep('last')]));
    expect(prompts(harness)).toEqual([
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

  it('starts each task in fresh sessions, which only its own steps share (S3)', async () => {
    const harness = createEngineHarness({ runAgent: createAgent() });
    await harness.run(planOf([splitStep('build', eachSteps)]));
    const [, testsA, implA, testsB, implB] = harness.calls.map(
      ({ mode, sessionId }) => `${mode} ${sessionId}`,
    );
    expect(testsA?.startsWith('start')).toBe(true);
    expect(implA).toBe(`resume ${testsA?.slice(6)}`);
    expect(implB).toBe(`resume ${testsB?.slice(6)}`);
    expect(testsB).not.toBe(testsA);
  });

  it('describes the format of the plan, and accepts no other format', async () => {
    const outputs = ['no json', '[{"name": "a"}, {"name": "a"}]', planOutput('a')];
    const harness = createEngineHarness({
      runAgent: (turn) => (turn.prompt.startsWith('plan') ? { output: outputs.shift() ?? '' } : {}),
    });
    const state = await harness.run(
      planOf([splitStep('build', [agentStep('one')], { retry: [exitAfter(3)] })]),
    );
    expect(
      state.steps.get('build')?.attempts.map((attempt) => attempt.failure?.kind ?? attempt.status),
    ).toEqual(['output', 'output', 'passed']);
    expect(harness.calls[0]?.prompt).toContain('.gump/out/plan.json');
    expect(harness.calls[2]?.prompt).toContain('two tasks with the name "a"');
  });

  it('warns about a plan without tasks and continues', async () => {
    const harness = createEngineHarness({ runAgent: () => ({ output: '[]' }) });
    const state = await harness.run(planOf([splitStep('build', eachSteps), agentStep('last')]));
    expect(state.runEnded?.status).toBe('passed');
    expect(prompts(harness)).toEqual(['plan build', 'do last']);
    expect(harness.warnings.join()).toContain('no tasks');
  });

  it('stops at the first task that fails', async () => {
    const harness = createEngineHarness({ runAgent: createAgent({ a: 9 }), passesGate: areFilesGood });
    const state = await harness.run(planOf([splitStep('build', eachSteps)]));
    expect(state.runEnded).toMatchObject({ status: 'failed', failedStep: 'build/a/impl' });
    expect(prompts(harness)).not.toContain('impl of b');
  });

  it('runs further rounds over its tasks with `retry`: six attempts for `exit: 3` times `exit: 2`', async () => {
    const twice = eachSteps.map((step) => (step.name === 'impl' ? { ...step, retry: [exitAfter(2)] } : step));
    const harness = createEngineHarness({ runAgent: createAgent({ a: 9 }), passesGate: areFilesGood });
    await harness.run(planOf([splitStep('build', twice, { retry: [exitAfter(3)] })]));
    expect(prompts(harness).filter((prompt) => prompt === 'impl of a')).toHaveLength(6);
    expect(prompts(harness).filter((prompt) => prompt === 'plan build')).toHaveLength(1);
    expect(prompts(harness).filter((prompt) => prompt?.startsWith('tests'))).toHaveLength(1);
  });

  it('separates two names that are equal after unsafe characters are removed', async () => {
    const harness = createEngineHarness({
      runAgent: (turn) => (turn.prompt.startsWith('plan') ? { output: planOutput('a/b', 'a b', '..') } : {}),
    });
    const state = await harness.run(planOf([splitStep('build', [agentStep('one')])]));
    const paths = [...state.steps.keys()].slice(1);
    expect(new Set(paths).size).toBe(3);
    for (const path of paths) expect(path).toMatch(/^build\/[A-Za-z0-9_-]+\/one$/);
  });

  it('stops after a step within a task if `until` names it', async () => {
    const harness = createEngineHarness({ runAgent: createAgent() });
    const state = await harness.run(
      planOf([splitStep('build', eachSteps), agentStep('last')], { until: 'build/a/impl' }),
    );
    expect(state.runEnded?.status).toBe('passed');
    expect(prompts(harness).at(-1)).toBe('impl of a');
    const next = createEngineHarness({ runAgent: createAgent(), previous: harness });
    await next.run(planOf([splitStep('build', eachSteps), agentStep('last')]), { jobAttempt: 2 });
    expect(prompts(next)).toEqual(['tests for b: do b in b.txt', 'impl of b', 'do last']);
  });
});

describe('a re-run of a split', () => {
  const workflow = planOf([splitStep('build', eachSteps), agentStep('last')]);

  it('does not run a passed planner or a passed task', async () => {
    const harness = createEngineHarness({ runAgent: createAgent({ b: 9 }), passesGate: areFilesGood });
    await harness.run(workflow);
    const next = createEngineHarness({
      runAgent: createAgent(),
      passesGate: areFilesGood,
      previous: harness,
    });
    const state = await next.run(workflow, { jobAttempt: 2 });
    expect(prompts(next)).toEqual(['impl of b', 'do last']);
    expect(next.calls[0]?.mode).toBe('resume');
    expect(state.runEnded?.status).toBe('passed');
  });

  it('drops every task if an input of the planner changed', async () => {
    const harness = createEngineHarness({ runAgent: createAgent({ b: 9 }), passesGate: areFilesGood });
    await harness.run(workflow);
    const changed = planOf([
      splitStep('build', eachSteps, { prompt: 'plan it otherwise' }),
      agentStep('last'),
    ]);
    const facts = { state: foldEvents(harness.events), job: 'j', jobAttempt: 2, startDifferences: new Map() };
    expect(decideReuse({ ...facts, plan: changed })).toMatchObject({
      dropped: ['build', 'build/a/tests', 'build/a/impl', 'build/b/tests', 'build/b/impl'],
      reason: 'the definition of step `build` changed',
    });
    expect(decideReuse({ ...facts, plan: workflow }).dropped).toEqual([]);
  });

  it('runs from the middle of a task (`from-step`), and the split is no longer ended', async () => {
    const harness = createEngineHarness({ runAgent: createAgent() });
    await harness.run(workflow);
    const plan = planOf([splitStep('build', eachSteps), agentStep('last')], { fromStep: 'build/b/impl' });
    const { dropped } = decideReuse({
      state: foldEvents(harness.events),
      job: 'j',
      jobAttempt: 2,
      startDifferences: new Map(),
      plan,
    });
    expect(dropped).toEqual(['build/b/impl', 'last']);
    harness.events.push({ type: 'steps-dropped', steps: dropped, reason: '', at: 0 });
    const next = createEngineHarness({ runAgent: createAgent(), previous: harness });
    await next.run(plan, { jobAttempt: 2 });
    expect(prompts(next)).toEqual(['impl of b', 'do last']);
  });

  it('ends the same with any prefix of the journal', async () => {
    const whole = createEngineHarness({ runAgent: createAgent({ b: 2 }), passesGate: areFilesGood });
    const twice = planOf([splitStep('build', eachSteps, { retry: [exitAfter(2)] }), agentStep('last')]);
    expect((await whole.run(twice)).runEnded?.status).toBe('passed');
    for (let length = 0; length < whole.events.length; length += 1) {
      const events = whole.events.slice(0, length);
      const next = createEngineHarness({
        runAgent: createAgent(),
        passesGate: areFilesGood,
        previous: { ...whole, events },
        sessions: whole,
      });
      const recorded = events.filter((event) => event.type === 'agent-ended').length;
      const state = await next.run(twice, { jobAttempt: 2 });
      expect(state.runEnded?.status, `prefix ${length}`).toBe('passed');
      expect(next.calls.length, `prefix ${length}`).toBeLessThanOrEqual(whole.calls.length - recorded);
    }
  });

  it('continues with the task whose agent was interrupted', async () => {
    const harness = createEngineHarness({
      runAgent: (turn, files) =>
        turn.prompt.startsWith('impl of b') ? { crash: true } : createAgent()(turn, files),
    });
    await expect(harness.run(workflow)).rejects.toThrow(MachineLost);
    const next = createEngineHarness({ runAgent: createAgent(), previous: harness });
    await next.run(workflow, { jobAttempt: 2 });
    expect(next.calls[0]).toMatchObject({ mode: 'resume', sessionId: harness.calls.at(-1)?.sessionId });
  });
});

it('warns if `until` names a task that the plan does not have', async () => {
  const harness = createEngineHarness({ runAgent: createAgent() });
  await harness.run(planOf([splitStep('build', eachSteps)], { until: 'build/typo/impl' }));
  expect(harness.warnings.join()).toContain('did not reach step `build/typo/impl`');
  const stopped = createEngineHarness({ runAgent: createAgent() });
  await stopped.run(planOf([splitStep('build', eachSteps)], { until: 'build/b/impl' }));
  expect(stopped.warnings).toEqual([]);
});

describe('a passed split', () => {
  const failing = (gate: { readonly name: string }) => gate.name !== 'never';
  const last = agentStep('last', { gates: [bashGate('never')] });

  it('is searched for the step that `until` names', async () => {
    const harness = createEngineHarness({ runAgent: createAgent(), passesGate: failing });
    await harness.run(planOf([splitStep('build', eachSteps), last]));
    const next = createEngineHarness({ runAgent: createAgent(), passesGate: failing, previous: harness });
    const state = await next.run(planOf([splitStep('build', eachSteps), last], { until: 'build/a/impl' }), {
      jobAttempt: 2,
    });
    expect(next.calls).toEqual([]);
    expect(state.runEnded?.status).toBe('passed');
    expect(next.warnings).toEqual([]);
  });

  it('runs a step that was added to `each` since, and the steps that depend on it', async () => {
    const harness = createEngineHarness({ runAgent: createAgent(), passesGate: failing });
    await harness.run(planOf([splitStep('build', eachSteps), last]));
    const grown = planOf([
      splitStep('build', [...eachSteps, agentStep('polish', { prompt: 'polish {task.name}' })]),
      agentStep('last'),
    ]);
    const { dropped } = decideReuse({
      state: foldEvents(harness.events),
      job: 'j',
      jobAttempt: 2,
      startDifferences: new Map(),
      plan: grown,
    });
    harness.events.push({ type: 'steps-dropped', steps: dropped, reason: '', at: 0 });
    const next = createEngineHarness({ runAgent: createAgent(), previous: harness });
    const state = await next.run(grown, { jobAttempt: 2 });
    expect(prompts(next).filter((prompt) => prompt?.startsWith('polish'))).toEqual(['polish a', 'polish b']);
    expect(state.runEnded?.status).toBe('passed');
  });
});
