import { describe, expect, it } from 'vitest';
import type { JournalEvent, NewEvent } from '../../src/journal/event.js';
import { fold, type RunState } from '../../src/journal/state.js';
import type { Plan } from '../../src/plan/plan.js';
import { decideTakeover } from '../../src/plan/takeover.js';
import { agentStep, planOf } from '../fakes/plan.js';

const steps = [
  agentStep('a', { prompt: 'a {spec}' }),
  agentStep('b', { prompt: 'b {colour}' }),
  agentStep('c'),
];
const plan = planOf(steps, { spec: 'x', vars: { colour: 'red' } });
const snapshot = { base: 'start', commit: 'start' };

/** A recorded run in which the steps ended like this, in order; steps that are not named did not run. */
function recorded(
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
  return fold([started, ...events, ...more].map((event) => ({ ...event, at: 0 }) as JournalEvent));
}

const facts = { plan, job: 'job', jobAttempt: 2, startTree: 'T' };

describe('decideTakeover', () => {
  it('keeps everything where nothing changed', () => {
    expect(decideTakeover({ ...facts, state: recorded(['passed', 'passed', 'failed']) })).toEqual({
      dropped: [],
    });
  });

  it('drops a passed step whose inputs changed, and what comes after it', () => {
    const changed = planOf(steps, { spec: 'x', vars: { colour: 'blue' } });
    const takeover = decideTakeover({
      ...facts,
      plan: changed,
      state: recorded(['passed', 'passed', 'failed']),
    });
    expect(takeover.dropped).toEqual(['b', 'c']);
    expect(takeover.reason).toBe('the variables of step `b` changed');
  });

  it('keeps a step that does not use what changed', () => {
    const changed = planOf(steps, { spec: 'x', vars: { colour: 'red', other: 'new' } });
    expect(
      decideTakeover({ ...facts, plan: changed, state: recorded(['passed', 'passed']) }).dropped,
    ).toEqual([]);
  });

  it.each([
    ['the spec', { spec: 'y', vars: { colour: 'red' } }, 'a'],
    ['the agent', { spec: 'x', vars: { colour: 'red' }, agent: 'codex' }, 'a'],
  ])('names %s as what changed', (part, inputs, first) => {
    const takeover = decideTakeover({
      ...facts,
      plan: planOf(steps, inputs),
      state: recorded(['passed', 'passed']),
    });
    expect(takeover).toMatchObject({ dropped: ['a', 'b'], reason: `${part} of step \`${first}\` changed` });
  });

  it('lets a failed step go on though its definition changed: its conversation is what is kept', () => {
    const changed = planOf([agentStep('a', { prompt: 'a {spec}' }), agentStep('b', { prompt: 'other' })], {
      spec: 'x',
    });
    expect(
      decideTakeover({ ...facts, plan: changed, state: recorded(['passed', 'failed']) }).dropped,
    ).toEqual([]);
  });

  it('drops from where the order of the steps changed', () => {
    const inserted = planOf([steps[0] ?? agentStep('a'), agentStep('new'), ...steps.slice(1)], {
      spec: 'x',
      vars: { colour: 'red' },
    });
    const takeover = decideTakeover({ ...facts, plan: inserted, state: recorded(['passed', 'passed']) });
    expect(takeover).toMatchObject({ dropped: ['b'], reason: 'step `new` now comes before step `b`' });
  });

  it('drops from a step that is gone', () => {
    const without = planOf(steps.slice(1), { spec: 'x', vars: { colour: 'red' } });
    expect(
      decideTakeover({ ...facts, plan: without, state: recorded(['passed', 'passed']) }).dropped,
    ).toEqual(['a', 'b']);
  });

  it('drops every result where the start tree changed, but not the conversation of a first step that failed', () => {
    const state = recorded(['passed', 'failed']);
    expect(decideTakeover({ ...facts, startTree: 'other', state }).dropped).toEqual(['a', 'b']);
    expect(decideTakeover({ ...facts, startTree: 'other', state: recorded(['failed']) }).dropped).toEqual([]);
  });

  it('forgets from `from-step` on', () => {
    const from = planOf(steps, { spec: 'x', vars: { colour: 'red' }, fromStep: 'b' });
    expect(
      decideTakeover({ ...facts, plan: from, state: recorded(['passed', 'passed', 'failed']) }).dropped,
    ).toEqual(['b', 'c']);
    expect(decideTakeover({ ...facts, plan: from, state: recorded(['failed']) }).dropped).toEqual([]);
  });
});

describe('a run that had passed (S14)', () => {
  const passed: readonly NewEvent[] = [{ type: 'run-ended', status: 'passed', jobAttempt: 1 }];
  const jobEnded = (status: string, job = 'job'): NewEvent => ({
    type: 'job-ended',
    jobAttempt: 1,
    job,
    status,
  });
  const state = (...more: readonly NewEvent[]) =>
    recorded(['passed', 'passed', 'passed'], plan, [...passed, ...more]);

  it('starts afresh where its job had ended with success', () => {
    expect(decideTakeover({ ...facts, state: state(jobEnded('success')) })).toMatchObject({
      dropped: ['a', 'b', 'c'],
    });
  });

  it('starts afresh in every job that had a part in it', () => {
    expect(decideTakeover({ ...facts, state: state(jobEnded('success', 'other')) }).dropped).toHaveLength(3);
  });

  it.each([
    ['the job failed later', [jobEnded('failure')], {}],
    ['nothing is known of the job’s end', [], {}],
    ['this job had no part in it', [jobEnded('success', 'other')], { job: 'a later one' }],
    ['it is still the same job attempt', [jobEnded('success')], { jobAttempt: 1 }],
  ])('is taken over where %s', (_case, more, told) => {
    expect(decideTakeover({ ...facts, ...told, state: state(...more) })).toEqual({
      dropped: [],
    });
  });
});
