export interface GateResult {
  /** Name by which templates and `not: gate.NAME` speak of it. */
  readonly name: string;
  readonly type: string;
  readonly status: 'passed' | 'failed' | 'skipped';
  /** What the gate said: standard output and error of a command in the order they came, or an explanation. */
  readonly output: string;
  readonly durationMs: number;
}
