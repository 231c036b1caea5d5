import { describe, expect, it } from 'vitest';
import { judgeJob } from '../../src/resume-runs/job-end.js';
import type { RunJob } from '../../src/resume-runs/run-source.js';
import type { StoredAnnotation } from '../rig/github/state.js';
import {
  cancelled,
  failure,
  markAnnotation,
  outOfTime,
  personCancelled,
  progressOf,
  shutdown,
} from './sample-runs.js';

const job: RunJob = { id: 1, name: 'a', conclusion: 'failure', startedAt: 0, completedAt: 1, steps: [] };
const at = Date.parse('2026-11-28T18:00:00Z');

function endOf(annotations: readonly StoredAnnotation[], conclusion = 'failure', isAgentJob = true) {
  return judgeJob({ ...job, conclusion }, annotations, isAgentJob).end;
}

const matrix = failure('The strategy configuration was canceled because "a.b" failed');
const replaced = failure("Canceling since a higher priority waiting request for 'x' exists");

describe('the end of a job', () => {
  it('is that of the mark for a limit and for max-time', () => {
    expect(endOf([markAnnotation({ at })])).toEqual({ kind: 'resumable', reason: 'limit', at });
    expect(endOf([markAnnotation({ at, reason: 'time' })])).toEqual({
      kind: 'resumable',
      reason: 'time',
      at,
    });
    expect(judgeJob(job, [markAnnotation({ at })], false).mark).toEqual({
      reason: 'limit',
      at,
      progress: progressOf('a'),
    });
  });

  it('is that of the latest mark if the job has several', () => {
    const later = markAnnotation({ at: at + 1000 });
    expect(endOf([later, markAnnotation({ at })])).toMatchObject({ at: at + 1000 });
  });

  it.each([
    [shutdown, 'lost'],
    [outOfTime, 'time'],
  ])('needs no mark if GitHub names the cause: %s', (message, reason) => {
    expect(endOf([failure(message), failure(cancelled)])).toEqual({ kind: 'resumable', reason });
    const mark = markAnnotation({ at, reason: 'cancelled' });
    expect(endOf([mark, failure(message)])).toEqual({ kind: 'resumable', reason, at });
  });

  it('is its own if the job is not known to run agents', () => {
    expect(endOf([failure(shutdown)], 'failure', false)).toEqual({ kind: 'own' });
    expect(endOf([failure(outOfTime)], 'failure', false)).toEqual({ kind: 'own' });
    const mark = markAnnotation({ at, reason: 'cancelled' });
    expect(endOf([mark, failure(shutdown)], 'failure', false)).toMatchObject({ reason: 'lost' });
  });

  it('is a time limit if the step of gump-action reached its own', () => {
    const stepTime = failure("The action 'Run agents' has timed out after 30 minutes.");
    const mark = markAnnotation({ at, reason: 'cancelled' });
    expect(endOf([mark, stepTime])).toEqual({ kind: 'resumable', reason: 'time', at });
    expect(endOf([stepTime])).toEqual({ kind: 'own' });
    expect(endOf([mark, stepTime, failure(personCancelled)])).toEqual({ kind: 'person' });
  });

  it('is a cancellation if nobody but a person, or nobody known, caused it', () => {
    const mark = markAnnotation({ at, reason: 'cancelled' });
    expect(endOf([mark, failure(cancelled)], 'cancelled')).toEqual({ kind: 'cancelled' });
    expect(endOf([failure(cancelled)], 'cancelled')).toEqual({ kind: 'cancelled' });
    expect(endOf([mark, failure(personCancelled)], 'cancelled')).toEqual({ kind: 'person' });
    expect(endOf([mark, replaced], 'cancelled')).toEqual({ kind: 'replaced' });
    expect(endOf([mark, matrix], 'cancelled')).toEqual({ kind: 'matrix' });
  });

  it('is a cancellation by a person, whatever else the job says', () => {
    const all = [markAnnotation({ at }), failure(shutdown), failure(outOfTime), failure(personCancelled)];
    expect(endOf(all)).toEqual({ kind: 'person' });
  });

  it('is its own for any other failure', () => {
    expect(endOf([])).toEqual({ kind: 'own' });
    expect(endOf([failure('Process completed with exit code 1.')])).toEqual({ kind: 'own' });
    // "The operation was canceled." alone does not say that the machine is gone.
    expect(endOf([failure(cancelled)])).toEqual({ kind: 'own' });
  });

  it('ignores what is no error, a mark under another title, and a mark that nobody can read', () => {
    const mark = markAnnotation({ at });
    expect(endOf([{ ...mark, level: 'notice' }])).toEqual({ kind: 'own' });
    expect(endOf([{ ...mark, title: 'build' }])).toEqual({ kind: 'own' });
    expect(endOf([{ ...mark, message: 'gump-resume: {"v":2}' }])).toEqual({ kind: 'own' });
    expect(endOf([{ ...failure(shutdown), level: 'warning' }])).toEqual({ kind: 'own' });
  });

  it('ignores a mark in the words that the message quotes', () => {
    const mark = markAnnotation({ at });
    const quoted = markAnnotation({ at: at + 1_000_000 }).message;
    expect(endOf([{ ...mark, message: `${quoted}\n${mark.message}` }])).toMatchObject({ at });
  });

  it('finds the mark before a line that the log adds', () => {
    const mark = markAnnotation({ at });
    expect(endOf([{ ...mark, message: `${mark.message}\nHelp: https://example.com` }])).toMatchObject({ at });
  });
});
