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

/** Artifact steps answer with their first line, reviews with the comments `fine`; other steps change a file. */
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
  it('runs the steps of the workflow below its path, one after the other', async () => {
    const harness = createEngineHarness({ runAgent: runAgent });
    const state = await harness.run(
      planOf([callStep('sub', callOf('sub', [agentStep('a'), agentStep('b')])), agentStep('last')]),
    );
    expect(firstPromptLines(harness)).toEqual(['do a', 'do b', 'do last']);
    expect([...state.steps.keys()]).toEqual(['sub', 'sub/a', 'sub/b', 'last']);
  });

  it('sees only its inputs, by name, and no steps of its caller', async () => {
    const inner = [
      promptStep('a', 'a [{plan.output}] [{given}] [{spec}]'),
      promptStep('b', 'b {a.status} {vars_of_user}'),
    ];
    const plan = promptStep('plan', 'make', { type: 'artifact' });
    expect(
      await promptsSent([plan, callStep('sub', callOf('sub', inner, { given: '<{plan.output}>' }))], {
        spec: 'the spec',
        vars: { vars_of_user: 'blue' },
      }),
    ).toEqual(['make', 'a [] [<text of make>] [the spec]', 'b pass blue']);
  });

  it('has its own spec if it is passed one, and so have the workflows that it calls', async () => {
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

  it('can be passed `error`, `diff` and `output`', async () => {
    const inner = [promptStep('a', '{error}/{diff}/{output}')];
    expect(
      await promptsSent([callStep('sub', callOf('sub', inner, { error: 'E', diff: 'D', output: 'O' }))]),
    ).toEqual(['E/D/O']);
  });

  it('never expands templates in an input value', async () => {
    const inner = [promptStep('a', 'a {given}')];
    expect(
      await promptsSent([callStep('sub', callOf('sub', inner, { given: '{spec}' }))], {
        spec: '{given} {{x}}',
      }),
    ).toEqual(['a {given} {{x}}']);
  });

  it('is read by its caller: the results of its steps and its totals', async () => {
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

  it('has the output of its last step, also if one of its gates is a workflow', async () => {
    const inner = [promptStep('text', 'write', { type: 'artifact' })];
    const sub = callStep('sub', callOf('sub', inner), { gates: [validateGate('review', reviewCall())] });
    const all = await promptsSent([
      sub,
      promptStep('last', '{sub.output}|{sub.comments}|{sub.gate.review.comments}'),
    ]);
    expect(all.at(-1)).toBe('text of write||fine');
  });

  it('is read from within its task, group or parallel branch', async () => {
    const inner = [promptStep('text', 'write {given}', { type: 'artifact' })];
    const each = [
      callStep('sub', callOf('sub', inner, { given: '{task.name}' })),
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

  it('does not share sessions with its caller, in either direction', async () => {
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

  it('uses its own `session-match`', async () => {
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

  it('is judged by its own gates and runs again as `retry` defines', async () => {
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

  it('has the same inputs, rendered once, when it continues in a later job', async () => {
    let turns = 0;
    const steps = [
      promptStep('plan', 'make', { type: 'artifact' }),
      callStep(
        'sub',
        callOf('sub', [agentStep('a'), promptStep('b', 'b {given}')], { given: '{plan.output}' }),
      ),
    ];
    const harness = createEngineHarness({
      runAgent: (turn, files) => (++turns === 3 ? { crash: true } : runAgent(turn, files)),
    });
    await expect(harness.run(planOf(steps))).rejects.toThrow();
    const next = await rerun(harness, planOf(steps), { runAgent: runAgent });
    expect(firstPromptLines(next.harness)).toEqual(['b text of make']);
    const inputs = next.state.steps.get('sub')?.attempts.map((attempt) => attempt.inputs);
    expect(inputs).toEqual([{ given: 'text of make' }, { given: 'text of make' }]);
  });

  it('fails with its failed step, and a re-run continues there', async () => {
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

  it('runs from a step in it with `from-step`, and stops in it with `until`', async () => {
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

  it('ends the same with any prefix of the journal', async () => {
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
