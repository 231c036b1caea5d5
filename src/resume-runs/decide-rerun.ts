/** Decides about one run from what GitHub reports: re-run it now, wait, or leave it alone. Pure. */
import { type AttemptMarks, lacksProgress } from './attempt-progress.js';
import type { JudgedJob, RerunReason, ResumableEnd } from './job-end.js';
import type { WorkflowRun } from './run-source.js';

/** Why a run is left alone. `leave-texts.ts` has the sentences. */
export type LeaveReason =
  | 'in-progress'
  | 'fork'
  | 'max-attempts'
  | 'person'
  | 'replaced'
  | 'cancelled'
  | 'own'
  | 'own-next-to'
  | 'reason'
  | 'after-max-age'
  | 'after-30-days'
  | 'no-progress';

export interface Leave {
  readonly kind: 'leave';
  readonly why: LeaveReason;
  /** The job that decides it, if one does. */
  readonly job?: string;
}

/** `at`: the moment of the re-run, in milliseconds since 1970. */
export interface DueOrWait {
  readonly kind: 'due' | 'wait';
  readonly reason: RerunReason;
  readonly at: number;
}

export type RerunDecision = Leave | DueOrWait;

export interface RerunRules {
  readonly maxAgeMs: number;
  /** A run with this many job attempts is left alone. */
  readonly maxAttempts: number;
  readonly reasons: readonly RerunReason[];
}

/** GitHub documentation, "Re-running workflows and jobs": up to 30 days after the initial run. */
export const rerunWindowMs = 30 * 24 * 3_600_000;

/** What is already clear without the jobs of the run. `undefined`: its jobs decide. */
export function decideFromRun(run: WorkflowRun, { maxAttempts }: RerunRules): Leave | undefined {
  if (run.status !== 'completed') return leave('in-progress');
  if (isStrangersRun(run)) return leave('fork');
  return run.attempt >= maxAttempts ? leave('max-attempts') : undefined;
}

/**
 * A pull request from a fork runs without secrets, so it has no conversation to resume, and its author decides what its
 * annotations contain.
 */
function isStrangersRun({ isOfFork, event }: WorkflowRun): boolean {
  return isOfFork && event.startsWith('pull_request') && event !== 'pull_request_target';
}

/**
 * The first jobs of a run, in the order in which they started: whether they already decide that it is left alone. Then no
 * later job changes this.
 */
export function decideFromFirstJobs(jobs: readonly JudgedJob[]): Leave | undefined {
  for (const kind of ['person', 'replaced', 'cancelled'] as const) {
    const found = jobs.find(({ end }) => end.kind === kind);
    if (found !== undefined) return leave(kind, found.job.name);
  }
  const resumed = jobs.flatMap(({ job, end }) => (end.kind === 'resumable' ? [job] : []));
  const ended = Math.max(...resumed.map(({ completedAt }) => completedAt));
  // A job that started later may depend on them, for example one that requires all others to pass. GitHub re-runs it
  // with them. Any other job would repeat its own failure.
  const own = jobs.find(({ job, end }) => end.kind === 'own' && job.startedAt < ended);
  if (own !== undefined) return leave('own-next-to', own.job.name);
  const first = jobs.find(({ end }) => end.kind === 'own');
  return resumed.length === 0 && first !== undefined ? leave('own', first.job.name) : undefined;
}

/** `jobs`: all jobs of the latest attempt that did not pass, in the order in which they started. `now` as `Date.now()`. */
export function decideFromJobs(
  run: WorkflowRun,
  jobs: readonly JudgedJob[],
  rules: RerunRules,
  now: number,
): RerunDecision {
  const early = decideFromFirstJobs(jobs);
  if (early !== undefined) return early;
  const latest = latestOf(jobs, run.updatedAt);
  if (latest === undefined) return leave('own');
  const unwanted = jobs.find(({ end }) => end.kind === 'resumable' && !rules.reasons.includes(end.reason));
  if (unwanted !== undefined) return leave('reason', unwanted.job.name);
  const { reason, at } = latest;
  const age = Math.max(at, now) - run.createdAt;
  if (age > rerunWindowMs) return leave('after-30-days');
  if (age > rules.maxAgeMs) return leave('after-max-age');
  return { kind: at > now ? 'wait' : 'due', reason, at };
}

/** `attempts`: the latest first, as `attempt-progress.ts` needs them. Only a run that is due is asked about. */
export function decideFromProgress(decision: DueOrWait, attempts: readonly AttemptMarks[]): RerunDecision {
  return decision.kind === 'due' && lacksProgress(attempts) ? leave('no-progress') : decision;
}

/** All jobs are re-run together, so the run waits for the latest time. */
function latestOf(jobs: readonly JudgedJob[], ended: number): Required<ResumableEnd> | undefined {
  const ends = jobs.flatMap(({ end }) => (end.kind === 'resumable' ? [{ at: ended, ...end }] : []));
  return ends.sort((one, other) => other.at - one.at)[0];
}

function leave(why: LeaveReason, job?: string): Leave {
  return { kind: 'leave', why, ...(job === undefined ? {} : { job }) };
}
