/** Reads one run and decides about it. */
import { decideFromJobs, decideFromProgress, decideFromRun, type RerunDecision } from './decide-rerun.js';
import { readJudgedJobs, readProgress } from './read-jobs.js';
import type { ResumeInputs } from './resume-inputs.js';
import { type RunJob, type RunSource, SourceError, type WorkflowRun } from './run-source.js';

export interface JudgeOptions {
  readonly source: RunSource;
  readonly inputs: ResumeInputs;
  /** `owner/name` of the repository of this action. `undefined` if the runner does not name it, as for `uses: ./resume`. */
  readonly actionRepository: string | undefined;
}

export interface JudgedRun {
  readonly run: WorkflowRun;
  /** Absent: the run could not be read. */
  readonly decision?: RerunDecision;
  /** Why it could not be read. */
  readonly problem?: string;
}

/** `now` as `Date.now()`. Throws only what affects all runs: a missing permission, or a rate limit. */
export async function judgeRun(options: JudgeOptions, run: WorkflowRun, now: number): Promise<JudgedRun> {
  const early = decideFromRun(run, options.inputs);
  if (early !== undefined) return { run, decision: early };
  try {
    return { run, decision: await decide(options, run, now) };
  } catch (error) {
    if (!(error instanceof SourceError) || affectsAllRuns(error)) throw error;
    return { run, problem: error.message };
  }
}

/** Whether the next request would fail for the same reason. */
export function affectsAllRuns({ problem }: SourceError): boolean {
  return problem === 'permission' || problem === 'limited';
}

async function decide(options: JudgeOptions, run: WorkflowRun, now: number): Promise<RerunDecision> {
  const { source, inputs } = options;
  const jobs = await readJudgedJobs(source, run, (job) => isAgentJob(options, job));
  const decision = decideFromJobs(run, jobs, inputs, now);
  if (decision.kind !== 'due') return decision;
  return decideFromProgress(decision, await readProgress(source, run, jobs));
}

/** The runner names a step without a `name:` after its action. The API reports nothing else about the action. */
function isAgentJob({ inputs, actionRepository }: JudgeOptions, { steps }: RunJob): boolean {
  if (inputs.workflows.length > 0) return true;
  const used = steps.flatMap((step) => /^Run ([^\s@]+)@/.exec(step)?.[1]?.toLowerCase() ?? []);
  if (actionRepository !== undefined) return used.includes(actionRepository.toLowerCase());
  return used.some((action) => action.endsWith('/gump-action'));
}
