import { describe, expect, it } from 'vitest';
import type { RetryEntry, Step } from '../../src/workflow/workflow.js';
import {
  agentStep,
  bash,
  callStep,
  calls,
  exits,
  gateStep,
  groupStep,
  planOf,
  retryAt,
  review,
  splitStep,
  validates,
} from '../fakes/plan.js';
import { prompts, rerun } from '../fakes/rerun.js';
import { createWorld, type Play, type Said, type World } from '../fakes/world.js';

/** Reviews say `verdicts` in turn, then `true`; all others write the file of their step. */
function player(verdicts: (boolean | Said)[] = []): Play {
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

const judged = (name = 'review', prompt = 'judge it', inputs: Readonly<Record<string, string>> = {}) =>
  validates(name, review(inputs, { prompt }));

const ends = (world: World, step: string) =>
  world.events.flatMap((event) => (event.type === 'attempt-ended' && event.step === step ? [event] : []));

describe('a gate that is a workflow', () => {
  it('passes the attempt or fails it, with its comments for the retry', async () => {
    const world = createWorld({ play: player([false]) });
    const impl = agentStep('impl', { gates: [judged()], retry: [exits(2)] });
    const state = await world.run(planOf([impl]));
    expect(prompts(world)).toEqual(['do impl', 'judge it', 'do impl', 'judge it']);
    expect(world.calls[2]?.prompt).toContain('comment 1');
    expect(world.calls[2]?.mode).toBe('resume');
    expect(ends(world, 'impl').map(({ status, failure }) => failure?.kind ?? status)).toEqual([
      'gate',
      'passed',
    ]);
    expect(state.ended?.status).toBe('passed');
  });

  it('begins in a fresh session each time', async () => {
    const world = createWorld({ play: player([false, false]) });
    await world.run(planOf([agentStep('impl', { gates: [judged()], retry: [exits(3)] })]));
    const reviews = world.calls.filter(({ prompt }) => prompt.startsWith('judge'));
    expect(reviews.map(({ mode }) => mode)).toEqual(['start', 'start', 'start']);
    expect(new Set(reviews.map(({ id }) => id)).size).toBe(3);
  });

  it('tells a later attempt what it said, by name', async () => {
    const retry = [
      retryAt(2, {
        prompt: '[{gate.review.comments}] [{gate.review}] [{error}] [{prev.gate.review.comments}]',
      }),
      exits(2),
    ];
    const world = createWorld({ play: player([false]) });
    await world.run(planOf([agentStep('impl', { gates: [judged()], retry })]));
    const [asked] = prompts(world).slice(2);
    expect(asked).toBe('[comment 1] [false] [gate review:');
    expect(world.calls[2]?.prompt).toContain('comment 1] [comment 1]');
  });

  it('is read by later steps', async () => {
    const world = createWorld({ play: player() });
    const last = agentStep('last', {
      prompt: '{impl.gate.review} {impl.gate.review.comments} {impl.check_result}',
    });
    await world.run(planOf([agentStep('impl', { gates: [judged()] }), last]));
    expect(prompts(world).at(-1)).toBe('true comment 1 pass');
  });

  it('sees the spec, and the work of the attempt that it judges, by default and by its inputs', async () => {
    const names = ['spec', 'diff', 'output', 'error'].map((name) => `<{${name}}>`).join('');
    const gates = [judged('plain', names), judged('told', '[{a}][{b}]', { a: '{diff}', b: '{error}' })];
    const world = createWorld({ play: player([false]) });
    await world.run(planOf([agentStep('impl', { gates, retry: [exits(2)] })], { spec: 'S' }));
    const reviews = world.calls.filter(({ prompt }) => prompt.includes('validate.json'));
    const texts = reviews.map(({ prompt }) => prompt.split('\n\n---')[0]);
    expect(texts).toEqual([
      '<S><added do-impl.txt><added do-impl.txt><>',
      '[added do-impl.txt][]',
      '<S><added do-impl.txt><added do-impl.txt><gate plain:\ncomment 1>',
      '[added do-impl.txt][gate plain:\ncomment 1]',
    ]);
  });

  it.each<[string, Step]>([
    ['a group', groupStep('g', [agentStep('a'), agentStep('b')], { gates: [judged('review', '<{diff}>')] })],
    [
      'a called workflow',
      callStep('g', calls('sub', [agentStep('a'), agentStep('b')]), {
        gates: [judged('review', '<{diff}>')],
      }),
    ],
    [
      'a parallel group',
      groupStep('g', [agentStep('a'), agentStep('b')], {
        parallel: true,
        gates: [judged('review', '<{diff}>')],
      }),
    ],
  ])('sees what %s has changed in all', async (_name, step) => {
    const world = createWorld({ play: player() });
    await world.run(planOf([agentStep('before'), step]));
    expect(world.calls.at(-1)?.prompt).toContain('<added do-a.txt\nadded do-b.txt>');
  });

  it('sees what a later round of a group has changed, not the one before', async () => {
    const play = player([false]);
    let round = 0;
    const world = createWorld({
      play: (turn, files) => {
        if (turn.prompt.startsWith('do a')) files.set(`round-${++round}`, 'x');
        return play(turn, files);
      },
    });
    const group = groupStep('g', [agentStep('a')], {
      gates: [judged('review', '<{diff}>')],
      retry: [exits(2)],
    });
    await world.run(planOf([group]));
    expect(world.calls.at(-1)?.prompt).toContain('round-2');
  });

  it('in a step of gates alone sees what the run has changed', async () => {
    const world = createWorld({ play: player() });
    await world.run(
      planOf([
        agentStep('a'),
        gateStep('check', [judged('review', '<{diff}>'), judged('told', '[{x}]', { x: '{diff}' })]),
      ]),
    );
    expect(world.calls[1]?.prompt).toContain('<added do-a.txt>');
    expect(world.calls[2]?.prompt).toContain('[added do-a.txt]');
  });

  it('sees the plan of a split, and judges it before its tasks run', async () => {
    const world = createWorld({
      play: (turn, files) =>
        turn.prompt.startsWith('plan') ? { output: '[{"name": "a"}]' } : player()(turn, files),
    });
    const split = splitStep('build', [agentStep('one')], { gates: [judged('review', '<{output}>')] });
    await world.run(planOf([split]));
    expect(prompts(world)).toEqual(['plan build', '<[{"name": "a"}]>', 'do one']);
  });

  it('runs in the order in which the gates stand, with commands before and after it', async () => {
    const order: string[] = [];
    const work = player();
    const world = createWorld({
      play: (turn, files) => {
        order.push(turn.prompt.split('\n')[0] ?? '');
        return work(turn, files);
      },
      gate: ({ name }) => {
        order.push(name);
        return name !== 'first';
      },
    });
    await world.run(planOf([agentStep('impl', { gates: [bash('first'), judged(), bash('second')] })]));
    expect(order).toEqual(['do impl', 'first', 'judge it', 'second']);
    expect(ends(world, 'impl')[0]?.gates.map(({ name }) => name)).toEqual(['first', 'review', 'second']);
  });

  it.each([
    ['crash', 2],
    ['auth', 1],
  ] as const)(
    'that goes wrong itself (%s) fails the attempt with that, not as a verdict',
    async (kind, attempts) => {
      const broken = { failure: { kind, message: 'gone' } };
      const world = createWorld({ play: player([broken, broken]) });
      const state = await world.run(planOf([agentStep('impl', { gates: [judged()], retry: [exits(2)] })]));
      expect(state.ended).toMatchObject({ status: 'failed', failedStep: 'impl' });
      expect(ends(world, 'impl').map(({ failure }) => failure?.kind)).toEqual(Array(attempts).fill(kind));
      expect(ends(world, 'impl')[0]?.failure?.message).toContain('review');
    },
  );

  it('that was cut off goes on in its session, and its step’s agent is not asked again', async () => {
    const world = createWorld({ play: player([{ crash: true }]) });
    const plan = planOf([agentStep('impl', { gates: [bash('first'), judged()] })]);
    await expect(world.run(plan)).rejects.toThrow();
    const next = await rerun(world, plan, { play: player() });
    expect(prompts(next.world)).toEqual(['judge it']);
    expect(next.world.calls[0]).toMatchObject({ mode: 'resume', id: world.calls[1]?.id });
    expect(next.world.calls[0]?.prompt).toContain('You were interrupted');
    expect(next.state.ended?.status).toBe('passed');
  });

  it('is not asked again about an attempt that it has judged', async () => {
    const last = agentStep('last', { gates: [bash('never')] });
    const world = createWorld({ play: player([false]), gate: () => false });
    const plan = planOf([agentStep('impl', { gates: [judged()], retry: [exits(2)] }), last]);
    expect((await world.run(plan)).ended).toMatchObject({ failedStep: 'last' });
    const next = await rerun(world, plan, { play: player() });
    expect(next.takeover.dropped).toEqual([]);
    expect(prompts(next.world)).toEqual(['do last']);
  });

  it('drops the step that it judges where it was changed since', async () => {
    const steps = (prompt: string) => [
      agentStep('impl', { gates: [judged('review', prompt)] }),
      agentStep('last', { gates: [bash('never')] }),
    ];
    const world = createWorld({ play: player(), gate: () => false });
    await world.run(planOf(steps('judge it')));
    const next = await rerun(world, planOf(steps('judge harder')), { play: player() });
    expect(next.takeover.dropped).toEqual(['impl', 'impl/gate:review:1', 'impl/gate:review:1/judge', 'last']);
    expect(next.takeover.reason).toBe('the definition of step `impl` changed');
  });

  it('leads to the same end, whatever prefix of the journal survived', async () => {
    const impl = agentStep('impl', { gates: [judged()], retry: [exits(2)] });
    const group = groupStep('g', [impl, agentStep('b')], { gates: [judged('all')] });
    await everyPrefix(planOf([group, agentStep('last')]), () => player([false]));
  });
});

async function everyPrefix(plan: ReturnType<typeof planOf>, play: () => Play): Promise<void> {
  const whole = createWorld({ play: play() });
  expect((await whole.run(plan)).ended?.status).toBe('passed');
  for (let length = 0; length <= whole.events.length; length += 1) {
    const before = { ...whole, events: whole.events.slice(0, length) };
    const next = await rerun(before, plan, { play: player(), sessions: whole });
    expect(next.takeover.dropped, `prefix ${length}`).toEqual([]);
    expect(next.state.ended?.status, `prefix ${length}`).toBe('passed');
    const recorded = before.events.filter(({ type }) => type === 'agent-ended').length;
    expect(next.world.calls.length, `prefix ${length}`).toBeLessThanOrEqual(whole.calls.length - recorded);
  }
}

describe('a workflow that a retry entry waits for', () => {
  const entry = (overrides: RetryEntry['overrides'], call = review()): RetryEntry => ({
    when: { validate: call },
    overrides,
  });

  it('is asked before each attempt but the first; what it sets stays once it has held', async () => {
    const world = createWorld({ play: player([false, true, false]), gate: () => false });
    const retry = [entry({ agent: 'claude-opus' }), exits(4)];
    await world.run(planOf([agentStep('impl', { gates: [bash('check')], retry })]));
    expect(world.calls.map(({ agent, prompt }) => `${agent} ${prompt.split('\n')[0]}`)).toEqual([
      'claude-haiku do impl',
      'claude-haiku judge it',
      'claude-haiku do impl',
      'claude-haiku judge it',
      'claude-opus do impl',
      'claude-haiku judge it',
      'claude-opus do impl',
    ]);
  });

  it('reads why the attempt failed, and what it had changed', async () => {
    const world = createWorld({ play: player(), gate: () => false });
    const call = review({ told: '{error}' }, { prompt: '<{told}> <{error}> <{diff}>' });
    await world.run(
      planOf([agentStep('impl', { gates: [bash('check')], retry: [entry({}, call), exits(2)] })]),
    );
    expect(world.calls[1]?.prompt).toContain(
      '<gate check:\ncheck says no> <gate check:\ncheck says no> <added do-impl.txt>',
    );
  });

  it('is asked once for an attempt, also where that was cut off', async () => {
    let turns = 0;
    const plan = planOf([
      agentStep('impl', { gates: [bash('check')], retry: [entry({ agent: 'claude-opus' }), exits(2)] }),
    ]);
    const work = player();
    const world = createWorld({
      play: (turn, files) => (++turns === 3 ? { crash: true } : work(turn, files)),
      gate: () => false,
    });
    await expect(world.run(plan)).rejects.toThrow();
    const next = await rerun(world, plan, { play: player() });
    expect(next.world.calls.map(({ agent, mode }) => `${agent} ${mode}`)).toEqual(['claude-opus resume']);
  });

  it('ends the step where it goes wrong itself: nobody knows how to go on', async () => {
    const broken = { failure: { kind: 'crash' as const, message: 'gone' } };
    const world = createWorld({ play: player([broken]), gate: () => false });
    const retry = [entry({ agent: 'claude-opus' }), exits(4)];
    const state = await world.run(planOf([agentStep('impl', { gates: [bash('check')], retry })]));
    expect(prompts(world)).toEqual(['do impl', 'judge it']);
    expect(state.steps.get('impl')?.attempts.at(-1)?.failure?.message).toContain('has no answer');
    expect(state.ended?.status).toBe('failed');
  });

  it('speaks for the rounds of a group too', async () => {
    const world = createWorld({ play: player([true]), gate: () => false });
    const retry = [entry({ session: 'new' }), exits(2)];
    await world.run(planOf([groupStep('g', [agentStep('a')], { gates: [bash('check')], retry })]));
    expect(prompts(world)).toEqual(['do a', 'judge it', 'do a']);
    expect(world.calls[2]?.mode).toBe('start');
  });

  it('keeps its place in the order of the steps, so that a re-run takes all over', async () => {
    const b = agentStep('b', { gates: [bash('twice')] });
    let turns = 0;
    const gate = ({ name }: { readonly name: string }) => name === 'twice' && turns >= 2;
    const world = createWorld({
      play: (turn, files) => {
        if (turn.prompt.startsWith('do b')) turns += 1;
        return player()(turn, files);
      },
      gate,
    });
    const group = groupStep('g', [agentStep('a'), b, agentStep('c')], { retry: [entry({}), exits(2)] });
    const plan = planOf([group, agentStep('last', { gates: [bash('never')] })]);
    expect((await world.run(plan)).ended).toMatchObject({ failedStep: 'last' });
    const next = await rerun(world, plan, { play: player() });
    expect(next.takeover.dropped).toEqual([]);
    expect(prompts(next.world)).toEqual(['do last']);
  });

  it('leads to the same end, whatever prefix of the journal survived', async () => {
    const impl = agentStep('impl', { gates: [judged()], retry: [entry({ prompt: 'mend' }), exits(2)] });
    await everyPrefix(planOf([impl, agentStep('last')]), () => player([false]));
  });
});

describe('a workflow that gets something', () => {
  const arch = (told: Parameters<typeof agentStep>[1] = {}) =>
    calls('team/arch', [agentStep('look', { type: 'artifact', prompt: 'look at {about}', ...told })], {
      about: '{spec}',
    });

  it('runs before the agent, which reads what it brought forth', async () => {
    const world = createWorld({ play: player() });
    const impl = agentStep('impl', {
      get: arch(),
      prompt: '{arch.output}; {arch.look.output}; {arch.state.look.output}',
    });
    await world.run(planOf([impl], { spec: 'S' }));
    expect(prompts(world)).toEqual(['look at S', 'text of look at S; text of look at S; text of look at S']);
  });

  it('runs again before each attempt', async () => {
    const world = createWorld({ play: player(), gate: () => false });
    await world.run(planOf([agentStep('impl', { get: arch(), gates: [bash('check')], retry: [exits(2)] })]));
    expect(prompts(world)).toEqual(['look at', 'do impl', 'look at', 'do impl']);
  });

  it('that fails, fails the attempt, and the next one has it run again', async () => {
    let looks = 0;
    const world = createWorld({
      play: (turn, files) => {
        if (turn.prompt.startsWith('look') && ++looks === 1) return {};
        return player()(turn, files);
      },
    });
    const state = await world.run(
      planOf([agentStep('impl', { get: arch(), retry: [exits(2)] })], { spec: 'S' }),
    );
    expect(prompts(world)).toEqual(['look at S', 'look at S', 'do impl']);
    expect(ends(world, 'impl').map(({ failure }) => failure?.message ?? '')).toEqual([
      expect.stringContaining('team/arch'),
      '',
    ]);
    expect(state.ended?.status).toBe('passed');
  });

  it('leads to the same end, whatever prefix of the journal survived', async () => {
    const impl = agentStep('impl', { get: arch(), gates: [judged()], retry: [exits(2)] });
    await everyPrefix(planOf([impl, agentStep('last')], { spec: 'S' }), () => player([false]));
  });
});
