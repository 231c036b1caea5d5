import type { FindingSeverity } from '../outputs/findings.js';

/** A place that the output of a failed gate names, in a file that existed when the gate ran. */
export interface GatePlace {
  /** Relative to the repository root. */
  readonly path: string;
  readonly line: number;
  readonly endLine?: number;
  readonly column?: number;
  readonly severity: FindingSeverity;
  readonly message: string;
}

export interface GateResult {
  /** The name in templates and in `not: gate.NAME`. */
  readonly name: string;
  readonly type: string;
  /** `warned`: a problem that does not fail the attempt (`files: warn`). */
  readonly status: 'passed' | 'failed' | 'skipped' | 'warned';
  /** Standard output and standard error of the command, in the order of their arrival, or an explanation. */
  readonly output: string;
  /** The comments of the reviewer, if the gate is a workflow. */
  readonly comments?: string;
  /** Of a failed gate. States of version 0.1.0 have none. */
  readonly places?: readonly GatePlace[];
  readonly durationMs: number;
}
