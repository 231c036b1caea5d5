/** Part of a step that contains others runs again: no result of the rest is lost or paid for again. */
import { describe, expect, it } from 'vitest';
import type { Step } from '../../src/workflow/workflow.js';
import { createEngineHarness, type FakeAgent } from '../fakes/engine-harness.js';
import {
  agentStep,
  bashGate,
  callOf,
  callStep,
  exitAfter,
  groupStep,
  parallelSplit,
  planOf,
  retryAtAttempt,
  reviewCall,
  validateGate,
} from '../fakes/plan.js';
import { firstPromptLines, rerun } from '../fakes/rerun.js';

const verdict = JSON.stringify({ pass: true, comments: '' });

/** Each agent writes a file named by the last word of its prompt; the files that it found are recorded. */
function createAgent(filesSeen: Record<string, string> = {}): FakeAgent {
  return (turn, files) => {
    const line = turn.prompt.split('\n')[0]?.trim() ?? '';
    if (line.startsWith('plan')) return { output: JSON.stringify([{ name: 'a' }, { name: 'b' }]) };
    if (line.startsWith('judge')) return { output: verdict };
    const name = line.split(' ').at(-1) ?? '';
    filesSeen[name] = [...files.keys()].sort().join();
    files.set(name, 'x');
    return {};
  };
}

const parallelGroup = (names: readonly string[], prompts: Record<string, string> = {}): Step =>
  groupStep(
    'g',
    names.map((name) => agentStep(name, prompts[name] === undefined ? {} : { prompt: prompts[name] })),
    { parallel: true },
  );

const impl = agentStep('impl', { prompt: 'impl {task.name}' });

describe('of parallel branches that had passed', () => {
  it.each<[string, readonly Step[], readonly Step[], string | undefined, readonly string[], string]>([
    [
      '`from-step` names one',
      [parallelGroup(['a', 'b', 'c'])],
      [parallelGroup(['a', 'b', 'c'])],
      'g/b',
      ['do b'],
      'a,b,c,last',
    ],
    [
      'one changed',
      [parallelGroup(['a', 'b', 'c'])],
      [parallelGroup(['a', 'b', 'c'], { b: 'do other' })],
      undefined,
      ['do other'],
      'a,c,last,other',
    ],
    [
      'one is new',
      [parallelGroup(['a', 'b'])],
      [parallelGroup(['a', 'b', 'c'])],
      undefined,
      ['do c'],
      'a,b,c,last',
    ],
    [
      '`from-step` names one in a called workflow',
      [callStep('c', callOf('side', [parallelSplit('build', [impl])]))],
      [callStep('c', callOf('side', [parallelSplit('build', [impl])]))],
      'c/build/b/impl',
      ['impl b'],
      'a,b,last',
    ],
    [
      'their tasks have a further step',
      [parallelSplit('build', [impl])],
      [parallelSplit('build', [impl, agentStep('docs', { prompt: 'docs of-{task.name}' })])],
      undefined,
      ['docs of-a', 'docs of-b'],
      'a,b,last,of-a,of-b',
    ],
  ])(
    '%s: only that one runs, and the files of all are present',
    async (_, before, now, fromStep, again, files) => {
      const harness = createEngineHarness({ runAgent: createAgent() });
      await harness.run(planOf([...before, agentStep('last')]));
      const named = fromStep === undefined ? {} : { fromStep };
      const second = await rerun(harness, planOf([...now, agentStep('last')], named), {
        runAgent: createAgent(),
      });
      expect(second.state.runEnded?.status).toBe('passed');
      expect(firstPromptLines(second.harness)).toEqual([...again, 'do last']);
      expect([...second.harness.files.keys()].sort().join()).toBe(files);
    },
  );
});

describe('of a sequential group that had passed', () => {
  it('a step named by `from-step` finds the files of the step before it', async () => {
    const steps = [groupStep('g', [agentStep('a'), agentStep('b')]), agentStep('last')];
    const harness = createEngineHarness({ runAgent: createAgent() });
    await harness.run(planOf(steps));
    const seen: Record<string, string> = {};
    await rerun(harness, planOf(steps, { fromStep: 'g/b' }), { runAgent: createAgent(seen) });
    expect(seen).toEqual({ b: 'a', last: 'a,b' });
  });
});

describe('a retry of parallel branches with `session: new`', () => {
  it('keeps their files, and does not run passed branches again', async () => {
    let tries = 0;
    const harness = createEngineHarness({
      runAgent(turn, files) {
        if (turn.prompt.startsWith('do a')) files.set('a', 'a');
        else files.set(`b${++tries}`, 'b');
        return {};
      },
      passesGate: () => tries > 1,
    });
    const branches = [agentStep('a'), agentStep('b', { gates: [bashGate('check')] })];
    const retry = [retryAtAttempt(2, { session: 'new' }), exitAfter(2)];
    await harness.run(planOf([groupStep('g', branches, { parallel: true, retry })]));
    expect(harness.calls.map(({ mode }) => mode)).toEqual(['start', 'start', 'start']);
    expect([...harness.files.keys()].sort()).toEqual(['a', 'b1', 'b2']);
  });
});

describe('an attempt without a verdict', () => {
  const broken: FakeAgent = (turn, files) =>
    turn.prompt.startsWith('judge')
      ? { failure: { kind: 'auth', message: 'no key' } }
      : createAgent()(turn, files);

  it.each<[string, Step]>([
    ['a step', agentStep('a', { gates: [validateGate('v', reviewCall())] })],
    ['a group', groupStep('g', [agentStep('a')], { gates: [validateGate('v', reviewCall())] })],
  ])('is judged in the re-run, and not repeated: %s whose reviewer crashed', async (_, step) => {
    const harness = createEngineHarness({ runAgent: broken });
    const first = await harness.run(planOf([step, agentStep('last')]));
    expect(first.runEnded?.status).toBe('failed');
    expect(firstPromptLines(harness)).toEqual(['do a', 'judge it']);
    const second = await rerun(harness, planOf([step, agentStep('last')]), { runAgent: createAgent() });
    expect(second.state.runEnded?.status).toBe('passed');
    expect(firstPromptLines(second.harness)).toEqual(['judge it', 'do last']);
  });

  it('is repeated if another gate failed', async () => {
    const step = agentStep('a', { gates: [bashGate('check'), validateGate('v', reviewCall())] });
    const harness = createEngineHarness({ runAgent: broken, passesGate: () => false });
    await harness.run(planOf([step]));
    const second = await rerun(harness, planOf([step]), { runAgent: createAgent() });
    expect(firstPromptLines(second.harness)).toEqual(['do a', 'judge it']);
  });
});

describe('a patch in a prompt', () => {
  it('is that of the step, also if the reviewer calls another workflow', async () => {
    const inner = callOf('deep', [agentStep('deeper', { type: 'validate', prompt: 'judge [{diff}]' })]);
    const gate = validateGate('v', callOf('validators/v', [callStep('inner', inner)]));
    const harness = createEngineHarness({ runAgent: createAgent() });
    await harness.run(planOf([agentStep('a', { gates: [gate] })]));
    expect(firstPromptLines(harness)[1]).toBe('judge [added a]');
  });
});

describe('`approve`', () => {
  it('may name a step of a validator workflow', () => {
    const judge = agentStep('judge', { type: 'validate', prompt: 'judge' });
    const plan = planOf([agentStep('a', { gates: [validateGate('v', callOf('validators/v', [judge]))] })], {
      approve: 'a/gate:v:1/judge',
    });
    expect(plan.approve).toBe('a/gate:v:1/judge');
  });

  it('must name a step of a workflow', () => {
    expect(() => planOf([agentStep('a')], { approve: 'a/gate:v:1/judge' })).toThrow(
      /no step `a\/gate:v:1\/judge`/,
    );
  });
});

describe('parallel branches of which one cannot continue', () => {
  it('are not retried because of another that failed', async () => {
    const harness = createEngineHarness({
      runAgent: (turn) =>
        turn.prompt.startsWith('do b') ? { failure: { kind: 'auth', message: 'no key' } } : {},
      passesGate: () => false,
    });
    const branches = [agentStep('a', { gates: [bashGate('check')] }), agentStep('b')];
    const state = await harness.run(
      planOf([groupStep('g', branches, { parallel: true, retry: [exitAfter(3)] })]),
    );
    expect(harness.calls).toHaveLength(2);
    expect(state.runEnded).toMatchObject({ status: 'failed', failedStep: 'g/b' });
  });
});
