import { describe, expect, it } from 'vitest';
import {
  decideFromFirstJobs,
  decideFromJobs,
  decideFromRun,
  type RerunRules,
} from '../../src/resume-runs/decide-rerun.js';
import type { JobEnd, JudgedJob } from '../../src/resume-runs/job-end.js';
import type { WorkflowRun } from '../../src/resume-runs/run-source.js';
import { hour } from './sample-runs.js';

const now = Date.parse('2026-11-28T18:00:00Z');
const rules: RerunRules = { maxAgeMs: 72 * hour, maxAttempts: 10, reasons: ['limit', 'time', 'lost'] };

const run: WorkflowRun = {
  id: 1,
  name: 'agents',
  number: 7,
  workflowId: 1,
  path: '.github/workflows/agents.yml',
  status: 'completed',
  conclusion: 'failure',
  attempt: 1,
  createdAt: now - 5 * hour,
  updatedAt: now - hour,
  event: 'push',
  isOfFork: false,
};

function job(name: string, end: JobEnd, started = 2, ended = 1): JudgedJob {
  const times = { startedAt: now - started * hour, completedAt: now - ended * hour };
  return { job: { id: 1, name, conclusion: 'failure', steps: [], ...times }, end };
}

const limit = (at: number): JobEnd => ({ kind: 'resumable', reason: 'limit', at });
const lost: JobEnd = { kind: 'resumable', reason: 'lost' };
const decide = (jobs: readonly JudgedJob[], changed: Partial<RerunRules> = {}, of = run) =>
  decideFromJobs(of, jobs, { ...rules, ...changed }, now);

describe('a run before its jobs are read', () => {
  const early = (changed: Partial<WorkflowRun>) => decideFromRun({ ...run, ...changed }, rules);

  it('is left alone in progress, from a fork, or after max-attempts', () => {
    expect(early({})).toBeUndefined();
    expect(early({ status: 'in_progress' })).toEqual({ kind: 'leave', why: 'in-progress' });
    expect(early({ attempt: 9 })).toBeUndefined();
    expect(early({ attempt: 10 })).toEqual({ kind: 'leave', why: 'max-attempts' });
    expect(early({ isOfFork: true, event: 'pull_request' })).toEqual({ kind: 'leave', why: 'fork' });
    expect(early({ isOfFork: true, event: 'pull_request_review' })).toEqual({ kind: 'leave', why: 'fork' });
    expect(early({ isOfFork: true, event: 'pull_request_target' })).toBeUndefined();
    expect(early({ event: 'pull_request' })).toBeUndefined();
  });
});

describe('a run with one job that did not pass', () => {
  it('is due at the moment of its mark, and not a moment earlier', () => {
    expect(decide([job('a', limit(now))])).toEqual({ kind: 'due', reason: 'limit', at: now });
    expect(decide([job('a', limit(now + 1))])).toEqual({ kind: 'wait', reason: 'limit', at: now + 1 });
  });

  it('is due at once if its machine was lost', () => {
    expect(decide([job('a', lost)])).toEqual({ kind: 'due', reason: 'lost', at: run.updatedAt });
  });

  it.each(['person', 'replaced', 'cancelled', 'own'] as const)('is left alone: %s', (kind) => {
    expect(decide([job('a', { kind })])).toEqual({ kind: 'leave', why: kind, job: 'a' });
  });

  it('is left alone if its reason is not wanted', () => {
    const found = decide([job('a', limit(now))], { reasons: ['time', 'lost'] });
    expect(found).toEqual({ kind: 'leave', why: 'reason', job: 'a' });
  });

  it('is left alone if it will be too old at its time', () => {
    const old = { ...run, createdAt: now - 71 * hour };
    expect(decide([job('a', limit(now + hour))], {}, old)).toMatchObject({ kind: 'wait' });
    expect(decide([job('a', limit(now + 2 * hour))], {}, old)).toEqual({
      kind: 'leave',
      why: 'after-max-age',
    });
    expect(decide([job('a', limit(now + 31 * 24 * hour))])).toEqual({ kind: 'leave', why: 'after-30-days' });
  });

  it('is left alone if it has no job that did not pass', () => {
    expect(decide([])).toEqual({ kind: 'leave', why: 'own' });
  });
});

describe('a run with several jobs that did not pass', () => {
  it('waits for the latest time', () => {
    const jobs = [job('a', limit(now + hour)), job('b', lost), job('c', limit(now - hour))];
    expect(decide(jobs)).toEqual({ kind: 'wait', reason: 'limit', at: now + hour });
  });

  it('is left alone if another job failed for a reason of its own', () => {
    const jobs = [job('test', { kind: 'own' }, 3, 2), job('a', limit(now))];
    expect(decide(jobs)).toEqual({ kind: 'leave', why: 'own-next-to', job: 'test' });
    expect(decide(jobs.toReversed())).toEqual({ kind: 'leave', why: 'own-next-to', job: 'test' });
  });

  it('is due if the other job started when they had all ended, because it may depend on them', () => {
    const all = job('all-passed', { kind: 'own' }, 1, 0.9);
    expect(decide([job('a', limit(now)), all])).toMatchObject({ kind: 'due' });
    const longer = job('b', limit(now), 2, 0.5);
    expect(decide([job('a', limit(now)), longer, all])).toMatchObject({ why: 'own-next-to' });
  });

  it('is due if the other legs of the matrix were cancelled with it', () => {
    const jobs = [job('leg 1', limit(now)), job('leg 2', { kind: 'matrix' })];
    expect(decide(jobs)).toEqual({ kind: 'due', reason: 'limit', at: now });
    expect(decide([job('leg 2', { kind: 'matrix' })])).toEqual({ kind: 'leave', why: 'own' });
  });

  it('is never re-run if a person cancelled one of them', () => {
    const jobs = [job('a', limit(now)), job('b', { kind: 'person' })];
    expect(decide(jobs)).toEqual({ kind: 'leave', why: 'person', job: 'b' });
  });

  it('is left alone if one of their reasons is not wanted', () => {
    const jobs = [job('a', limit(now)), job('b', lost)];
    expect(decide(jobs, { reasons: ['limit'] })).toEqual({ kind: 'leave', why: 'reason', job: 'b' });
  });
});

it('the first jobs decide only what later jobs cannot change', () => {
  expect(decideFromFirstJobs([])).toBeUndefined();
  expect(decideFromFirstJobs([job('a', limit(now))])).toBeUndefined();
  expect(decideFromFirstJobs([job('a', limit(now)), job('b', { kind: 'own' })])).toMatchObject({
    why: 'own-next-to',
  });
});
