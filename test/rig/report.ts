/** The public shape of `report.json`, for tests that read it. */

export interface Report {
  readonly version: 1;
  readonly workflow: string;
  readonly status: string;
  readonly failedStep?: string;
  readonly waitReason?: string;
  readonly resumeAt?: string;
  readonly runId: string;
  readonly jobAttempt: number;
  readonly resumed: boolean;
  readonly persisted: boolean;
  readonly startCommit: string;
  readonly failure?: { readonly kind: string; readonly message: string };
  readonly totals: ReportUsage & { readonly durationMs?: number };
  readonly steps: readonly ReportStep[];
}

export interface ReportStep {
  readonly path: string;
  readonly type: string;
  readonly agent?: string;
  readonly provider?: string;
  readonly status: string;
  readonly takenOver: boolean;
  readonly failure?: { readonly kind: string; readonly message: string };
  readonly result?: unknown;
  readonly attempts: readonly ReportAttempt[];
}

export interface ReportAttempt {
  readonly number: number;
  readonly jobAttempt: number;
  readonly agent?: string;
  readonly session?: {
    readonly id?: string;
    readonly declared?: string;
    readonly effective: string;
    readonly reason: string;
  };
  readonly status: string;
  readonly failure?: { readonly kind: string; readonly message: string };
  readonly gates?: readonly { readonly name: string; readonly status: string }[];
  readonly usage?: ReportUsage;
  readonly durationMs?: number;
  readonly commit?: string;
}

export interface ReportUsage {
  readonly inputTokens?: number;
  readonly outputTokens?: number;
  readonly costUsd?: number;
  readonly costIsEstimate?: true;
  readonly turns?: number;
}
