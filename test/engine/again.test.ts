/** A part of what holds other steps runs again: nothing that the rest has made is lost or paid once more. */
import { describe, expect, it } from 'vitest';
import type { Step } from '../../src/workflow/workflow.js';
import {
  agentStep,
  bash,
  callStep,
  calls,
  exits,
  groupStep,
  parallelSplit,
  planOf,
  retryAt,
  review,
  validates,
} from '../fakes/plan.js';
import { prompts, rerun } from '../fakes/rerun.js';
import { createWorld, type Play } from '../fakes/world.js';

const verdict = JSON.stringify({ pass: true, comments: '' });

/** Each agent leaves a file named by the last word of its prompt; what it found there is noted. */
function player(seen: Record<string, string> = {}): Play {
  return (turn, files) => {
    const line = turn.prompt.split('\n')[0]?.trim() ?? '';
    if (line.startsWith('plan')) return { output: JSON.stringify([{ name: 'a' }, { name: 'b' }]) };
    if (line.startsWith('judge')) return { output: verdict };
    const name = line.split(' ').at(-1) ?? '';
    seen[name] = [...files.keys()].sort().join();
    files.set(name, 'x');
    return {};
  };
}

const side = (names: readonly string[], told: Record<string, string> = {}): Step =>
  groupStep(
    'g',
    names.map((name) => agentStep(name, told[name] === undefined ? {} : { prompt: told[name] })),
    { parallel: true },
  );

const impl = agentStep('impl', { prompt: 'impl {task.name}' });

describe('of units side by side that had passed', () => {
  it.each<[string, readonly Step[], readonly Step[], string | undefined, readonly string[], string]>([
    [
      '`from-step` names one',
      [side(['a', 'b', 'c'])],
      [side(['a', 'b', 'c'])],
      'g/b',
      ['do b'],
      'a,b,c,last',
    ],
    [
      'one has changed',
      [side(['a', 'b', 'c'])],
      [side(['a', 'b', 'c'], { b: 'do other' })],
      undefined,
      ['do other'],
      'a,c,last,other',
    ],
    ['one is new', [side(['a', 'b'])], [side(['a', 'b', 'c'])], undefined, ['do c'], 'a,b,c,last'],
    [
      '`from-step` names one in a called workflow',
      [callStep('c', calls('side', [parallelSplit('build', [impl])]))],
      [callStep('c', calls('side', [parallelSplit('build', [impl])]))],
      'c/build/b/impl',
      ['impl b'],
      'a,b,last',
    ],
    [
      'their tasks have a step more',
      [parallelSplit('build', [impl])],
      [parallelSplit('build', [impl, agentStep('docs', { prompt: 'docs of-{task.name}' })])],
      undefined,
      ['docs of-a', 'docs of-b'],
      'a,b,last,of-a,of-b',
    ],
  ])('%s: it alone runs, and what all have made is there', async (_, before, now, fromStep, again, files) => {
    const world = createWorld({ play: player() });
    await world.run(planOf([...before, agentStep('last')]));
    const named = fromStep === undefined ? {} : { fromStep };
    const second = await rerun(world, planOf([...now, agentStep('last')], named), { play: player() });
    expect(second.state.ended?.status).toBe('passed');
    expect(prompts(second.world)).toEqual([...again, 'do last']);
    expect([...second.world.files.keys()].sort().join()).toBe(files);
  });
});

describe('of a group in turn that had passed', () => {
  it('a step named by `from-step` finds the files as the one before left them', async () => {
    const steps = [groupStep('g', [agentStep('a'), agentStep('b')]), agentStep('last')];
    const world = createWorld({ play: player() });
    await world.run(planOf(steps));
    const seen: Record<string, string> = {};
    await rerun(world, planOf(steps, { fromStep: 'g/b' }), { play: player(seen) });
    expect(seen).toEqual({ b: 'a', last: 'a,b' });
  });
});

describe('a retry of units that asks for new sessions', () => {
  it('leaves them their files, and those that passed alone', async () => {
    let tries = 0;
    const world = createWorld({
      play(turn, files) {
        if (turn.prompt.startsWith('do a')) files.set('a', 'a');
        else files.set(`b${++tries}`, 'b');
        return {};
      },
      gate: () => tries > 1,
    });
    const units = [agentStep('a'), agentStep('b', { gates: [bash('check')] })];
    const retry = [retryAt(2, { session: 'new' }), exits(2)];
    await world.run(planOf([groupStep('g', units, { parallel: true, retry })]));
    expect(world.calls.map(({ mode }) => mode)).toEqual(['start', 'start', 'start']);
    expect([...world.files.keys()].sort()).toEqual(['a', 'b1', 'b2']);
  });
});

describe('what nobody has judged', () => {
  const broken: Play = (turn, files) =>
    turn.prompt.startsWith('judge')
      ? { failure: { kind: 'auth', message: 'no key' } }
      : player()(turn, files);

  it.each<[string, Step]>([
    ['a step', agentStep('a', { gates: [validates('v', review())] })],
    ['a group', groupStep('g', [agentStep('a')], { gates: [validates('v', review())] })],
  ])('is judged in the re-run, and not done once more: %s whose reviewer broke down', async (_, step) => {
    const world = createWorld({ play: broken });
    const first = await world.run(planOf([step, agentStep('last')]));
    expect(first.ended?.status).toBe('failed');
    expect(prompts(world)).toEqual(['do a', 'judge it']);
    const second = await rerun(world, planOf([step, agentStep('last')]), { play: player() });
    expect(second.state.ended?.status).toBe('passed');
    expect(prompts(second.world)).toEqual(['judge it', 'do last']);
  });

  it('is done once more where another gate has found fault with it', async () => {
    const step = agentStep('a', { gates: [bash('check'), validates('v', review())] });
    const world = createWorld({ play: broken, gate: () => false });
    await world.run(planOf([step]));
    const second = await rerun(world, planOf([step]), { play: player() });
    expect(prompts(second.world)).toEqual(['do a', 'judge it']);
  });
});

describe('a patch in a prompt', () => {
  it('is that of the step, also where the reviewer calls another workflow', async () => {
    const inner = calls('deep', [agentStep('deeper', { type: 'validate', prompt: 'judge [{diff}]' })]);
    const gate = validates('v', calls('validators/v', [callStep('inner', inner)]));
    const world = createWorld({ play: player() });
    await world.run(planOf([agentStep('a', { gates: [gate] })]));
    expect(prompts(world)[1]).toBe('judge [added a]');
  });
});

describe('`approve`', () => {
  it('may name a step of a workflow that judges', () => {
    const judge = agentStep('judge', { type: 'validate', prompt: 'judge' });
    const plan = planOf([agentStep('a', { gates: [validates('v', calls('validators/v', [judge]))] })], {
      approve: 'a/gate:v:1/judge',
    });
    expect(plan.approve).toBe('a/gate:v:1/judge');
  });

  it('may not name what no workflow has', () => {
    expect(() => planOf([agentStep('a')], { approve: 'a/gate:v:1/judge' })).toThrow(
      /no step `a\/gate:v:1\/judge`/,
    );
  });
});

describe('units of which one cannot go on', () => {
  it('are not retried for the sake of another that failed', async () => {
    const world = createWorld({
      play: (turn) =>
        turn.prompt.startsWith('do b') ? { failure: { kind: 'auth', message: 'no key' } } : {},
      gate: () => false,
    });
    const units = [agentStep('a', { gates: [bash('check')] }), agentStep('b')];
    const state = await world.run(planOf([groupStep('g', units, { parallel: true, retry: [exits(3)] })]));
    expect(world.calls).toHaveLength(2);
    expect(state.ended).toMatchObject({ status: 'failed', failedStep: 'g/b' });
  });
});
