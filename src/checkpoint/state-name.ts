/** The default state name. Pure. */

export interface StateNameSource {
  /** `GITHUB_WORKFLOW_REF`. */
  readonly workflowRef: string;
  /** `GITHUB_JOB`. */
  readonly jobId: string;
  /** `GITHUB_ACTION`: differs between two steps of one job that use this action. */
  readonly actionId: string;
  /** The input `workflow`. */
  readonly workflowFile: string;
  /** The matrix leg, because legs share the job id. `null` or absent outside a matrix. */
  readonly matrix?: unknown;
}

/** The same name for the same source in every job attempt, and a different name for any other source. */
export function deriveStateName(source: StateNameSource): string {
  const { workflowRef, jobId, actionId, workflowFile, matrix } = source;
  return JSON.stringify([workflowRef, jobId, actionId, workflowFile, sortKeys(matrix ?? null)]);
}

function sortKeys(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sortKeys);
  if (typeof value !== 'object' || value === null) return value;
  const pairs = Object.entries(value).sort(([left], [right]) => (left < right ? -1 : 1));
  return Object.fromEntries(pairs.map(([name, inner]) => [name, sortKeys(inner)]));
}
