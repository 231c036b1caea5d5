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
  reviewCall,
  validateGate,
} from '../fakes/plan.js';
import { firstPromptLines, rerun } from '../fakes/rerun.js';

const promptStep = (name: string, prompt: string, overrides: Parameters<typeof agentStep>[1] = {}) =>
  agentStep(name, { prompt, ...overrides });

/** Artifacts answer with their first line, reviews with the comments `fine`; all else changes a file. */
const runAgent: FakeAgent = (turn, files) => {
  const line = turn.prompt.split('\n')[0] ?? '';
  if (turn.prompt.includes('artifact.txt')) return { output: `text of ${line}`, usage: { costUsd: 0.25 } };
  if (turn.prompt.includes('validate.json')) return { output: '{"pass": true, "comments": "fine"}' };
  files.set(`${line}.txt`, 'x');
  return { usage: { costUsd: 0.5, turns: 2 } };
};

async function promptsSent(steps: readonly Step[], inputs: Parameters<typeof planOf>[1] = {}) {
  const harness = createEngineHarness({ runAgent: runAgent });
  const state = await harness.run(planOf(steps, inputs));
  expect(state.runEnded?.status).toBe('passed');
  return firstPromptLines(harness);
}

describe('a step that is a workflow', () => {
  it('runs the steps of it under its path, one after the other', async () => {
    const harness = createEngineHarness({ runAgent: runAgent });
    const state = await harness.run(
      planOf([callStep('sub', callOf('sub', [agentStep('a'), agentStep('b')])), agentStep('last')]),
    );
    expect(firstPromptLines(harness)).toEqual(['do a', 'do b', 'do last']);
    expect([...state.steps.keys()]).toEqual(['sub', 'sub/a', 'sub/b', 'last']);
  });

  it('sees only what it is given: no steps of its caller, and the inputs by name', async () => {
    const inner = [
      promptStep('a', 'a [{plan.output}] [{told}] [{spec}]'),
      promptStep('b', 'b {a.status} {vars_of_user}'),
    ];
    const plan = promptStep('plan', 'make', { type: 'artifact' });
    expect(
      await promptsSent([plan, callStep('sub', callOf('sub', inner, { told: '<{plan.output}>' }))], {
        spec: 'the spec',
        vars: { vars_of_user: 'blue' },
      }),
    ).toEqual(['make', 'a [] [<text of make>] [the spec]', 'b pass blue']);
  });

  it('has a spec of its own where it is given one, and so have those that it calls', async () => {
    const deepest = [promptStep('d', 'd {spec}')];
    const deep = [promptStep('c', 'c {spec}'), callStep('deepest', callOf('deepest', deepest))];
    const inner = [
      callStep('deep', callOf('deep', deep)),
      callStep('own', callOf('own', deepest, { spec: 'its own' })),
    ];
    const outer = callStep('sub', callOf('sub', inner, { spec: 'part of {spec}' }));
    expect(await promptsSent([outer, promptStep('last', 'last {spec}')], { spec: 'all' })).toEqual([
      'c part of all',
      'd part of all',
      'd its own',
      'last all',
    ]);
  });

  it('can be given `error`, `diff` and `output` of its own', async () => {
    const inner = [promptStep('a', '{error}/{diff}/{output}')];
    expect(
      await promptsSent([callStep('sub', callOf('sub', inner, { error: 'E', diff: 'D', output: 'O' }))]),
    ).toEqual(['E/D/O']);
  });

  it('never expands a value that it is given', async () => {
    const inner = [promptStep('a', 'a {told}')];
    expect(
      await promptsSent([callStep('sub', callOf('sub', inner, { told: '{spec}' }))], {
        spec: '{told} {{x}}',
      }),
    ).toEqual(['a {told} {{x}}']);
  });

  it('is read by its caller: what its steps brought forth, and what it is in all', async () => {
    const inner = [
      agentStep('work'),
      promptStep('text', 'write', { type: 'artifact' }),
      agentStep('check', { type: 'validate' }),
    ];
    const last = promptStep(
      'last',
      '{sub.status} {sub.text.output} {sub.state.text.output} {sub/text.output} {sub.check.comments} {sub.output} {sub.comments} {sub.cost} {sub.work.turns}',
    );
    const all = await promptsSent([callStep('sub', callOf('sub', inner)), last]);
    expect(all.at(-1)).toBe('pass text of write text of write text of write fine true fine 0.75 2');
  });

  it('says what its last step says, also where a gate of it is a workflow', async () => {
    const inner = [promptStep('text', 'write', { type: 'artifact' })];
    const sub = callStep('sub', callOf('sub', inner), { gates: [validateGate('review', reviewCall())] });
    const all = await promptsSent([
      sub,
      promptStep('last', '{sub.output}|{sub.comments}|{sub.gate.review.comments}'),
    ]);
    expect(all.at(-1)).toBe('text of write||fine');
  });

  it('is read from within the task, the group or the unit that it stands in', async () => {
    const inner = [promptStep('text', 'write {told}', { type: 'artifact' })];
    const each = [
      callStep('sub', callOf('sub', inner, { told: '{task.name}' })),
      promptStep('use', 'use {sub.text.output}'),
    ];
    const harness = createEngineHarness({
      runAgent: (turn, files) =>
        turn.prompt.startsWith('plan') ? { output: '[{"name": "a"}, {"name": "b"}]' } : runAgent(turn, files),
    });
    await harness.run(planOf([parallelSplit('build', each)]));
    expect(firstPromptLines(harness).toSorted()).toEqual([
      'plan build',
      'use text of write a',
      'use text of write b',
      'write a',
      'write b',
    ]);
  });

  it('keeps its sessions to itself, in both directions', async () => {
    const from = (step: string) => ({ session: { mode: 'from', step } as const });
    const harness = createEngineHarness({ runAgent: runAgent });
    await harness.run(
      planOf([
        agentStep('before'),
        callStep('sub', callOf('sub', [agentStep('in', from('before')), agentStep('next', from('in'))])),
        agentStep('after', from('in')),
      ]),
    );
    expect(harness.calls.map(({ mode }) => mode)).toEqual(['start', 'start', 'resume', 'start']);
    expect(harness.calls[2]?.sessionId).toBe(harness.calls[1]?.sessionId);
  });

  it('goes by its own `session-match`', async () => {
    const pair = [
      agentStep('one'),
      agentStep('two', { agent: 'claude-opus', session: { mode: 'from', step: 'one' } }),
    ];
    const harness = createEngineHarness({ runAgent: runAgent });
    await harness.run(
      planOf([
        callStep('wide', callOf('wide', pair, {}, { sessionMatch: 'provider' })),
        callStep('narrow', callOf('narrow', [groupStep('g', pair)])),
      ]),
    );
    expect(harness.calls.map(({ mode }) => mode)).toEqual(['start', 'resume', 'start', 'start']);
  });

  it('is judged by gates of its own and runs again as `retry` says', async () => {
    let turns = 0;
    const harness = createEngineHarness({
      runAgent: (turn, files) => {
        turns += 1;
        return runAgent(turn, files);
      },
      passesGate: () => turns >= 4,
    });
    const sub = callStep('sub', callOf('sub', [agentStep('a'), agentStep('b')], { why: '{error}' }), {
      gates: [bashGate('whole')],
      retry: [exitAfter(2)],
    });
    const state = await harness.run(planOf([sub]));
    expect(firstPromptLines(harness)).toEqual(['do a', 'do b', 'do a', 'do b']);
    expect(harness.calls.map(({ mode }) => mode)).toEqual(['start', 'start', 'resume', 'resume']);
    expect(harness.calls[2]?.prompt).toContain('whole says no');
    expect(state.steps.get('sub')?.attempts.map(({ inputs }) => inputs?.why)).toEqual([
      '',
      'gate whole:\nwhole says no',
    ]);
  });

  it('is given the same, rendered once, when it goes on in a later job', async () => {
    let turns = 0;
    const steps = [
      promptStep('plan', 'make', { type: 'artifact' }),
      callStep(
        'sub',
        callOf('sub', [agentStep('a'), promptStep('b', 'b {told}')], { told: '{plan.output}' }),
      ),
    ];
    const harness = createEngineHarness({
      runAgent: (turn, files) => (++turns === 3 ? { crash: true } : runAgent(turn, files)),
    });
    await expect(harness.run(planOf(steps))).rejects.toThrow();
    const next = await rerun(harness, planOf(steps), { runAgent: runAgent });
    expect(firstPromptLines(next.harness)).toEqual(['b text of make']);
    const inputs = next.state.steps.get('sub')?.attempts.map((attempt) => attempt.inputs);
    expect(inputs).toEqual([{ told: 'text of make' }, { told: 'text of make' }]);
  });

  it('fails with the step in it that failed, and a re-run goes on there', async () => {
    const steps = [
      callStep('sub', callOf('sub', [agentStep('a'), agentStep('b', { gates: [bashGate('check')] })])),
      agentStep('last'),
    ];
    const harness = createEngineHarness({ runAgent: runAgent, passesGate: () => false });
    const state = await harness.run(planOf(steps));
    expect(state.runEnded).toMatchObject({ status: 'failed', failedStep: 'sub/b' });
    expect(state.steps.get('sub')?.attempts[0]?.failure?.message).toContain('sub/b');
    const next = await rerun(harness, planOf(steps), { runAgent: runAgent });
    expect(firstPromptLines(next.harness)).toEqual(['do b', 'do last']);
    expect(next.harness.calls[0]?.mode).toBe('resume');
  });

  it('is taken up in the middle by `from-step`, and stopped in by `until`', async () => {
    const steps = [callStep('sub', callOf('sub', [agentStep('a'), agentStep('b')])), agentStep('last')];
    const harness = createEngineHarness({ runAgent: runAgent });
    await harness.run(planOf(steps));
    const from = await rerun(harness, planOf(steps, { fromStep: 'sub/b' }), { runAgent: runAgent });
    expect(firstPromptLines(from.harness)).toEqual(['do b', 'do last']);
    const until = createEngineHarness({ runAgent: runAgent });
    await until.run(planOf(steps, { until: 'sub/a' }));
    expect(firstPromptLines(until)).toEqual(['do a']);
    expect(firstPromptLines((await rerun(until, planOf(steps), { runAgent: runAgent })).harness)).toEqual([
      'do b',
      'do last',
    ]);
  });

  it('ends the same, whatever prefix of the journal survived', async () => {
    const steps = [
      callStep('sub', callOf('sub', [agentStep('a'), groupStep('g', [agentStep('b')])]), {
        gates: [validateGate('review', reviewCall())],
      }),
      promptStep('last', 'last {sub.status}'),
    ];
    const whole = createEngineHarness({ runAgent: runAgent });
    await whole.run(planOf(steps));
    for (let length = 0; length <= whole.events.length; length += 1) {
      const before = { ...whole, events: whole.events.slice(0, length) };
      const next = await rerun(before, planOf(steps), { runAgent: runAgent, sessions: whole });
      expect(next.state.runEnded?.status, `prefix ${length}`).toBe('passed');
      expect(next.reuse.dropped, `prefix ${length}`).toEqual([]);
      const recorded = before.events.filter(({ type }) => type === 'agent-ended').length;
      expect(next.harness.calls.length, `prefix ${length}`).toBeLessThanOrEqual(
        whole.calls.length - recorded,
      );
    }
  });
});
