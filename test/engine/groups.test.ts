import { describe, expect, it } from 'vitest';
import type { JournalEvent } from '../../src/journal/event.js';
import {
  createEngineHarness,
  type EngineHarness,
  type FakeAgent,
  type Files,
} from '../fakes/engine-harness.js';
import {
  agentStep,
  bashGate,
  exitAfter,
  gateStep,
  groupStep,
  planOf,
  retryAtAttempt,
} from '../fakes/plan.js';
import { firstPromptLines, rerun } from '../fakes/rerun.js';

const reasons = (events: readonly JournalEvent[]) =>
  events.flatMap((event) =>
    event.type === 'attempt-started' && event.session ? [`${event.step} ${event.session.reason}`] : [],
  );

/** Each turn adds a line to the file of its step. */
const appendLine: FakeAgent = (turn, files) => {
  const name = /^do (\w+)/.exec(turn.prompt)?.[1] ?? 'other';
  files.set(`${name}.txt`, `${files.get(`${name}.txt`) ?? ''}${name}\n`);
  return {};
};

/** The number of lines in the files. */
const countLines = (files: Files, name: string) => (files.get(`${name}.txt`) ?? '').split('\n').length - 1;

describe('a sequential group', () => {
  const pair = [agentStep('a'), agentStep('b')];

  it('runs its steps in order, then its gates, then the steps after it', async () => {
    const order: string[] = [];
    const harness = createEngineHarness({
      runAgent: (turn) => {
        order.push(turn.prompt.trim());
        return {};
      },
      passesGate: (gate) => {
        order.push(`gate ${gate.name}`);
        return true;
      },
    });
    const plan = planOf([groupStep('g', pair, { gates: [bashGate('whole')] }), agentStep('last')]);
    const state = await harness.run(plan);
    expect(order).toEqual(['do a', 'do b', 'gate whole', 'do last']);
    expect([...state.steps.keys()]).toEqual(['g', 'g/a', 'g/b', 'last']);
    expect(state.steps.get('g')).toMatchObject({ status: 'passed' });
    expect(state.steps.get('g')?.attempts[0]?.gates).toMatchObject([{ name: 'whole', status: 'passed' }]);
  });

  it('does not run passed steps again after a step failed, neither in the next round nor in a re-run', async () => {
    const steps = [agentStep('a'), agentStep('b', { gates: [bashGate('b-twice')] }), agentStep('c')];
    const gate = (_gate: unknown, files: Files) => countLines(files, 'b') >= 2;
    const harness = createEngineHarness({ runAgent: appendLine, passesGate: gate });
    const plan = planOf([groupStep('g', steps, { retry: [exitAfter(2)] })]);
    const state = await harness.run(plan);
    expect(firstPromptLines(harness)).toEqual(['do a', 'do b', 'do b', 'do c']);
    expect(reasons(harness.events)).toContain('g/b kept-on-retry');
    expect(state.steps.get('g')?.attempts.map(({ status }) => status)).toEqual(['failed', 'passed']);

    const once = planOf([groupStep('g', steps)]);
    const first = createEngineHarness({ runAgent: appendLine, passesGate: gate });
    expect((await first.run(once)).runEnded).toMatchObject({ status: 'failed', failedStep: 'g/b' });
    const next = await rerun(first, once, { runAgent: appendLine, passesGate: gate });
    expect(firstPromptLines(next.harness)).toEqual(['do b', 'do c']);
    expect(next.harness.calls[0]).toMatchObject({ mode: 'resume', sessionId: first.calls[1]?.sessionId });
    expect(next.state.runEnded?.status).toBe('passed');
  });

  it('runs all steps once more if its own gates fail, in their sessions and with the output of the gates', async () => {
    const gate = (_gate: unknown, files: Files) => countLines(files, 'a') >= 2;
    const harness = createEngineHarness({ runAgent: appendLine, passesGate: gate });
    const plan = planOf([groupStep('g', pair, { gates: [bashGate('whole')], retry: [exitAfter(2)] })]);
    const state = await harness.run(plan);
    expect(firstPromptLines(harness)).toEqual(['do a', 'do b', 'do a', 'do b']);
    const [a, b, again, onceMore] = harness.calls;
    expect([again?.sessionId, onceMore?.sessionId]).toEqual([a?.sessionId, b?.sessionId]);
    for (const { prompt } of [again, onceMore].flatMap((call) => call ?? []))
      expect(prompt).toContain('whole says no');
    expect(state.runEnded?.status).toBe('passed');
  });

  it('runs all steps once more in a re-run if its own gates failed permanently', async () => {
    const gate = (_gate: unknown, files: Files) => countLines(files, 'b') >= 2;
    const plan = planOf([groupStep('g', pair, { gates: [bashGate('whole')] }), agentStep('last')]);
    const first = createEngineHarness({ runAgent: appendLine, passesGate: gate });
    expect((await first.run(plan)).runEnded).toMatchObject({ status: 'failed', failedStep: 'g' });
    const next = await rerun(first, plan, { runAgent: appendLine, passesGate: gate });
    expect(firstPromptLines(next.harness)).toEqual(['do a', 'do b', 'do last']);
    expect(next.harness.calls[0]?.prompt).toContain('whole says no');
    expect(next.reuse.dropped).toEqual([]);
  });

  it('has as many rounds as `exit` allows in each job', async () => {
    const plan = planOf([groupStep('g', pair, { gates: [bashGate('whole')], retry: [exitAfter(3)] })]);
    const first = createEngineHarness({ runAgent: appendLine, passesGate: () => false });
    const state = await first.run(plan);
    expect(state.steps.get('g')?.attempts).toHaveLength(3);
    expect(first.calls).toHaveLength(6);
    const next = await rerun(first, plan, { runAgent: appendLine, passesGate: () => false });
    expect(next.state.steps.get('g')?.attempts.map(({ number }) => number)).toEqual([1, 2, 3, 4, 5, 6]);
  });

  it('gives its steps new sessions in the round with `session: new`, and keeps them afterwards', async () => {
    const retry = [retryAtAttempt(2, { session: 'new' }), exitAfter(3)];
    const harness = createEngineHarness({ runAgent: appendLine, passesGate: () => false });
    await harness.run(planOf([groupStep('g', [agentStep('a')], { gates: [bashGate('whole')], retry })]));
    expect(reasons(harness.events)).toEqual(['g/a declared-new', 'g/a override-new', 'g/a kept-on-retry']);
  });

  it('restores its start snapshot in a round with `worktree: reset`', async () => {
    const retry = [retryAtAttempt(2, { worktree: 'reset' }), exitAfter(2)];
    const harness = createEngineHarness({ runAgent: appendLine, passesGate: () => false });
    await harness.run(
      planOf([agentStep('first'), groupStep('g', pair, { gates: [bashGate('whole')], retry })]),
    );
    expect(Object.fromEntries(harness.files)).toEqual({
      'first.txt': 'first\n',
      'a.txt': 'a\n',
      'b.txt': 'b\n',
    });
    expect(firstPromptLines(harness)).toEqual(['do first', 'do a', 'do b', 'do a', 'do b']);
  });

  it('runs passed steps once more if the files are restored after a step failed', async () => {
    const steps = [agentStep('a'), agentStep('b', { gates: [bashGate('never')] })];
    const retry = [retryAtAttempt(2, { worktree: 'reset' }), exitAfter(2)];
    const harness = createEngineHarness({ runAgent: appendLine, passesGate: () => false });
    await harness.run(planOf([groupStep('g', steps, { retry })]));
    expect(firstPromptLines(harness)).toEqual(['do a', 'do b', 'do a', 'do b']);
    expect(harness.files.get('b.txt')).toBe('b\n');
  });

  it('keeps the output of its gate for a step that was interrupted in the round', async () => {
    const gate = (_gate: unknown, files: Files) => countLines(files, 'b') >= 2;
    const plan = planOf([groupStep('g', pair, { gates: [bashGate('whole')], retry: [exitAfter(2)] })]);
    let turns = 0;
    const first = createEngineHarness({
      runAgent: (turn, files) => (++turns === 3 ? { crash: true } : appendLine(turn, files)),
      passesGate: gate,
    });
    await expect(first.run(plan)).rejects.toThrow();
    const next = await rerun(first, plan, { runAgent: appendLine, passesGate: gate, sessions: 'none' });
    const newSessions = next.harness.calls.filter(({ mode }) => mode === 'start');
    expect(newSessions.map(({ prompt }) => prompt.split('\n')[0])).toEqual(['do a', 'do b']);
    for (const { prompt } of newSessions) expect(prompt).toContain('whole says no');
    expect(next.state.steps.get('g')?.attempts.map(({ number }) => number)).toEqual([1, 2, 2]);
  });

  it('is transparent for `from:` in both directions', async () => {
    const from = (step: string) => ({ session: { mode: 'from', step } as const });
    const harness = createEngineHarness({ runAgent: () => ({}) });
    await harness.run(
      planOf([
        agentStep('before'),
        groupStep('g', [agentStep('inner', from('before')), groupStep('h', [agentStep('deep')])]),
        agentStep('after', from('deep')),
      ]),
    );
    const [before, inner, deep, after] = harness.calls;
    expect([inner?.mode, inner?.sessionId]).toEqual(['resume', before?.sessionId]);
    expect([after?.mode, after?.sessionId]).toEqual(['resume', deep?.sessionId]);
  });

  it('stops after a step in it, or after itself, if `until` names it, and continues from there', async () => {
    const steps = [groupStep('g', pair, { gates: [bashGate('whole')] }), agentStep('last')];
    for (const [until, sent, left] of [
      ['g/a', ['do a'], ['do b', 'do last']],
      ['g', ['do a', 'do b'], ['do last']],
    ] as const) {
      const harness = createEngineHarness({ runAgent: appendLine });
      const state = await harness.run(planOf(steps, { until }));
      expect(state.runEnded?.status).toBe('passed');
      expect(firstPromptLines(harness)).toEqual(sent);
      const next = await rerun(harness, planOf(steps), { runAgent: appendLine });
      expect(firstPromptLines(next.harness)).toEqual(left);
      expect(next.state.runEnded?.status).toBe('passed');
    }
  });

  it('runs from a step in it with `from-step`; the steps before do not run', async () => {
    const steps = [
      groupStep('g', [...pair, agentStep('c')], { gates: [bashGate('whole')] }),
      agentStep('last'),
    ];
    const harness = createEngineHarness({ runAgent: appendLine });
    await harness.run(planOf(steps));
    const next = await rerun(harness, planOf(steps, { fromStep: 'g/b' }), { runAgent: appendLine });
    expect(next.reuse.dropped).toEqual(['g/b', 'g/c', 'last']);
    expect(firstPromptLines(next.harness)).toEqual(['do b', 'do c', 'do last']);
    expect(next.state.steps.get('g')?.status).toBe('passed');
  });

  it('runs a step that was added to it after it passed', async () => {
    const last = agentStep('last', { gates: [bashGate('never')] });
    const gate = ({ name }: { readonly name: string }) => name !== 'never';
    const harness = createEngineHarness({ runAgent: appendLine, passesGate: gate });
    await harness.run(planOf([groupStep('g', pair), last]));
    const grown = planOf([groupStep('g', [...pair, agentStep('c')]), agentStep('last')]);
    const next = await rerun(harness, grown, { runAgent: appendLine });
    expect(firstPromptLines(next.harness)).toEqual(['do c', 'do last']);
  });

  it('reports a step as reused only if it passed in an earlier job', async () => {
    const gate = (_gate: unknown, files: Files) => countLines(files, 'b') >= 2;
    const steps = [agentStep('a'), agentStep('b', { gates: [bashGate('twice')] })];
    const harness = createEngineHarness({ runAgent: appendLine, passesGate: gate });
    await harness.run(planOf([groupStep('g', steps, { retry: [exitAfter(2)] })]));
    expect(harness.reusedSteps).toEqual([]);
  });

  it('opens its inner groups again together with itself', async () => {
    const gate = ({ name }: { readonly name: string }, files: Files) =>
      name === 'inner' || countLines(files, 'a') >= 2;
    const inner = groupStep('h', [agentStep('a')], { gates: [bashGate('inner')] });
    const harness = createEngineHarness({ runAgent: appendLine, passesGate: gate });
    const state = await harness.run(
      planOf([
        groupStep('g', [inner, agentStep('b')], { gates: [bashGate('outer')], retry: [exitAfter(2)] }),
      ]),
    );
    expect(firstPromptLines(harness)).toEqual(['do a', 'do b', 'do a', 'do b']);
    expect(state.steps.get('g/h')?.attempts.map(({ status }) => status)).toEqual(['passed', 'passed']);
    expect(state.runEnded?.status).toBe('passed');
  });

  it('ends the same with any prefix of the journal', async () => {
    const gate = ({ name }: { readonly name: string }, files: Files) =>
      countLines(files, name === 'whole' ? 'a' : 'b') >= 2;
    const steps = [agentStep('a'), agentStep('b', { gates: [bashGate('own')], retry: [exitAfter(2)] })];
    const plan = planOf([
      groupStep('g', steps, { gates: [bashGate('whole')], retry: [exitAfter(2)] }),
      gateStep('check', [bashGate('whole')]),
    ]);
    const whole = createEngineHarness({ runAgent: appendLine, passesGate: gate });
    expect((await whole.run(plan)).runEnded?.status).toBe('passed');
    for (let length = 0; length <= whole.events.length; length += 1) {
      const before: EngineHarness = { ...whole, events: whole.events.slice(0, length) };
      const next = await rerun(before, plan, { runAgent: appendLine, passesGate: gate, sessions: whole });
      expect(next.state.runEnded?.status, `prefix ${length}`).toBe('passed');
      const recorded = before.events.filter(({ type }) => type === 'agent-ended').length;
      expect(next.harness.calls.length, `prefix ${length}`).toBeLessThanOrEqual(
        whole.calls.length - recorded,
      );
      expect(next.reuse.dropped, `prefix ${length}`).toEqual([]);
    }
  });
});
