/** What a re-run takes over of steps that hold others: units, groups, calls, validators. */
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
  review,
  splitStep,
  validates,
} from '../fakes/plan.js';
import { prompts, rerun } from '../fakes/rerun.js';
import { createWorld, type Play, type World } from '../fakes/world.js';

const play: Play = (turn, files) => {
  const line = turn.prompt.split('\n')[0] ?? '';
  if (turn.prompt.includes('plan.json')) return { output: '[{"name": "a"}, {"name": "b"}]' };
  if (turn.prompt.includes('validate.json')) return { output: '{"pass": true}' };
  files.set(`${line}${turn.directory}`, 'x');
  return {};
};

const never = agentStep('last', { gates: [bash('never')] });
const last = agentStep('last');
const gate = ({ name }: { readonly name: string }) => name !== 'never';

/** A run of these steps in which only `last` failed. */
async function recorded(steps: readonly Step[], inputs: Parameters<typeof planOf>[1] = {}): Promise<World> {
  const world = createWorld({ play, gate });
  const state = await world.run(planOf([...steps, never], inputs));
  expect(state.ended).toMatchObject({ status: 'failed', failedStep: 'last' });
  return world;
}

async function next(world: World, steps: readonly Step[], inputs: Parameters<typeof planOf>[1] = {}) {
  const {
    takeover,
    state,
    world: later,
  } = await rerun(world, planOf([...steps, last], inputs), { play, gate });
  expect(state.ended?.status).toBe('passed');
  return { takeover, sent: prompts(later), files: later.files, state };
}

const each = (impl: Parameters<typeof agentStep>[1] = {}) => [
  agentStep('tests', { prompt: 'tests {task.name}' }),
  agentStep('impl', { prompt: 'impl {task.name}', ...impl }),
];

describe('units', () => {
  const steps = [agentStep('first'), parallelSplit('build', each())];

  it('lose what was changed and what hangs on it, each for itself', async () => {
    const world = await recorded([groupStep('g', [agentStep('x'), agentStep('y')], { parallel: true })]);
    const changed = groupStep('g', [agentStep('x'), agentStep('y', { prompt: 'do y well' })], {
      parallel: true,
    });
    const { takeover, sent, files } = await next(world, [changed]);
    expect(takeover).toEqual({ dropped: ['g/y', 'last'], reason: 'the definition of step `g/y` changed' });
    expect(sent).toEqual(['do y well', 'do last']);
    // What the unit that was dropped had written is not there any more.
    expect([...files.keys()].toSorted()).toEqual(['do last/work', 'do x/units/g/x/', 'do y well/units/g/y/']);
  });

  it('are all taken up from a step of `each` that was changed', async () => {
    const world = await recorded(steps);
    const { takeover, sent } = await next(world, [
      agentStep('first'),
      parallelSplit('build', each({ prompt: 'impl {task.name} well' })),
    ]);
    expect(takeover.dropped).toEqual(['build/a/impl', 'build/b/impl', 'last']);
    expect(sent.toSorted()).toEqual(['do last', 'impl a well', 'impl b well']);
  });

  it('are taken up in the middle of one of them by `from-step`', async () => {
    const world = await recorded(steps);
    const { takeover, sent } = await next(world, steps, { fromStep: 'build/a/impl' });
    expect(takeover.dropped).toEqual(['build/a/impl', 'last']);
    expect(sent).toEqual(['impl a', 'do last']);
  });

  it('begin anew with the split, and with what comes before it', async () => {
    const world = await recorded(steps);
    const split = await next(world, steps, { fromStep: 'build' });
    expect(split.takeover.dropped).not.toContain('first');
    expect(split.sent[0]).toBe('plan build');
    expect(split.sent).toHaveLength(6);
    const before = await next(await recorded(steps), [
      agentStep('first', { prompt: 'other' }),
      steps[1] ?? last,
    ]);
    expect(before.sent).toHaveLength(7);
  });

  it('keep the units of a unit beside the one that changed', async () => {
    const nested = (prompt: string) => [
      groupStep(
        'g',
        [
          groupStep('x', [parallelSplit('inner', each()), agentStep('after', { prompt })]),
          groupStep('y', [splitStep('inner', each())]),
        ],
        { parallel: true },
      ),
    ];
    const world = await recorded(nested('after'));
    const { takeover, sent } = await next(world, nested('after all'));
    expect(takeover.dropped).toEqual(['g/x/after', 'last']);
    expect(sent).toEqual(['after all', 'do last']);
  });

  it('stay what they are where only how many run at once was changed', async () => {
    const world = await recorded(steps);
    const { takeover } = await next(world, [
      agentStep('first'),
      parallelSplit('build', each(), { maxParallel: 1, files: 'fail' }),
    ]);
    expect(takeover.dropped).toEqual([]);
  });

  it('are no units any more where the step does not run them side by side any longer', async () => {
    const world = await recorded(steps);
    const { takeover, sent } = await next(world, [agentStep('first'), splitStep('build', each())]);
    expect(takeover.dropped).toContain('build');
    expect(sent).toHaveLength(6);
  });
});

describe('groups and calls', () => {
  const inner = [agentStep('a', { prompt: 'a {colour} {spec}' }), agentStep('b')];

  it.each<[string, Step, Step, readonly string[]]>([
    [
      'a gate of a group',
      groupStep('g', inner, { gates: [bash('one')] }),
      groupStep('g', inner, { gates: [bash('two')] }),
      ['g', 'g/a', 'g/b'],
    ],
    [
      'a step in a group',
      groupStep('g', inner),
      groupStep('g', [inner[0] ?? last, agentStep('b', { prompt: 'x' })]),
      ['g/b'],
    ],
    [
      'what a call is given',
      callStep('g', calls('sub', inner, { colour: 'red' })),
      callStep('g', calls('sub', inner, { colour: 'blue' })),
      ['g', 'g/a', 'g/b'],
    ],
    [
      'a step of a called workflow',
      callStep('g', calls('sub', inner)),
      callStep('g', calls('sub', [inner[0] ?? last, agentStep('b', { prompt: 'x' })])),
      ['g/b'],
    ],
    [
      'another workflow that is called',
      callStep('g', calls('sub', inner)),
      callStep('g', calls('other', inner)),
      ['g', 'g/a', 'g/b'],
    ],
    [
      'a validator of a group',
      groupStep('g', inner, { gates: [validates('review', review({}, { prompt: 'one' }))] }),
      groupStep('g', inner, { gates: [validates('review', review({}, { prompt: 'two' }))] }),
      ['g', 'g/a', 'g/b', 'g/gate:review:1', 'g/gate:review:1/judge'],
    ],
    [
      'a workflow that gets something',
      agentStep('g', { get: calls('arch', [agentStep('look')]) }),
      agentStep('g', { get: calls('arch', [agentStep('look', { prompt: 'look well' })]) }),
      ['g', 'g/get:arch:1', 'g/get:arch:1/look'],
    ],
    [
      'a retry entry',
      agentStep('g', { retry: [exits(2)] }),
      agentStep('g', { retry: [{ when: { validate: review() }, overrides: {} }, exits(2)] }),
      ['g'],
    ],
  ])('are dropped from where %s was changed', async (_what, before, after, dropped) => {
    const inputs = { spec: 'S', vars: { colour: 'green' } };
    const world = await recorded([agentStep('first'), before], inputs);
    const unchanged = await next(world, [agentStep('first'), before], inputs);
    expect(unchanged.takeover.dropped).toEqual([]);
    const { takeover } = await next(world, [agentStep('first'), after], inputs);
    expect(takeover.dropped).toEqual([...dropped, 'last']);
  });

  it.each<[string, Step, Parameters<typeof planOf>[1], readonly string[]]>([
    ['the spec, which a step in it reads', callStep('g', calls('sub', inner)), { spec: 'T' }, ['g/a', 'g/b']],
    [
      'the spec, where the call has one of its own',
      callStep('g', calls('sub', inner, { spec: 'own' })),
      { spec: 'T' },
      [],
    ],
    [
      'a variable that the call passes on',
      callStep('g', calls('sub', inner, { colour: 'dark {colour}' })),
      { spec: 'S', vars: { colour: 'blue' } },
      ['g', 'g/a', 'g/b'],
    ],
    [
      'the agent of all',
      callStep('g', calls('sub', inner)),
      { spec: 'S', agent: 'codex' },
      ['first', 'g', 'g/a', 'g/b'],
    ],
    [
      'the spec, which only a validator reads',
      agentStep('g', { gates: [validates('review', review({}, { prompt: '{spec}' }))] }),
      { spec: 'T' },
      ['g', 'g/gate:review:1', 'g/gate:review:1/judge'],
    ],
  ])('are dropped where an input was changed: %s', async (_what, step, inputs, dropped) => {
    const vars = { colour: 'green' };
    const world = await recorded([agentStep('first'), step], { spec: 'S', vars });
    const { takeover } = await next(world, [agentStep('first'), step], { vars, ...inputs });
    expect(takeover.dropped.filter((one) => one !== 'last')).toEqual(dropped);
  });

  it.each([
    ['in turn', splitStep],
    ['side by side', parallelSplit],
  ])(
    'forget the tasks that a split, begun again by its group, does not plan any more: %s',
    async (_how, split) => {
      let plans = 0;
      const world = createWorld({
        play: (turn, files) => {
          if (!turn.prompt.includes('plan.json')) return play(turn, files);
          plans += 1;
          return { output: JSON.stringify([{ name: plans === 1 ? 'old' : 'new' }, { name: 'both' }]) };
        },
        gate: ({ name }) => name !== 'never' && plans === 2,
      });
      const steps = [groupStep('g', [split('build', each())], { gates: [bash('whole')], retry: [exits(2)] })];
      const state = await world.run(planOf([...steps, never]));
      expect(state.ended).toMatchObject({ failedStep: 'last' });
      expect([...state.steps.keys()].filter((path) => path.includes('/old/'))).toEqual([]);
      const { takeover, sent } = await next(world, steps);
      expect(takeover.dropped).toEqual([]);
      expect(sent).toEqual(['do last']);
    },
  );
});
