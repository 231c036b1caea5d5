/** What a re-run reuses of steps that contain others: parallel branches, groups, calls, validators. */
import { describe, expect, it } from 'vitest';
import type { Step } from '../../src/workflow/workflow.js';
import { createEngineHarness, type EngineHarness, type FakeAgent } from '../fakes/engine-harness.js';
import {
  agentStep,
  bashGate,
  callOf,
  callStep,
  exitAfter,
  groupStep,
  parallelSplit,
  planOf,
  reviewCall,
  splitStep,
  validateGate,
} from '../fakes/plan.js';
import { firstPromptLines, rerun } from '../fakes/rerun.js';

const runAgent: FakeAgent = (turn, files) => {
  const line = turn.prompt.split('\n')[0] ?? '';
  if (turn.prompt.includes('plan.json')) return { output: '[{"name": "a"}, {"name": "b"}]' };
  if (turn.prompt.includes('validate.json')) return { output: '{"pass": true}' };
  files.set(`${line}${turn.directory}`, 'x');
  return {};
};

const failingLast = agentStep('last', { gates: [bashGate('never')] });
const last = agentStep('last');
const gate = ({ name }: { readonly name: string }) => name !== 'never';

/** A run of these steps in which only the step `last` failed. */
async function runUntilLast(
  steps: readonly Step[],
  inputs: Parameters<typeof planOf>[1] = {},
): Promise<EngineHarness> {
  const harness = createEngineHarness({ runAgent, passesGate: gate });
  const state = await harness.run(planOf([...steps, failingLast], inputs));
  expect(state.runEnded).toMatchObject({ status: 'failed', failedStep: 'last' });
  return harness;
}

async function rerunSteps(
  previous: EngineHarness,
  steps: readonly Step[],
  inputs: Parameters<typeof planOf>[1] = {},
) {
  const { reuse, state, harness } = await rerun(previous, planOf([...steps, last], inputs), {
    runAgent,
    passesGate: gate,
  });
  expect(state.runEnded?.status).toBe('passed');
  return { reuse, sent: firstPromptLines(harness), files: harness.files, state };
}

const each = (impl: Parameters<typeof agentStep>[1] = {}) => [
  agentStep('tests', { prompt: 'tests {task.name}' }),
  agentStep('impl', { prompt: 'impl {task.name}', ...impl }),
];

describe('parallel branches', () => {
  const steps = [agentStep('first'), parallelSplit('build', each())];

  it('drop a changed step and the steps that depend on it, each branch independently', async () => {
    const harness = await runUntilLast([
      groupStep('g', [agentStep('x'), agentStep('y')], { parallel: true }),
    ]);
    const changed = groupStep('g', [agentStep('x'), agentStep('y', { prompt: 'do y well' })], {
      parallel: true,
    });
    const { reuse, sent, files } = await rerunSteps(harness, [changed]);
    expect(reuse).toEqual({ dropped: ['g/y', 'last'], reason: 'the definition of step `g/y` changed' });
    expect(sent).toEqual(['do y well', 'do last']);
    // The files of the dropped branch are gone.
    expect([...files.keys()].toSorted()).toEqual([
      'do last/work',
      'do x/branches/g/x/',
      'do y well/branches/g/y/',
    ]);
  });

  it('all run again from the changed step of `each`', async () => {
    const harness = await runUntilLast(steps);
    const { reuse, sent } = await rerunSteps(harness, [
      agentStep('first'),
      parallelSplit('build', each({ prompt: 'impl {task.name} well' })),
    ]);
    expect(reuse.dropped).toEqual(['build/a/impl', 'build/b/impl', 'last']);
    expect(sent.toSorted()).toEqual(['do last', 'impl a well', 'impl b well']);
  });

  it('run again from the middle of one of them with `from-step`', async () => {
    const harness = await runUntilLast(steps);
    const { reuse, sent } = await rerunSteps(harness, steps, { fromStep: 'build/a/impl' });
    expect(reuse.dropped).toEqual(['build/a/impl', 'last']);
    expect(sent).toEqual(['impl a', 'do last']);
  });

  it('start over if the split or a step before it changed', async () => {
    const harness = await runUntilLast(steps);
    const split = await rerunSteps(harness, steps, { fromStep: 'build' });
    expect(split.reuse.dropped).not.toContain('first');
    expect(split.sent[0]).toBe('plan build');
    expect(split.sent).toHaveLength(6);
    const before = await rerunSteps(await runUntilLast(steps), [
      agentStep('first', { prompt: 'other' }),
      steps[1] ?? last,
    ]);
    expect(before.sent).toHaveLength(7);
  });

  it('keep the branches inside a branch whose sibling changed', async () => {
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
    const harness = await runUntilLast(nested('after'));
    const { reuse, sent } = await rerunSteps(harness, nested('after all'));
    expect(reuse.dropped).toEqual(['g/x/after', 'last']);
    expect(sent).toEqual(['after all', 'do last']);
  });

  it('do not change if only `max_parallel` changed', async () => {
    const harness = await runUntilLast(steps);
    const { reuse } = await rerunSteps(harness, [
      agentStep('first'),
      parallelSplit('build', each(), { maxParallel: 1, files: 'fail' }),
    ]);
    expect(reuse.dropped).toEqual([]);
  });

  it('are dropped if the step no longer runs them in parallel', async () => {
    const harness = await runUntilLast(steps);
    const { reuse, sent } = await rerunSteps(harness, [agentStep('first'), splitStep('build', each())]);
    expect(reuse.dropped).toContain('build');
    expect(sent).toHaveLength(6);
  });
});

describe('groups and calls', () => {
  const inner = [agentStep('a', { prompt: 'a {colour} {spec}' }), agentStep('b')];

  it.each<[string, Step, Step, readonly string[]]>([
    [
      'a gate of a group',
      groupStep('g', inner, { gates: [bashGate('one')] }),
      groupStep('g', inner, { gates: [bashGate('two')] }),
      ['g', 'g/a', 'g/b'],
    ],
    [
      'a step in a group',
      groupStep('g', inner),
      groupStep('g', [inner[0] ?? last, agentStep('b', { prompt: 'x' })]),
      ['g/b'],
    ],
    [
      'the inputs of a call',
      callStep('g', callOf('sub', inner, { colour: 'red' })),
      callStep('g', callOf('sub', inner, { colour: 'blue' })),
      ['g', 'g/a', 'g/b'],
    ],
    [
      'a step of a called workflow',
      callStep('g', callOf('sub', inner)),
      callStep('g', callOf('sub', [inner[0] ?? last, agentStep('b', { prompt: 'x' })])),
      ['g/b'],
    ],
    [
      'the called workflow itself',
      callStep('g', callOf('sub', inner)),
      callStep('g', callOf('other', inner)),
      ['g', 'g/a', 'g/b'],
    ],
    [
      'a validator of a group',
      groupStep('g', inner, { gates: [validateGate('review', reviewCall({}, { prompt: 'one' }))] }),
      groupStep('g', inner, { gates: [validateGate('review', reviewCall({}, { prompt: 'two' }))] }),
      ['g', 'g/a', 'g/b', 'g/gate:review:1', 'g/gate:review:1/judge'],
    ],
    [
      'a `get` workflow',
      agentStep('g', { get: callOf('arch', [agentStep('look')]) }),
      agentStep('g', { get: callOf('arch', [agentStep('look', { prompt: 'look well' })]) }),
      ['g', 'g/get:arch:1', 'g/get:arch:1/look'],
    ],
    [
      'a retry entry',
      agentStep('g', { retry: [exitAfter(2)] }),
      agentStep('g', { retry: [{ when: { validate: reviewCall() }, overrides: {} }, exitAfter(2)] }),
      ['g'],
    ],
  ])('are dropped from the changed part on: %s', async (_what, before, after, dropped) => {
    const inputs = { spec: 'S', vars: { colour: 'green' } };
    const harness = await runUntilLast([agentStep('first'), before], inputs);
    const unchanged = await rerunSteps(harness, [agentStep('first'), before], inputs);
    expect(unchanged.reuse.dropped).toEqual([]);
    const { reuse } = await rerunSteps(harness, [agentStep('first'), after], inputs);
    expect(reuse.dropped).toEqual([...dropped, 'last']);
  });

  it.each<[string, Step, Parameters<typeof planOf>[1], readonly string[]]>([
    [
      'the spec, which an inner step reads',
      callStep('g', callOf('sub', inner)),
      { spec: 'T' },
      ['g/a', 'g/b'],
    ],
    [
      'the spec, if the call passes its own',
      callStep('g', callOf('sub', inner, { spec: 'own' })),
      { spec: 'T' },
      [],
    ],
    [
      'a variable that the call passes on',
      callStep('g', callOf('sub', inner, { colour: 'dark {colour}' })),
      { spec: 'S', vars: { colour: 'blue' } },
      ['g', 'g/a', 'g/b'],
    ],
    [
      'the agent of all steps',
      callStep('g', callOf('sub', inner)),
      { spec: 'S', agent: 'codex' },
      ['first', 'g', 'g/a', 'g/b'],
    ],
    [
      'the spec, which only a validator reads',
      agentStep('g', { gates: [validateGate('review', reviewCall({}, { prompt: '{spec}' }))] }),
      { spec: 'T' },
      ['g', 'g/gate:review:1', 'g/gate:review:1/judge'],
    ],
  ])('are dropped if an input changed: %s', async (_what, step, inputs, dropped) => {
    const vars = { colour: 'green' };
    const harness = await runUntilLast([agentStep('first'), step], { spec: 'S', vars });
    const { reuse } = await rerunSteps(harness, [agentStep('first'), step], { vars, ...inputs });
    expect(reuse.dropped.filter((one) => one !== 'last')).toEqual(dropped);
  });

  it.each([
    ['one after the other', splitStep],
    ['in parallel', parallelSplit],
  ])(
    'forget the tasks that a split, begun again by its group, does not plan any more: %s',
    async (_how, split) => {
      let plans = 0;
      const harness = createEngineHarness({
        runAgent: (turn, files) => {
          if (!turn.prompt.includes('plan.json')) return runAgent(turn, files);
          plans += 1;
          return { output: JSON.stringify([{ name: plans === 1 ? 'old' : 'new' }, { name: 'both' }]) };
        },
        passesGate: ({ name }) => name !== 'never' && plans === 2,
      });
      const steps = [
        groupStep('g', [split('build', each())], { gates: [bashGate('whole')], retry: [exitAfter(2)] }),
      ];
      const state = await harness.run(planOf([...steps, failingLast]));
      expect(state.runEnded).toMatchObject({ failedStep: 'last' });
      expect([...state.steps.keys()].filter((path) => path.includes('/old/'))).toEqual([]);
      const { reuse, sent } = await rerunSteps(harness, steps);
      expect(reuse.dropped).toEqual([]);
      expect(sent).toEqual(['do last']);
    },
  );
});
