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
  validates,
} from '../fakes/plan.js';
import { prompts, rerun } from '../fakes/rerun.js';
import { createWorld, type Play } from '../fakes/world.js';

const says = (name: string, prompt: string, told: Parameters<typeof agentStep>[1] = {}) =>
  agentStep(name, { prompt, ...told });

/** Artifacts answer with their first line, reviews with the comments `fine`; all else changes a file. */
const player: Play = (turn, files) => {
  const line = turn.prompt.split('\n')[0] ?? '';
  if (turn.prompt.includes('artifact.txt')) return { output: `text of ${line}`, usage: { costUsd: 0.25 } };
  if (turn.prompt.includes('validate.json')) return { output: '{"pass": true, "comments": "fine"}' };
  files.set(`${line}.txt`, 'x');
  return { usage: { costUsd: 0.5, turns: 2 } };
};

async function sent(steps: readonly Step[], inputs: Parameters<typeof planOf>[1] = {}) {
  const world = createWorld({ play: player });
  const state = await world.run(planOf(steps, inputs));
  expect(state.ended?.status).toBe('passed');
  return prompts(world);
}

describe('a step that is a workflow', () => {
  it('runs the steps of it under its path, one after the other', async () => {
    const world = createWorld({ play: player });
    const state = await world.run(
      planOf([callStep('sub', calls('sub', [agentStep('a'), agentStep('b')])), agentStep('last')]),
    );
    expect(prompts(world)).toEqual(['do a', 'do b', 'do last']);
    expect([...state.steps.keys()]).toEqual(['sub', 'sub/a', 'sub/b', 'last']);
  });

  it('sees only what it is given: no steps of its caller, and the inputs by name', async () => {
    const inner = [
      says('a', 'a [{plan.output}] [{told}] [{spec}]'),
      says('b', 'b {a.status} {vars_of_user}'),
    ];
    const plan = says('plan', 'make', { type: 'artifact' });
    expect(
      await sent([plan, callStep('sub', calls('sub', inner, { told: '<{plan.output}>' }))], {
        spec: 'the spec',
        vars: { vars_of_user: 'blue' },
      }),
    ).toEqual(['make', 'a [] [<text of make>] [the spec]', 'b pass blue']);
  });

  it('has a spec of its own where it is given one, and so have those that it calls', async () => {
    const deepest = [says('d', 'd {spec}')];
    const deep = [says('c', 'c {spec}'), callStep('deepest', calls('deepest', deepest))];
    const inner = [
      callStep('deep', calls('deep', deep)),
      callStep('own', calls('own', deepest, { spec: 'its own' })),
    ];
    const outer = callStep('sub', calls('sub', inner, { spec: 'part of {spec}' }));
    expect(await sent([outer, says('last', 'last {spec}')], { spec: 'all' })).toEqual([
      'c part of all',
      'd part of all',
      'd its own',
      'last all',
    ]);
  });

  it('can be given `error`, `diff` and `output` of its own', async () => {
    const inner = [says('a', '{error}/{diff}/{output}')];
    expect(
      await sent([callStep('sub', calls('sub', inner, { error: 'E', diff: 'D', output: 'O' }))]),
    ).toEqual(['E/D/O']);
  });

  it('never expands a value that it is given', async () => {
    const inner = [says('a', 'a {told}')];
    expect(
      await sent([callStep('sub', calls('sub', inner, { told: '{spec}' }))], { spec: '{told} {{x}}' }),
    ).toEqual(['a {told} {{x}}']);
  });

  it('is read by its caller: what its steps brought forth, and what it is in all', async () => {
    const inner = [
      agentStep('work'),
      says('text', 'write', { type: 'artifact' }),
      agentStep('check', { type: 'validate' }),
    ];
    const last = says(
      'last',
      '{sub.status} {sub.text.output} {sub.state.text.output} {sub/text.output} {sub.check.comments} {sub.output} {sub.comments} {sub.cost} {sub.work.turns}',
    );
    const all = await sent([callStep('sub', calls('sub', inner)), last]);
    expect(all.at(-1)).toBe('pass text of write text of write text of write fine true fine 0.75 2');
  });

  it('says what its last step says, also where a gate of it is a workflow', async () => {
    const inner = [says('text', 'write', { type: 'artifact' })];
    const sub = callStep('sub', calls('sub', inner), { gates: [validates('review', review())] });
    const all = await sent([sub, says('last', '{sub.output}|{sub.comments}|{sub.gate.review.comments}')]);
    expect(all.at(-1)).toBe('text of write||fine');
  });

  it('is read from within the task, the group or the unit that it stands in', async () => {
    const inner = [says('text', 'write {told}', { type: 'artifact' })];
    const each = [
      callStep('sub', calls('sub', inner, { told: '{task.name}' })),
      says('use', 'use {sub.text.output}'),
    ];
    const world = createWorld({
      play: (turn, files) =>
        turn.prompt.startsWith('plan') ? { output: '[{"name": "a"}, {"name": "b"}]' } : player(turn, files),
    });
    await world.run(planOf([parallelSplit('build', each)]));
    expect(prompts(world).toSorted()).toEqual([
      'plan build',
      'use text of write a',
      'use text of write b',
      'write a',
      'write b',
    ]);
  });

  it('keeps its sessions to itself, in both directions', async () => {
    const from = (step: string) => ({ session: { mode: 'from', step } as const });
    const world = createWorld({ play: player });
    await world.run(
      planOf([
        agentStep('before'),
        callStep('sub', calls('sub', [agentStep('in', from('before')), agentStep('next', from('in'))])),
        agentStep('after', from('in')),
      ]),
    );
    expect(world.calls.map(({ mode }) => mode)).toEqual(['start', 'start', 'resume', 'start']);
    expect(world.calls[2]?.id).toBe(world.calls[1]?.id);
  });

  it('goes by its own `session-match`', async () => {
    const pair = [
      agentStep('one'),
      agentStep('two', { agent: 'claude-opus', session: { mode: 'from', step: 'one' } }),
    ];
    const world = createWorld({ play: player });
    await world.run(
      planOf([
        callStep('wide', calls('wide', pair, {}, { sessionMatch: 'provider' })),
        callStep('narrow', calls('narrow', [groupStep('g', pair)])),
      ]),
    );
    expect(world.calls.map(({ mode }) => mode)).toEqual(['start', 'resume', 'start', 'start']);
  });

  it('is judged by gates of its own and runs again as `retry` says', async () => {
    let turns = 0;
    const world = createWorld({
      play: (turn, files) => {
        turns += 1;
        return player(turn, files);
      },
      gate: () => turns >= 4,
    });
    const sub = callStep('sub', calls('sub', [agentStep('a'), agentStep('b')], { why: '{error}' }), {
      gates: [bash('whole')],
      retry: [exits(2)],
    });
    const state = await world.run(planOf([sub]));
    expect(prompts(world)).toEqual(['do a', 'do b', 'do a', 'do b']);
    expect(world.calls.map(({ mode }) => mode)).toEqual(['start', 'start', 'resume', 'resume']);
    expect(world.calls[2]?.prompt).toContain('whole says no');
    expect(state.steps.get('sub')?.attempts.map(({ inputs }) => inputs?.why)).toEqual([
      '',
      'gate whole:\nwhole says no',
    ]);
  });

  it('is given the same, rendered once, when it goes on in a later job', async () => {
    let turns = 0;
    const steps = [
      says('plan', 'make', { type: 'artifact' }),
      callStep('sub', calls('sub', [agentStep('a'), says('b', 'b {told}')], { told: '{plan.output}' })),
    ];
    const world = createWorld({
      play: (turn, files) => (++turns === 3 ? { crash: true } : player(turn, files)),
    });
    await expect(world.run(planOf(steps))).rejects.toThrow();
    const next = await rerun(world, planOf(steps), { play: player });
    expect(prompts(next.world)).toEqual(['b text of make']);
    const inputs = next.state.steps.get('sub')?.attempts.map((attempt) => attempt.inputs);
    expect(inputs).toEqual([{ told: 'text of make' }, { told: 'text of make' }]);
  });

  it('fails with the step in it that failed, and a re-run goes on there', async () => {
    const steps = [
      callStep('sub', calls('sub', [agentStep('a'), agentStep('b', { gates: [bash('check')] })])),
      agentStep('last'),
    ];
    const world = createWorld({ play: player, gate: () => false });
    const state = await world.run(planOf(steps));
    expect(state.ended).toMatchObject({ status: 'failed', failedStep: 'sub/b' });
    expect(state.steps.get('sub')?.attempts[0]?.failure?.message).toContain('sub/b');
    const next = await rerun(world, planOf(steps), { play: player });
    expect(prompts(next.world)).toEqual(['do b', 'do last']);
    expect(next.world.calls[0]?.mode).toBe('resume');
  });

  it('is taken up in the middle by `from-step`, and stopped in by `until`', async () => {
    const steps = [callStep('sub', calls('sub', [agentStep('a'), agentStep('b')])), agentStep('last')];
    const world = createWorld({ play: player });
    await world.run(planOf(steps));
    const from = await rerun(world, planOf(steps, { fromStep: 'sub/b' }), { play: player });
    expect(prompts(from.world)).toEqual(['do b', 'do last']);
    const until = createWorld({ play: player });
    await until.run(planOf(steps, { until: 'sub/a' }));
    expect(prompts(until)).toEqual(['do a']);
    expect(prompts((await rerun(until, planOf(steps), { play: player })).world)).toEqual(['do b', 'do last']);
  });

  it('ends the same, whatever prefix of the journal survived', async () => {
    const steps = [
      callStep('sub', calls('sub', [agentStep('a'), groupStep('g', [agentStep('b')])]), {
        gates: [validates('review', review())],
      }),
      says('last', 'last {sub.status}'),
    ];
    const whole = createWorld({ play: player });
    await whole.run(planOf(steps));
    for (let length = 0; length <= whole.events.length; length += 1) {
      const before = { ...whole, events: whole.events.slice(0, length) };
      const next = await rerun(before, planOf(steps), { play: player, sessions: whole });
      expect(next.state.ended?.status, `prefix ${length}`).toBe('passed');
      expect(next.takeover.dropped, `prefix ${length}`).toEqual([]);
      const recorded = before.events.filter(({ type }) => type === 'agent-ended').length;
      expect(next.world.calls.length, `prefix ${length}`).toBeLessThanOrEqual(whole.calls.length - recorded);
    }
  });
});
