/** Why a job of a run did not pass, from its annotations. Pure. */
import { defined } from '../optional-keys.js';
import { type ResumeMark, readResumeMark, resumeTitlePrefix } from '../report/resume-mark.js';
import type { JobAnnotation, RunJob } from './run-source.js';
import { runnerCauseOf } from './runner-annotations.js';

/** The values of the input `reasons`. `limit`: a usage limit. `time`: a time limit. `lost`: the machine is gone. */
export const rerunReasons = ['limit', 'time', 'lost'] as const;

export type RerunReason = (typeof rerunReasons)[number];

/** A job that continues in a re-run. */
export interface ResumableEnd {
  readonly kind: 'resumable';
  readonly reason: RerunReason;
  /** When a re-run continues, in milliseconds since 1970. Absent: at once. */
  readonly at?: number;
}

/**
 * `matrix`: it was cancelled because another job of the matrix failed. `person`, `replaced`, `cancelled`: the job was
 * cancelled by a person, for a newer run, or nobody knows why. `own`: it failed for a reason of its own.
 */
export type JobEnd = ResumableEnd | { readonly kind: 'matrix' | 'person' | 'replaced' | 'cancelled' | 'own' };

export interface JudgedJob {
  readonly job: RunJob;
  readonly end: JobEnd;
  /** What gump-action wrote in this job. */
  readonly mark?: ResumeMark;
}

/**
 * `isAgentJob`: the job is known to run agents. A job whose machine is gone has no mark, so without this it counts as
 * failed for a reason of its own.
 */
export function judgeJob(job: RunJob, annotations: readonly JobAnnotation[], isAgentJob: boolean): JudgedJob {
  const failures = annotations.filter(({ level }) => level === 'failure');
  const mark = markOf(failures);
  return { job, end: endOf(job, failures, mark, isAgentJob), ...defined({ mark }) };
}

function endOf(
  job: RunJob,
  failures: readonly JobAnnotation[],
  mark: ResumeMark | undefined,
  isAgentJob: boolean,
): JobEnd {
  const causes = new Set(failures.map(({ message }) => runnerCauseOf(message)));
  if (causes.has('person')) return { kind: 'person' };
  if (causes.has('replaced')) return { kind: 'replaced' };
  if (mark !== undefined && mark.reason !== 'cancelled')
    return { kind: 'resumable', reason: mark.reason, at: mark.at };
  const reason = (['time', 'lost'] as const).find((cause) => causes.has(cause));
  if (reason !== undefined && (isAgentJob || mark !== undefined))
    return { kind: 'resumable', reason, ...defined({ at: mark?.at }) };
  // Only the step that was stopped knows whether it runs agents.
  if (mark !== undefined && causes.has('step-time'))
    return { kind: 'resumable', reason: 'time', at: mark.at };
  if (causes.has('matrix')) return { kind: 'matrix' };
  return { kind: mark !== undefined || job.conclusion === 'cancelled' ? 'cancelled' : 'own' };
}

/**
 * That of the latest time, if several steps of the job run workflows. Only a mark whose title is right counts, and only
 * the last one of a message: the lines before it quote what a CLI printed.
 */
function markOf(failures: readonly JobAnnotation[]): ResumeMark | undefined {
  const marks = failures
    .filter(({ title }) => title.startsWith(resumeTitlePrefix))
    .flatMap(({ message }) =>
      message
        .split('\n')
        .flatMap((line) => readResumeMark(line) ?? [])
        .slice(-1),
    );
  return marks.sort((one, other) => other.at - one.at)[0];
}
