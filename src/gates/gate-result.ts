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
  readonly durationMs: number;
}
