import { describe, expect, it } from 'vitest';
import type { JournalEvent, NewEvent } from '../../src/journal/event.js';
import { foldEvents, type RunState } from '../../src/journal/run-state.js';
import type { Plan } from '../../src/plan/plan.js';
import { decideReuse } from '../../src/plan/reuse.js';
import { agentStep, planOf } from '../fakes/plan.js';

const steps = [
  agentStep('a', { prompt: 'a {spec}' }),
  agentStep('b', { prompt: 'b {colour}' }),
  agentStep('c'),
];
const plan = planOf(steps, { spec: 'x', vars: { colour: 'red' } });
const snapshot = { base: 'start', commit: 'start' };

/** A recorded run in which the steps ended with these statuses, in order. Other steps did not run. */
function recordRun(
  ends: readonly ('passed' | 'failed')[],
  of: Plan = plan,
  more: readonly NewEvent[] = [],
): RunState {
  const started: NewEvent = {
    type: 'job-started',
    version: 1,
    jobAttempt: 1,
    job: 'job',
    workflow: 'w',
    startCommit: 'C',
    startTree: 'T',
  };
  const events = ends.flatMap((status, index): readonly NewEvent[] => {
    const step = of.steps[index];
    if (step === undefined) return [];
    return [
      { type: 'step-started', step: step.name, fingerprint: step.fingerprint, from: snapshot },
      {
        type: 'attempt-started',
        step: step.name,
        number: 1,
        jobAttempt: 1,
        agent: 'claude',
        provider: 'claude',
      },
      {
        type: 'attempt-ended',
        step: step.name,
        number: 1,
        jobAttempt: 1,
        status,
        gates: [],
        files: [],
        durationMs: 1,
      },
      { type: 'step-ended', step: step.name, status, jobAttempt: 1 },
    ];
  });
  return foldEvents([started, ...events, ...more].map((event) => ({ ...event, at: 0 }) as JournalEvent));
}

const facts = { plan, job: 'job', jobAttempt: 2, startDifferences: new Map<string, readonly string[]>() };

describe('decideReuse', () => {
  it('keeps everything if nothing changed', () => {
    expect(decideReuse({ ...facts, state: recordRun(['passed', 'passed', 'failed']) })).toEqual({
      dropped: [],
    });
  });

  it('drops a passed step whose inputs changed, and the steps after it', () => {
    const changed = planOf(steps, { spec: 'x', vars: { colour: 'blue' } });
    const reuse = decideReuse({
      ...facts,
      plan: changed,
      state: recordRun(['passed', 'passed', 'failed']),
    });
    expect(reuse.dropped).toEqual(['b', 'c']);
    expect(reuse.reason).toBe('the variables of step `b` changed');
  });

  it('keeps a step that does not use the changed input', () => {
    const changed = planOf(steps, { spec: 'x', vars: { colour: 'red', other: 'new' } });
    expect(decideReuse({ ...facts, plan: changed, state: recordRun(['passed', 'passed']) }).dropped).toEqual(
      [],
    );
  });

  it.each([
    ['the spec', { spec: 'y', vars: { colour: 'red' } }, 'a'],
    ['the agent', { spec: 'x', vars: { colour: 'red' }, agent: 'codex' }, 'a'],
  ])('names %s as the change', (part, inputs, first) => {
    const reuse = decideReuse({
      ...facts,
      plan: planOf(steps, inputs),
      state: recordRun(['passed', 'passed']),
    });
    expect(reuse).toMatchObject({ dropped: ['a', 'b'], reason: `${part} of step \`${first}\` changed` });
  });

  it('continues a failed step although its definition changed: its session is kept', () => {
    const changed = planOf([agentStep('a', { prompt: 'a {spec}' }), agentStep('b', { prompt: 'other' })], {
      spec: 'x',
    });
    expect(decideReuse({ ...facts, plan: changed, state: recordRun(['passed', 'failed']) }).dropped).toEqual(
      [],
    );
  });

  it('drops from the point at which the order of the steps changed', () => {
    const inserted = planOf([steps[0] ?? agentStep('a'), agentStep('new'), ...steps.slice(1)], {
      spec: 'x',
      vars: { colour: 'red' },
    });
    const reuse = decideReuse({ ...facts, plan: inserted, state: recordRun(['passed', 'passed']) });
    expect(reuse).toMatchObject({ dropped: ['b'], reason: 'step `new` now comes before step `b`' });
  });

  it('drops from a step that was removed', () => {
    const without = planOf(steps.slice(1), { spec: 'x', vars: { colour: 'red' } });
    expect(decideReuse({ ...facts, plan: without, state: recordRun(['passed', 'passed']) }).dropped).toEqual([
      'a',
      'b',
    ]);
  });

  it('drops from the first passed step whose files are different in the start tree now', () => {
    const startDifferences = new Map([
      ['b', ['x.ts']],
      ['c', ['x.ts', 'y.ts']],
    ]);
    const state = recordRun(['passed', 'passed', 'passed']);
    expect(decideReuse({ ...facts, startDifferences, state })).toEqual({
      dropped: ['b', 'c'],
      reason: '`x.ts`, which step `b` or an earlier step changed, is different in the checkout of this job',
    });
    const failed = recordRun(['passed', 'failed']);
    expect(decideReuse({ ...facts, startDifferences, state: failed }).dropped).toEqual([]);
  });

  it('drops what comes after a step whose gates failed on another start tree', () => {
    const state = recordRun(['passed', 'passed', 'failed']);
    expect(decideReuse({ ...facts, failedGatesOf: ['a'], state })).toEqual({
      dropped: ['b', 'c'],
      reason: 'the gates of step `a` failed on the start tree of this job',
    });
  });

  it('drops a passed step that changed a submodule, and the steps after it', () => {
    const ended: NewEvent = {
      type: 'agent-ended',
      step: 'b',
      number: 1,
      jobAttempt: 1,
      usage: {},
      snapshot,
      changed: false,
      unstored: ['lib/'],
      ignored: [],
      durationMs: 1,
    };
    expect(
      decideReuse({ ...facts, state: recordRun(['passed', 'passed', 'failed'], plan, [ended]) }),
    ).toEqual({
      dropped: ['b', 'c'],
      reason: 'step `b` changed `lib/`, and these changes were not stored',
    });
    expect(decideReuse({ ...facts, state: recordRun(['passed', 'failed'], plan, [ended]) }).dropped).toEqual(
      [],
    );
  });

  it('drops from `from-step` on', () => {
    const from = planOf(steps, { spec: 'x', vars: { colour: 'red' }, fromStep: 'b' });
    expect(
      decideReuse({ ...facts, plan: from, state: recordRun(['passed', 'passed', 'failed']) }).dropped,
    ).toEqual(['b', 'c']);
    expect(decideReuse({ ...facts, plan: from, state: recordRun(['failed']) }).dropped).toEqual([]);
  });
});

describe('a passed run (S14)', () => {
  const passed: readonly NewEvent[] = [{ type: 'run-ended', status: 'passed', jobAttempt: 1 }];
  const jobEnded = (status: string, job = 'job'): NewEvent => ({
    type: 'job-ended',
    jobAttempt: 1,
    job,
    status,
  });
  const state = (...more: readonly NewEvent[]) =>
    recordRun(['passed', 'passed', 'passed'], plan, [...passed, ...more]);

  it('starts fresh if its job ended with success', () => {
    expect(decideReuse({ ...facts, state: state(jobEnded('success')) })).toMatchObject({
      dropped: ['a', 'b', 'c'],
    });
  });

  it('starts fresh in every job that took part in it', () => {
    expect(decideReuse({ ...facts, state: state(jobEnded('success', 'other')) }).dropped).toHaveLength(3);
  });

  it.each([
    ['the job failed later', [jobEnded('failure')], {}],
    ['the end of the job is unknown', [], {}],
    ['this job did not take part', [jobEnded('success', 'other')], { job: 'a later one' }],
    ['it is still the same job attempt', [jobEnded('success')], { jobAttempt: 1 }],
  ])('is reused if %s', (_case, more, changedFacts) => {
    expect(decideReuse({ ...facts, ...changedFacts, state: state(...more) })).toEqual({
      dropped: [],
    });
  });
});
