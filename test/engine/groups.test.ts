import { describe, expect, it } from 'vitest';
import type { JournalEvent } from '../../src/journal/event.js';
import { agentStep, bash, exits, gateStep, groupStep, planOf, retryAt } from '../fakes/plan.js';
import { prompts, rerun } from '../fakes/rerun.js';
import { createWorld, type Files, type Play, type World } from '../fakes/world.js';

const reasons = (events: readonly JournalEvent[]) =>
  events.flatMap((event) =>
    event.type === 'attempt-started' && event.session ? [`${event.step} ${event.session.reason}`] : [],
  );

/** Each turn adds a line to the file of its step. */
const writes: Play = (turn, files) => {
  const name = /^do (\w+)/.exec(turn.prompt)?.[1] ?? 'other';
  files.set(`${name}.txt`, `${files.get(`${name}.txt`) ?? ''}${name}\n`);
  return {};
};

/** How many lines the files have. */
const lines = (files: Files, name: string) => (files.get(`${name}.txt`) ?? '').split('\n').length - 1;

describe('a group whose steps run in turn', () => {
  const pair = [agentStep('a'), agentStep('b')];

  it('runs them in order, then its gates, then what comes after it', async () => {
    const order: string[] = [];
    const world = createWorld({
      play: (turn) => {
        order.push(turn.prompt.trim());
        return {};
      },
      gate: (gate) => {
        order.push(`gate ${gate.name}`);
        return true;
      },
    });
    const plan = planOf([groupStep('g', pair, { gates: [bash('whole')] }), agentStep('last')]);
    const state = await world.run(plan);
    expect(order).toEqual(['do a', 'do b', 'gate whole', 'do last']);
    expect([...state.steps.keys()]).toEqual(['g', 'g/a', 'g/b', 'last']);
    expect(state.steps.get('g')).toMatchObject({ status: 'passed' });
    expect(state.steps.get('g')?.attempts[0]?.gates).toMatchObject([{ name: 'whole', status: 'passed' }]);
  });

  it('leaves alone what has passed when a step in it fails, in the next round as in a re-run', async () => {
    const steps = [agentStep('a'), agentStep('b', { gates: [bash('b-twice')] }), agentStep('c')];
    const gate = (_gate: unknown, files: Files) => lines(files, 'b') >= 2;
    const world = createWorld({ play: writes, gate });
    const plan = planOf([groupStep('g', steps, { retry: [exits(2)] })]);
    const state = await world.run(plan);
    expect(prompts(world)).toEqual(['do a', 'do b', 'do b', 'do c']);
    expect(reasons(world.events)).toContain('g/b kept-on-retry');
    expect(state.steps.get('g')?.attempts.map(({ status }) => status)).toEqual(['failed', 'passed']);

    const once = planOf([groupStep('g', steps)]);
    const first = createWorld({ play: writes, gate });
    expect((await first.run(once)).ended).toMatchObject({ status: 'failed', failedStep: 'g/b' });
    const next = await rerun(first, once, { play: writes, gate });
    expect(prompts(next.world)).toEqual(['do b', 'do c']);
    expect(next.world.calls[0]).toMatchObject({ mode: 'resume', id: first.calls[1]?.id });
    expect(next.state.ended?.status).toBe('passed');
  });

  it('runs all of them once more where its own gates fail, in their sessions and told what was said', async () => {
    const gate = (_gate: unknown, files: Files) => lines(files, 'a') >= 2;
    const world = createWorld({ play: writes, gate });
    const plan = planOf([groupStep('g', pair, { gates: [bash('whole')], retry: [exits(2)] })]);
    const state = await world.run(plan);
    expect(prompts(world)).toEqual(['do a', 'do b', 'do a', 'do b']);
    const [a, b, again, onceMore] = world.calls;
    expect([again?.id, onceMore?.id]).toEqual([a?.id, b?.id]);
    for (const { prompt } of [again, onceMore].flatMap((call) => call ?? []))
      expect(prompt).toContain('whole says no');
    expect(state.ended?.status).toBe('passed');
  });

  it('runs all of them once more in a re-run where its own gates had failed for good', async () => {
    const gate = (_gate: unknown, files: Files) => lines(files, 'b') >= 2;
    const plan = planOf([groupStep('g', pair, { gates: [bash('whole')] }), agentStep('last')]);
    const first = createWorld({ play: writes, gate });
    expect((await first.run(plan)).ended).toMatchObject({ status: 'failed', failedStep: 'g' });
    const next = await rerun(first, plan, { play: writes, gate });
    expect(prompts(next.world)).toEqual(['do a', 'do b', 'do last']);
    expect(next.world.calls[0]?.prompt).toContain('whole says no');
    expect(next.takeover.dropped).toEqual([]);
  });

  it('has as many rounds as `exit` says in each job', async () => {
    const plan = planOf([groupStep('g', pair, { gates: [bash('whole')], retry: [exits(3)] })]);
    const first = createWorld({ play: writes, gate: () => false });
    const state = await first.run(plan);
    expect(state.steps.get('g')?.attempts).toHaveLength(3);
    expect(first.calls).toHaveLength(6);
    const next = await rerun(first, plan, { play: writes, gate: () => false });
    expect(next.state.steps.get('g')?.attempts.map(({ number }) => number)).toEqual([1, 2, 3, 4, 5, 6]);
  });

  it('gives its steps new sessions at the round that asks for them, and keeps those', async () => {
    const retry = [retryAt(2, { session: 'new' }), exits(3)];
    const world = createWorld({ play: writes, gate: () => false });
    await world.run(planOf([groupStep('g', [agentStep('a')], { gates: [bash('whole')], retry })]));
    expect(reasons(world.events)).toEqual(['g/a declared-new', 'g/a override-new', 'g/a kept-on-retry']);
  });

  it('puts the files back to where it began at a round that asks for it', async () => {
    const retry = [retryAt(2, { worktree: 'reset' }), exits(2)];
    const world = createWorld({ play: writes, gate: () => false });
    await world.run(planOf([agentStep('first'), groupStep('g', pair, { gates: [bash('whole')], retry })]));
    expect(Object.fromEntries(world.files)).toEqual({
      'first.txt': 'first\n',
      'a.txt': 'a\n',
      'b.txt': 'b\n',
    });
    expect(prompts(world)).toEqual(['do first', 'do a', 'do b', 'do a', 'do b']);
  });

  it('runs what had passed once more where the files are put back after a step failed', async () => {
    const steps = [agentStep('a'), agentStep('b', { gates: [bash('never')] })];
    const retry = [retryAt(2, { worktree: 'reset' }), exits(2)];
    const world = createWorld({ play: writes, gate: () => false });
    await world.run(planOf([groupStep('g', steps, { retry })]));
    expect(prompts(world)).toEqual(['do a', 'do b', 'do a', 'do b']);
    expect(world.files.get('b.txt')).toBe('b\n');
  });

  it('keeps what its gate said for a step that was cut off in the round it began', async () => {
    const gate = (_gate: unknown, files: Files) => lines(files, 'b') >= 2;
    const plan = planOf([groupStep('g', pair, { gates: [bash('whole')], retry: [exits(2)] })]);
    let turns = 0;
    const first = createWorld({
      play: (turn, files) => (++turns === 3 ? { crash: true } : writes(turn, files)),
      gate,
    });
    await expect(first.run(plan)).rejects.toThrow();
    const next = await rerun(first, plan, { play: writes, gate, sessions: 'none' });
    const anew = next.world.calls.filter(({ mode }) => mode === 'start');
    expect(anew.map(({ prompt }) => prompt.split('\n')[0])).toEqual(['do a', 'do b']);
    for (const { prompt } of anew) expect(prompt).toContain('whole says no');
    expect(next.state.steps.get('g')?.attempts.map(({ number }) => number)).toEqual([1, 2, 2]);
  });

  it('is gone through by `from:` both ways', async () => {
    const from = (step: string) => ({ session: { mode: 'from', step } as const });
    const world = createWorld({ play: () => ({}) });
    await world.run(
      planOf([
        agentStep('before'),
        groupStep('g', [agentStep('inner', from('before')), groupStep('h', [agentStep('deep')])]),
        agentStep('after', from('deep')),
      ]),
    );
    const [before, inner, deep, after] = world.calls;
    expect([inner?.mode, inner?.id]).toEqual(['resume', before?.id]);
    expect([after?.mode, after?.id]).toEqual(['resume', deep?.id]);
  });

  it('stops after a step in it, or after itself, where `until` names it, and goes on from there', async () => {
    const steps = [groupStep('g', pair, { gates: [bash('whole')] }), agentStep('last')];
    for (const [until, sent, left] of [
      ['g/a', ['do a'], ['do b', 'do last']],
      ['g', ['do a', 'do b'], ['do last']],
    ] as const) {
      const world = createWorld({ play: writes });
      const state = await world.run(planOf(steps, { until }));
      expect(state.ended?.status).toBe('passed');
      expect(prompts(world)).toEqual(sent);
      const next = await rerun(world, planOf(steps), { play: writes });
      expect(prompts(next.world)).toEqual(left);
      expect(next.state.ended?.status).toBe('passed');
    }
  });

  it('takes up a step in it by `from-step`: what stands before that is left alone', async () => {
    const steps = [groupStep('g', [...pair, agentStep('c')], { gates: [bash('whole')] }), agentStep('last')];
    const world = createWorld({ play: writes });
    await world.run(planOf(steps));
    const next = await rerun(world, planOf(steps, { fromStep: 'g/b' }), { play: writes });
    expect(next.takeover.dropped).toEqual(['g/b', 'g/c', 'last']);
    expect(prompts(next.world)).toEqual(['do b', 'do c', 'do last']);
    expect(next.state.steps.get('g')?.status).toBe('passed');
  });

  it('runs a step that was added to it since it passed', async () => {
    const last = agentStep('last', { gates: [bash('never')] });
    const gate = ({ name }: { readonly name: string }) => name !== 'never';
    const world = createWorld({ play: writes, gate });
    await world.run(planOf([groupStep('g', pair), last]));
    const grown = planOf([groupStep('g', [...pair, agentStep('c')]), agentStep('last')]);
    const next = await rerun(world, grown, { play: writes });
    expect(prompts(next.world)).toEqual(['do c', 'do last']);
  });

  it('says that a step was taken over only where an earlier job had passed it', async () => {
    const gate = (_gate: unknown, files: Files) => lines(files, 'b') >= 2;
    const steps = [agentStep('a'), agentStep('b', { gates: [bash('twice')] })];
    const world = createWorld({ play: writes, gate });
    await world.run(planOf([groupStep('g', steps, { retry: [exits(2)] })]));
    expect(world.takenOver).toEqual([]);
  });

  it('opens its inner groups again with itself', async () => {
    const gate = ({ name }: { readonly name: string }, files: Files) =>
      name === 'inner' || lines(files, 'a') >= 2;
    const inner = groupStep('h', [agentStep('a')], { gates: [bash('inner')] });
    const world = createWorld({ play: writes, gate });
    const state = await world.run(
      planOf([groupStep('g', [inner, agentStep('b')], { gates: [bash('outer')], retry: [exits(2)] })]),
    );
    expect(prompts(world)).toEqual(['do a', 'do b', 'do a', 'do b']);
    expect(state.steps.get('g/h')?.attempts.map(({ status }) => status)).toEqual(['passed', 'passed']);
    expect(state.ended?.status).toBe('passed');
  });

  it('ends the same, whatever prefix of the journal survived', async () => {
    const gate = ({ name }: { readonly name: string }, files: Files) =>
      lines(files, name === 'whole' ? 'a' : 'b') >= 2;
    const steps = [agentStep('a'), agentStep('b', { gates: [bash('own')], retry: [exits(2)] })];
    const plan = planOf([
      groupStep('g', steps, { gates: [bash('whole')], retry: [exits(2)] }),
      gateStep('check', [bash('whole')]),
    ]);
    const whole = createWorld({ play: writes, gate });
    expect((await whole.run(plan)).ended?.status).toBe('passed');
    for (let length = 0; length <= whole.events.length; length += 1) {
      const before: World = { ...whole, events: whole.events.slice(0, length) };
      const next = await rerun(before, plan, { play: writes, gate, sessions: whole });
      expect(next.state.ended?.status, `prefix ${length}`).toBe('passed');
      const recorded = before.events.filter(({ type }) => type === 'agent-ended').length;
      expect(next.world.calls.length, `prefix ${length}`).toBeLessThanOrEqual(whole.calls.length - recorded);
      expect(next.takeover.dropped, `prefix ${length}`).toEqual([]);
    }
  });
});
