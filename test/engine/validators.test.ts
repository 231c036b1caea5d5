import { describe, expect, it } from 'vitest';
import type { RetryEntry, Step } from '../../src/workflow/workflow.js';
import {
  createEngineHarness,
  type EngineHarness,
  type FakeAgent,
  type FakeTurnResult,
} from '../fakes/engine-harness.js';
import {
  agentStep,
  bashGate,
  callOf,
  callStep,
  exitAfter,
  gateStep,
  groupStep,
  planOf,
  retryAtAttempt,
  reviewCall,
  splitStep,
  validateGate,
} from '../fakes/plan.js';
import { firstPromptLines, rerun } from '../fakes/rerun.js';

/** Reviews return `verdicts` one after the other, then `true`. Other steps write the file of their step. */
function createAgent(verdicts: (boolean | FakeTurnResult)[] = []): FakeAgent {
  let number = 0;
  return (turn, files) => {
    const line = turn.prompt.split('\n')[0] ?? '';
    if (turn.prompt.includes('validate.json')) {
      number += 1;
      const verdict = verdicts.shift() ?? true;
      if (typeof verdict === 'object') return verdict;
      return { output: JSON.stringify({ pass: verdict, comments: `comment ${number}` }) };
    }
    if (turn.prompt.includes('artifact.txt')) return { output: `text of ${line}` };
    files.set(`${line.replaceAll(/\W/g, '-')}.txt`, `${turn.earlier.length}`);
    return {};
  };
}

const reviewGate = (name = 'review', prompt = 'judge it', inputs: Readonly<Record<string, string>> = {}) =>
  validateGate(name, reviewCall(inputs, { prompt }));

const attemptEnds = (harness: EngineHarness, step: string) =>
  harness.events.flatMap((event) => (event.type === 'attempt-ended' && event.step === step ? [event] : []));

describe('a gate that is a workflow', () => {
  it('passes the attempt or fails it, with its comments for the retry', async () => {
    const harness = createEngineHarness({ runAgent: createAgent([false]) });
    const impl = agentStep('impl', { gates: [reviewGate()], retry: [exitAfter(2)] });
    const state = await harness.run(planOf([impl]));
    expect(firstPromptLines(harness)).toEqual(['do impl', 'judge it', 'do impl', 'judge it']);
    expect(harness.calls[2]?.prompt).toContain('comment 1');
    expect(harness.calls[2]?.mode).toBe('resume');
    expect(attemptEnds(harness, 'impl').map(({ status, failure }) => failure?.kind ?? status)).toEqual([
      'gate',
      'passed',
    ]);
    expect(state.runEnded?.status).toBe('passed');
  });

  it('starts in a fresh session each time', async () => {
    const harness = createEngineHarness({ runAgent: createAgent([false, false]) });
    await harness.run(planOf([agentStep('impl', { gates: [reviewGate()], retry: [exitAfter(3)] })]));
    const reviews = harness.calls.filter(({ prompt }) => prompt.startsWith('judge'));
    expect(reviews.map(({ mode }) => mode)).toEqual(['start', 'start', 'start']);
    expect(new Set(reviews.map(({ sessionId }) => sessionId)).size).toBe(3);
  });

  it('passes its comments to a later attempt, by name', async () => {
    const retry = [
      retryAtAttempt(2, {
        prompt: '[{gate.review.comments}] [{gate.review}] [{error}] [{prev.gate.review.comments}]',
      }),
      exitAfter(2),
    ];
    const harness = createEngineHarness({ runAgent: createAgent([false]) });
    await harness.run(planOf([agentStep('impl', { gates: [reviewGate()], retry })]));
    const [requested] = firstPromptLines(harness).slice(2);
    expect(requested).toBe('[comment 1] [false] [gate review:');
    expect(harness.calls[2]?.prompt).toContain('comment 1] [comment 1]');
  });

  it('is read by later steps', async () => {
    const harness = createEngineHarness({ runAgent: createAgent() });
    const last = agentStep('last', {
      prompt: '{impl.gate.review} {impl.gate.review.comments} {impl.check_result}',
    });
    await harness.run(planOf([agentStep('impl', { gates: [reviewGate()] }), last]));
    expect(firstPromptLines(harness).at(-1)).toBe('true comment 1 pass');
  });

  it('sees the spec and the work of the judged attempt, by default and by its inputs', async () => {
    const names = ['spec', 'diff', 'output', 'error'].map((name) => `<{${name}}>`).join('');
    const gates = [
      reviewGate('plain', names),
      reviewGate('given', '[{a}][{b}]', { a: '{diff}', b: '{error}' }),
    ];
    const harness = createEngineHarness({ runAgent: createAgent([false]) });
    await harness.run(planOf([agentStep('impl', { gates, retry: [exitAfter(2)] })], { spec: 'S' }));
    const reviews = harness.calls.filter(({ prompt }) => prompt.includes('validate.json'));
    const texts = reviews.map(({ prompt }) => prompt.split('\n\n---')[0]);
    expect(texts).toEqual([
      '<S><added do-impl.txt><added do-impl.txt><>',
      '[added do-impl.txt][]',
      '<S><added do-impl.txt><added do-impl.txt><gate plain:\ncomment 1>',
      '[added do-impl.txt][gate plain:\ncomment 1]',
    ]);
  });

  it.each<[string, Step]>([
    [
      'a group',
      groupStep('g', [agentStep('a'), agentStep('b')], { gates: [reviewGate('review', '<{diff}>')] }),
    ],
    [
      'a called workflow',
      callStep('g', callOf('sub', [agentStep('a'), agentStep('b')]), {
        gates: [reviewGate('review', '<{diff}>')],
      }),
    ],
    [
      'a parallel group',
      groupStep('g', [agentStep('a'), agentStep('b')], {
        parallel: true,
        gates: [reviewGate('review', '<{diff}>')],
      }),
    ],
  ])('sees all changes of %s', async (_name, step) => {
    const harness = createEngineHarness({ runAgent: createAgent() });
    await harness.run(planOf([agentStep('before'), step]));
    expect(harness.calls.at(-1)?.prompt).toContain('<added do-a.txt\nadded do-b.txt>');
  });

  it('sees the changes of the later round of a group, not of the one before', async () => {
    const runAgent = createAgent([false]);
    let round = 0;
    const harness = createEngineHarness({
      runAgent: (turn, files) => {
        if (turn.prompt.startsWith('do a')) files.set(`round-${++round}`, 'x');
        return runAgent(turn, files);
      },
    });
    const group = groupStep('g', [agentStep('a')], {
      gates: [reviewGate('review', '<{diff}>')],
      retry: [exitAfter(2)],
    });
    await harness.run(planOf([group]));
    expect(harness.calls.at(-1)?.prompt).toContain('round-2');
  });

  it('in a step with only gates sees the changes of the run', async () => {
    const harness = createEngineHarness({ runAgent: createAgent() });
    await harness.run(
      planOf([
        agentStep('a'),
        gateStep('check', [reviewGate('review', '<{diff}>'), reviewGate('given', '[{x}]', { x: '{diff}' })]),
      ]),
    );
    expect(harness.calls[1]?.prompt).toContain('<added do-a.txt>');
    expect(harness.calls[2]?.prompt).toContain('[added do-a.txt]');
  });

  it('sees the plan of a split, and judges it before its tasks run', async () => {
    const harness = createEngineHarness({
      runAgent: (turn, files) =>
        turn.prompt.startsWith('plan') ? { output: '[{"name": "a"}]' } : createAgent()(turn, files),
    });
    const split = splitStep('build', [agentStep('one')], { gates: [reviewGate('review', '<{output}>')] });
    await harness.run(planOf([split]));
    expect(firstPromptLines(harness)).toEqual(['plan build', '<[{"name": "a"}]>', 'do one']);
  });

  it('runs in the order of the gates, with commands before and after it', async () => {
    const order: string[] = [];
    const work = createAgent();
    const harness = createEngineHarness({
      runAgent: (turn, files) => {
        order.push(turn.prompt.split('\n')[0] ?? '');
        return work(turn, files);
      },
      passesGate: ({ name }) => {
        order.push(name);
        return name !== 'first';
      },
    });
    await harness.run(
      planOf([agentStep('impl', { gates: [bashGate('first'), reviewGate(), bashGate('second')] })]),
    );
    expect(order).toEqual(['do impl', 'first', 'judge it', 'second']);
    expect(attemptEnds(harness, 'impl')[0]?.gates.map(({ name }) => name)).toEqual([
      'first',
      'review',
      'second',
    ]);
  });

  it.each([
    ['crash', 2],
    ['auth', 1],
  ] as const)(
    'that fails itself (%s) fails the attempt with that failure, not with a verdict',
    async (kind, attempts) => {
      const broken = { failure: { kind, message: 'gone' } };
      const harness = createEngineHarness({ runAgent: createAgent([broken, broken]) });
      const state = await harness.run(
        planOf([agentStep('impl', { gates: [reviewGate()], retry: [exitAfter(2)] })]),
      );
      expect(state.runEnded).toMatchObject({ status: 'failed', failedStep: 'impl' });
      expect(attemptEnds(harness, 'impl').map(({ failure }) => failure?.kind)).toEqual(
        Array(attempts).fill(kind),
      );
      expect(attemptEnds(harness, 'impl')[0]?.failure?.message).toContain('review');
    },
  );

  it('resumes its session after an interruption, and the agent of its step does not run again', async () => {
    const harness = createEngineHarness({ runAgent: createAgent([{ crash: true }]) });
    const plan = planOf([agentStep('impl', { gates: [bashGate('first'), reviewGate()] })]);
    await expect(harness.run(plan)).rejects.toThrow();
    const next = await rerun(harness, plan, { runAgent: createAgent() });
    expect(firstPromptLines(next.harness)).toEqual(['judge it']);
    expect(next.harness.calls[0]).toMatchObject({ mode: 'resume', sessionId: harness.calls[1]?.sessionId });
    expect(next.harness.calls[0]?.prompt).toContain('You were interrupted');
    expect(next.state.runEnded?.status).toBe('passed');
  });

  it('does not run again for an attempt that it has judged', async () => {
    const last = agentStep('last', { gates: [bashGate('never')] });
    const harness = createEngineHarness({ runAgent: createAgent([false]), passesGate: () => false });
    const plan = planOf([agentStep('impl', { gates: [reviewGate()], retry: [exitAfter(2)] }), last]);
    expect((await harness.run(plan)).runEnded).toMatchObject({ failedStep: 'last' });
    const next = await rerun(harness, plan, { runAgent: createAgent() });
    expect(next.reuse.dropped).toEqual([]);
    expect(firstPromptLines(next.harness)).toEqual(['do last']);
  });

  it('drops the judged step if the validator changed since', async () => {
    const steps = (prompt: string) => [
      agentStep('impl', { gates: [reviewGate('review', prompt)] }),
      agentStep('last', { gates: [bashGate('never')] }),
    ];
    const harness = createEngineHarness({ runAgent: createAgent(), passesGate: () => false });
    await harness.run(planOf(steps('judge it')));
    const next = await rerun(harness, planOf(steps('judge harder')), { runAgent: createAgent() });
    expect(next.reuse.dropped).toEqual(['impl', 'impl/gate:review:1', 'impl/gate:review:1/judge', 'last']);
    expect(next.reuse.reason).toBe('the definition of step `impl` changed');
  });

  it('leads to the same end with any prefix of the journal', async () => {
    const impl = agentStep('impl', { gates: [reviewGate()], retry: [exitAfter(2)] });
    const group = groupStep('g', [impl, agentStep('b')], { gates: [reviewGate('all')] });
    await everyPrefix(planOf([group, agentStep('last')]), () => createAgent([false]));
  });
});

async function everyPrefix(plan: ReturnType<typeof planOf>, runAgent: () => FakeAgent): Promise<void> {
  const whole = createEngineHarness({ runAgent: runAgent() });
  expect((await whole.run(plan)).runEnded?.status).toBe('passed');
  for (let length = 0; length <= whole.events.length; length += 1) {
    const before = { ...whole, events: whole.events.slice(0, length) };
    const next = await rerun(before, plan, { runAgent: createAgent(), sessions: whole });
    expect(next.reuse.dropped, `prefix ${length}`).toEqual([]);
    expect(next.state.runEnded?.status, `prefix ${length}`).toBe('passed');
    const recorded = before.events.filter(({ type }) => type === 'agent-ended').length;
    expect(next.harness.calls.length, `prefix ${length}`).toBeLessThanOrEqual(whole.calls.length - recorded);
  }
}

describe('a workflow as a retry condition', () => {
  const entry = (overrides: RetryEntry['overrides'], call = reviewCall()): RetryEntry => ({
    when: { validate: call },
    overrides,
  });

  it('runs before each attempt except the first; its values stay after it passed once', async () => {
    const harness = createEngineHarness({
      runAgent: createAgent([false, true, false]),
      passesGate: () => false,
    });
    const retry = [entry({ agent: 'claude-opus' }), exitAfter(4)];
    await harness.run(planOf([agentStep('impl', { gates: [bashGate('check')], retry })]));
    expect(harness.calls.map(({ agent, prompt }) => `${agent} ${prompt.split('\n')[0]}`)).toEqual([
      'claude-haiku do impl',
      'claude-haiku judge it',
      'claude-haiku do impl',
      'claude-haiku judge it',
      'claude-opus do impl',
      'claude-haiku judge it',
      'claude-opus do impl',
    ]);
  });

  it('reads the error and the changes of the failed attempt', async () => {
    const harness = createEngineHarness({ runAgent: createAgent(), passesGate: () => false });
    const call = reviewCall({ given: '{error}' }, { prompt: '<{given}> <{error}> <{diff}>' });
    await harness.run(
      planOf([agentStep('impl', { gates: [bashGate('check')], retry: [entry({}, call), exitAfter(2)] })]),
    );
    expect(harness.calls[1]?.prompt).toContain(
      '<gate check:\ncheck says no> <gate check:\ncheck says no> <added do-impl.txt>',
    );
  });

  it('runs once for an attempt, also if the attempt was interrupted', async () => {
    let turns = 0;
    const plan = planOf([
      agentStep('impl', {
        gates: [bashGate('check')],
        retry: [entry({ agent: 'claude-opus' }), exitAfter(2)],
      }),
    ]);
    const work = createAgent();
    const harness = createEngineHarness({
      runAgent: (turn, files) => (++turns === 3 ? { crash: true } : work(turn, files)),
      passesGate: () => false,
    });
    await expect(harness.run(plan)).rejects.toThrow();
    const next = await rerun(harness, plan, { runAgent: createAgent() });
    expect(next.harness.calls.map(({ agent, mode }) => `${agent} ${mode}`)).toEqual(['claude-opus resume']);
  });

  it('ends the step if it fails itself: the next attempt is undefined', async () => {
    const broken = { failure: { kind: 'crash' as const, message: 'gone' } };
    const harness = createEngineHarness({ runAgent: createAgent([broken]), passesGate: () => false });
    const retry = [entry({ agent: 'claude-opus' }), exitAfter(4)];
    const state = await harness.run(planOf([agentStep('impl', { gates: [bashGate('check')], retry })]));
    expect(firstPromptLines(harness)).toEqual(['do impl', 'judge it']);
    expect(state.steps.get('impl')?.attempts.at(-1)?.failure?.message).toContain('gave no verdict');
    expect(state.runEnded?.status).toBe('failed');
  });

  it('also applies to the rounds of a group', async () => {
    const harness = createEngineHarness({ runAgent: createAgent([true]), passesGate: () => false });
    const retry = [entry({ session: 'new' }), exitAfter(2)];
    await harness.run(planOf([groupStep('g', [agentStep('a')], { gates: [bashGate('check')], retry })]));
    expect(firstPromptLines(harness)).toEqual(['do a', 'judge it', 'do a']);
    expect(harness.calls[2]?.mode).toBe('start');
  });

  it('keeps its position in the order of the steps, so that a re-run reuses all results', async () => {
    const b = agentStep('b', { gates: [bashGate('twice')] });
    let turns = 0;
    const gate = ({ name }: { readonly name: string }) => name === 'twice' && turns >= 2;
    const harness = createEngineHarness({
      runAgent: (turn, files) => {
        if (turn.prompt.startsWith('do b')) turns += 1;
        return createAgent()(turn, files);
      },
      passesGate: gate,
    });
    const group = groupStep('g', [agentStep('a'), b, agentStep('c')], { retry: [entry({}), exitAfter(2)] });
    const plan = planOf([group, agentStep('last', { gates: [bashGate('never')] })]);
    expect((await harness.run(plan)).runEnded).toMatchObject({ failedStep: 'last' });
    const next = await rerun(harness, plan, { runAgent: createAgent() });
    expect(next.reuse.dropped).toEqual([]);
    expect(firstPromptLines(next.harness)).toEqual(['do last']);
  });

  it('leads to the same end with any prefix of the journal', async () => {
    const impl = agentStep('impl', {
      gates: [reviewGate()],
      retry: [entry({ prompt: 'fix' }), exitAfter(2)],
    });
    await everyPrefix(planOf([impl, agentStep('last')]), () => createAgent([false]));
  });
});

describe('a `get` workflow', () => {
  const arch = (reported: Parameters<typeof agentStep>[1] = {}) =>
    callOf('team/arch', [agentStep('look', { type: 'artifact', prompt: 'look at {about}', ...reported })], {
      about: '{spec}',
    });

  it('runs before the agent, which reads its results', async () => {
    const harness = createEngineHarness({ runAgent: createAgent() });
    const impl = agentStep('impl', {
      get: arch(),
      prompt: '{arch.output}; {arch.look.output}; {arch.state.look.output}',
    });
    await harness.run(planOf([impl], { spec: 'S' }));
    expect(firstPromptLines(harness)).toEqual([
      'look at S',
      'text of look at S; text of look at S; text of look at S',
    ]);
  });

  it('runs again before each attempt', async () => {
    const harness = createEngineHarness({ runAgent: createAgent(), passesGate: () => false });
    await harness.run(
      planOf([agentStep('impl', { get: arch(), gates: [bashGate('check')], retry: [exitAfter(2)] })]),
    );
    expect(firstPromptLines(harness)).toEqual(['look at', 'do impl', 'look at', 'do impl']);
  });

  it('fails the attempt if it fails, and runs again before the next one', async () => {
    let looks = 0;
    const harness = createEngineHarness({
      runAgent: (turn, files) => {
        if (turn.prompt.startsWith('look') && ++looks === 1) return {};
        return createAgent()(turn, files);
      },
    });
    const state = await harness.run(
      planOf([agentStep('impl', { get: arch(), retry: [exitAfter(2)] })], { spec: 'S' }),
    );
    expect(firstPromptLines(harness)).toEqual(['look at S', 'look at S', 'do impl']);
    expect(attemptEnds(harness, 'impl').map(({ failure }) => failure?.message ?? '')).toEqual([
      expect.stringContaining('team/arch'),
      '',
    ]);
    expect(state.runEnded?.status).toBe('passed');
  });

  it('leads to the same end with any prefix of the journal', async () => {
    const impl = agentStep('impl', { get: arch(), gates: [reviewGate()], retry: [exitAfter(2)] });
    await everyPrefix(planOf([impl, agentStep('last')], { spec: 'S' }), () => createAgent([false]));
  });
});
