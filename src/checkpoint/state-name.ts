/** The default state name. Pure. */
import { createHash } from 'node:crypto';

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
  /** What two calls of one reusable workflow differ in: they have the same job id and step id. */
  readonly call: CallInputs;
}

/** The inputs that say what a run is about, without their defaults. */
export interface CallInputs {
  readonly workingDirectory?: string;
  /** The text, or the path of the file. */
  readonly spec?: string;
  readonly vars?: Readonly<Record<string, string>>;
}

/** The same name for the same source in every job attempt, and a different name for any other source. */
export function deriveStateName(source: StateNameSource): string {
  const { workflowRef, jobId, actionId, workflowFile, matrix, call } = source;
  const place = [workflowRef, jobId, actionId, workflowFile, sortKeys(matrix ?? null)];
  const isPlain = Object.values(call).every((value) => value === undefined);
  return JSON.stringify(isPlain ? place : [...place, hash(call)]);
}

/**
 * As a hash, because the state name is readable in the header of a checkpoint and in messages, and a spec is long
 * and may be confidential.
 */
function hash(call: CallInputs): string {
  return createHash('sha256')
    .update(JSON.stringify(sortKeys(call)))
    .digest('hex')
    .slice(0, 20);
}

/**
 * The name that version 0.1.0 derived, without the inputs. A re-run of a run that began with that version finds its
 * state there. `undefined` if the name is the same.
 */
export function formerStateName(source: StateNameSource): string | undefined {
  const former = deriveStateName({ ...source, call: {} });
  return former === deriveStateName(source) ? undefined : former;
}

/** Equal values as equal JSON texts. */
export function sortKeys(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sortKeys);
  if (typeof value !== 'object' || value === null) return value;
  const pairs = Object.entries(value).sort(([left], [right]) => (left < right ? -1 : 1));
  return Object.fromEntries(pairs.map(([name, inner]) => [name, sortKeys(inner)]));
}
