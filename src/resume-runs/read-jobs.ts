/** Reads what the decision about a run needs, and no more: each request counts against the rate limit. */
import { type AttemptMarks, needsEarlierAttempt } from './attempt-progress.js';
import { decideFromFirstJobs } from './decide-rerun.js';
import { type JudgedJob, judgeJob } from './job-end.js';
import { type RunJob, type RunSource, SourceError, type WorkflowRun } from './run-source.js';

const failed: ReadonlySet<string | undefined> = new Set(['failure', 'cancelled', 'timed_out']);

/** After this many jobs that failed for reasons of their own, the rest of the run is not read. */
const enoughOwnFailures = 5;

/** The jobs of the latest attempt that did not pass, in the order of their start. Not all if the first ones decide. */
export async function readJudgedJobs(
  source: RunSource,
  run: WorkflowRun,
  isAgentJob: (job: RunJob) => boolean,
): Promise<readonly JudgedJob[]> {
  const jobs = await failedJobs(source, run, run.attempt);
  const ended: JudgedJob[] = [];
  for (const job of jobs) {
    ended.push(judgeJob(job, await source.annotations(job.id), isAgentJob(job)));
    const early = decideFromFirstJobs(ended);
    if (early !== undefined && (early.why !== 'own' || ended.length >= enoughOwnFailures)) break;
  }
  return ended;
}

/** The marks of the latest job attempts, the latest first, as many as `lacksProgress` needs. */
export async function readProgress(
  source: RunSource,
  run: WorkflowRun,
  ended: readonly JudgedJob[],
): Promise<readonly AttemptMarks[]> {
  const attempts: AttemptMarks[] = [marksOf(ended)];
  const names = new Set(attempts[0]?.keys());
  for (let attempt = run.attempt - 1; attempt >= 1 && needsEarlierAttempt(attempts); attempt -= 1)
    attempts.push(await readMarks(source, run, attempt, names));
  return attempts;
}

async function readMarks(
  source: RunSource,
  run: WorkflowRun,
  attempt: number,
  names: ReadonlySet<string>,
): Promise<AttemptMarks> {
  try {
    const jobs = (await failedJobs(source, run, attempt)).filter(({ name }) => names.has(name));
    const ended: JudgedJob[] = [];
    for (const job of jobs) ended.push(judgeJob(job, await source.annotations(job.id), true));
    return marksOf(ended);
  } catch (error) {
    // GitHub may have removed an old job attempt. Then nothing is known about it.
    if (error instanceof SourceError && error.problem === 'missing') return new Map();
    throw error;
  }
}

async function failedJobs(source: RunSource, run: WorkflowRun, attempt: number): Promise<readonly RunJob[]> {
  const jobs = await source.jobs(run.id, attempt);
  return jobs
    .filter(({ conclusion }) => failed.has(conclusion))
    .sort((one, other) => one.startedAt - other.startedAt);
}

function marksOf(ended: readonly JudgedJob[]): AttemptMarks {
  return new Map(ended.flatMap(({ job, mark }) => (mark === undefined ? [] : [[job.name, mark] as const])));
}
