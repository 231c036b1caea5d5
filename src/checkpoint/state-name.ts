/** The name a checkpoint has when the workflow gives it none. Pure. */

export interface StateNameSource {
  /** `GITHUB_WORKFLOW_REF`. */
  readonly workflowRef: string;
  /** `GITHUB_JOB`. */
  readonly jobId: string;
  /** `GITHUB_ACTION`: two steps of one job that use this action differ in it. */
  readonly actionId: string;
  /** The Gump workflow, as the input names it. */
  readonly workflowFile: string;
  /** The matrix leg (legs share the job id); `null` or absent outside of a matrix. */
  readonly matrix?: unknown;
}

/** The same text for the same place in every job attempt, and another for every other place. */
export function deriveStateName(place: StateNameSource): string {
  const { workflowRef, jobId, actionId, workflowFile, matrix } = place;
  return JSON.stringify([workflowRef, jobId, actionId, workflowFile, sortKeys(matrix ?? null)]);
}

function sortKeys(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sortKeys);
  if (typeof value !== 'object' || value === null) return value;
  const pairs = Object.entries(value).sort(([left], [right]) => (left < right ? -1 : 1));
  return Object.fromEntries(pairs.map(([name, inner]) => [name, sortKeys(inner)]));
}
