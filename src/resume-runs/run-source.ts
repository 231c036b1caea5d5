/** What the action in `resume/` asks GitHub about workflow runs, and the one thing that it asks GitHub to do. */

export interface RepositoryWorkflow {
  readonly id: number;
  /** The `name:` of the workflow file, or its path. */
  readonly name: string;
  /** `.github/workflows/agents.yml`. */
  readonly path: string;
}

export interface WorkflowRun {
  readonly id: number;
  /** The name of its workflow. */
  readonly name: string;
  /** Counts the runs of the workflow. */
  readonly number: number;
  readonly workflowId: number;
  /** `.github/workflows/agents.yml`. */
  readonly path: string;
  /** `completed`, or what GitHub is doing with it. */
  readonly status: string;
  readonly conclusion: string | undefined;
  /** The number of its latest job attempt. */
  readonly attempt: number;
  /** When job attempt 1 was created, in milliseconds since 1970. */
  readonly createdAt: number;
  /** When it last changed, in milliseconds since 1970. */
  readonly updatedAt: number;
  readonly event: string;
  /** Whether its commit is in a fork. */
  readonly isOfFork: boolean;
}

export interface RunJob {
  readonly id: number;
  readonly name: string;
  readonly conclusion: string | undefined;
  /** In milliseconds since 1970. */
  readonly startedAt: number;
  readonly completedAt: number;
  readonly steps: readonly string[];
}

export interface JobAnnotation {
  readonly level: string;
  readonly title: string;
  readonly message: string;
}

/** `running`: the run is in progress already. `refused`: with the text of GitHub. */
export type RerunAnswer =
  | { readonly kind: 'accepted' }
  | { readonly kind: 'running' }
  | { readonly kind: 'refused'; readonly message: string };

/** The conclusions of runs that the action lists. */
export type ListedConclusion = 'failure' | 'cancelled';

export interface RunQuery {
  readonly conclusion: ListedConclusion;
  /** In milliseconds since 1970. */
  readonly createdSince: number;
  /** Absent: all workflows. */
  readonly workflowId?: number;
}

/** Each method throws a `SourceError` if GitHub does not answer it. */
export interface RunSource {
  workflows(): Promise<readonly RepositoryWorkflow[]>;
  /** The newest first. */
  runs(query: RunQuery): Promise<readonly WorkflowRun[]>;
  run(id: number): Promise<WorkflowRun>;
  /** The jobs of one job attempt of a run. */
  jobs(runId: number, attempt: number): Promise<readonly RunJob[]>;
  annotations(jobId: number): Promise<readonly JobAnnotation[]>;
  /** Asks once. After an error with the problem `no-answer`, the run may have started or not. */
  rerunFailedJobs(runId: number): Promise<RerunAnswer>;
  /** The requests that the rate limit still allows, as of the last answer. `undefined` if it did not say. */
  requestsLeft(): number | undefined;
}

/**
 * `permission`: the token may not do this. `limited`: a rate limit. `missing`: GitHub knows no such run or job.
 * `no-answer`: no connection, or an error of GitHub.
 */
export type SourceProblem = 'permission' | 'limited' | 'missing' | 'no-answer' | 'refused';

export class SourceError extends Error {
  override readonly name = 'SourceError';

  /** `retryAfterMs`: for `limited`, if GitHub names it. */
  constructor(
    readonly problem: SourceProblem,
    message: string,
    readonly retryAfterMs?: number,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}
