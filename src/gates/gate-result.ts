export interface GateResult {
  /** Name by which templates and `not: gate.NAME` speak of it. */
  readonly name: string;
  readonly type: string;
  /** `warned`: not as it should be, and no failure (`files: warn`). */
  readonly status: 'passed' | 'failed' | 'skipped' | 'warned';
  /** What the gate said: standard output and error of a command in the order they came, or an explanation. */
  readonly output: string;
  /** What the reviewer of a workflow that judged has said. */
  readonly comments?: string;
  readonly durationMs: number;
}
