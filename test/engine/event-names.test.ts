import { describe, expect, it } from 'vitest';
import { usedEventNames } from '../../src/plan/used-names.js';
import type { Step } from '../../src/workflow/workflow.js';
import { createEngineHarness, type EngineHarnessOptions, MachineLost } from '../fakes/engine-harness.js';
import {
  agentStep,
  bashGate,
  callOf,
  callStep,
  exitAfter,
  groupStep,
  planOf,
  reviewCall,
} from '../fakes/plan.js';
import { firstPromptLines } from '../fakes/rerun.js';

const values: Readonly<Record<string, string>> = { 'pr.title': 'Add {spec} {pr.body}', 'pr.number': '7' };

function openHarness(options: Partial<EngineHarnessOptions> = {}) {
  const asked: string[] = [];
  const harness = createEngineHarness({
    runAgent: () => ({}),
    event: (name) => {
      asked.push(name);
      return values[name];
    },
    ...options,
  });
  return { harness, asked };
}

const prompted = (name: string, prompt: string, more: Parameters<typeof agentStep>[1] = {}) =>
  agentStep(name, { prompt, ...more });

describe('names of the event', () => {
  it('are in prompts, and their values are not expanded again', async () => {
    const { harness } = openHarness();
    await harness.run(planOf([prompted('a', '#{pr.number} {pr.title}|{pr.body}|')], { spec: 'S' }));
    expect(firstPromptLines(harness)).toEqual(['#7 Add {spec} {pr.body}||']);
  });

  it('are in the inputs of calls, and in the workflows that are called', async () => {
    const { harness } = openHarness();
    const inner = [prompted('b', '{given} {pr.number}')];
    await harness.run(planOf([callStep('sub', callOf('sub', inner, { given: 'no. {pr.number}' }))]));
    expect(firstPromptLines(harness)).toEqual(['no. 7 7']);
  });

  it('are read only if a step needs them and nothing else has the name', async () => {
    const { harness, asked } = openHarness();
    const steps = [
      prompted('pr', 'first'),
      prompted('a', '{pr.title} {pr.status} {issue.title} {pr.titel}'),
      agentStep('b', { agent: '{pr.agent}' }),
    ];
    await harness.run(planOf(steps, { vars: { 'issue.title': 'mine' } }));
    expect(firstPromptLines(harness).slice(0, 2)).toEqual(['first', 'Add {spec} {pr.body} pass mine']);
    expect(asked).toEqual(['pr.title']);
  });

  it('let the step fail before its agent starts if they cannot be read, and are read again in a re-run', async () => {
    const event = (name: string) => (name === 'pr.diff' ? '!GitHub did not report it. Re-run the job.' : '');
    const plan = planOf([agentStep('first'), prompted('a', '{pr.diff}', { retry: [exitAfter(3)] })]);
    const { harness } = openHarness({ event });
    const state = await harness.run(plan);
    expect(firstPromptLines(harness)).toEqual(['do first']);
    expect(state.steps.get('a')?.attempts).toMatchObject([
      {
        status: 'failed',
        failure: {
          kind: 'crash',
          message: '`{pr.diff}` could not be read. GitHub did not report it. Re-run the job.',
        },
      },
    ]);
    const next = openHarness({ event: () => 'the diff', previous: harness }).harness;
    expect((await next.run(plan, { jobAttempt: 2 })).runEnded?.status).toBe('passed');
    expect(firstPromptLines(next)).toEqual(['the diff']);
  });

  it('let a call fail in the same way', async () => {
    const { harness } = openHarness({ event: () => '!No answer.' });
    const call = callStep('sub', callOf('sub', [agentStep('b')], { given: '{pr.diff}' }), {
      retry: [exitAfter(3)],
    });
    const state = await harness.run(planOf([call]));
    expect(harness.calls).toEqual([]);
    const message = '`{pr.diff}` could not be read. No answer.';
    expect(state.steps.get('sub')?.attempts).toMatchObject([{ failure: { message } }]);
  });

  it('are needed before the agent starts also if only its gates or its context use them', async () => {
    for (const more of [
      { gates: [{ ...bashGate('check'), command: 'check "$GUMP_PR_FILES"' }] },
      { context: [{ type: 'bash' as const, command: 'show "$GUMP_PR_FILES"' }] },
    ]) {
      const { harness } = openHarness({ event: () => '!No answer.' });
      const state = await harness.run(planOf([agentStep('a', more)]));
      expect(harness.calls).toEqual([]);
      const message = '`$GUMP_PR_FILES` could not be read. No answer.';
      expect(state.steps.get('a')?.attempts[0]?.failure).toMatchObject({ message, isFinal: true });
    }
  });

  it('do not change the prompt of an attempt that was interrupted', async () => {
    const plan = planOf([prompted('a', 'title {pr.title}')]);
    const { harness } = openHarness({ runAgent: () => ({ crash: true }) });
    await expect(harness.run(plan)).rejects.toThrow(MachineLost);
    const next = openHarness({ previous: harness, event: () => '!No answer.' }).harness;
    expect((await next.run(plan, { jobAttempt: 2 })).runEnded?.status).toBe('passed');
    expect(next.calls[0]?.prompt).toContain('title Add {spec} {pr.body}');
  });

  it('do not run a passed step again if their values change', async () => {
    const plan = planOf([prompted('a', '{pr.title}')]);
    const { harness } = openHarness();
    await harness.run(plan);
    const next = openHarness({ previous: harness, event: () => 'changed' }).harness;
    await next.run(plan, { jobAttempt: 2 });
    expect(next.calls).toEqual([]);
    expect(next.reusedSteps).toEqual(['a']);
  });
});

describe('the names that a plan uses', () => {
  const gate = (command: string) => ({ ...bashGate('check'), command });
  const used = (steps: readonly Step[], vars = {}, commands: readonly string[] = []) =>
    usedEventNames(planOf(steps, { vars }), commands);

  it('are those of all its templates and commands', () => {
    const judged = reviewCall({ given: '{comment.body}' }, { prompt: '{pr.title}' });
    const steps = [
      prompted('a', '{pr.diff}', { context: [{ type: 'file', path: 'docs/{issue.number}.md' }] }),
      groupStep('g', [agentStep('b', { get: callOf('sub', [prompted('c', '{pr.body}')]) })], {
        gates: [gate('echo $GUMP_RUN_URL')],
      }),
      agentStep('d', { gates: [{ name: 'judge', type: 'validate', call: judged }] }),
      callStep('e', callOf('sub', [prompted('c', '{pr.head}')], { a: '{pr.base}' })),
    ];
    expect([...used(steps, {}, ['npm test -- "$GUMP_PR_FILES"'])].sort()).toEqual([
      'comment.body',
      'issue.number',
      'pr.base',
      'pr.body',
      'pr.diff',
      'pr.files',
      'pr.head',
      'pr.title',
      'run.url',
    ]);
  });

  it('are not those that a step or a variable hides', () => {
    expect(used([prompted('pr', '{pr.diff} {issue.title} {spec}')], { 'issue.title': 'x' })).toEqual([]);
  });
});
