/** The JSON report (format version 1), made from the fold. Pure. */
import type { Failure } from '../failure.js';
import type { Attempt, RunState, StepState } from '../journal/state.js';
import { expand, type PlacedStep } from '../plan/place.js';
import { agentOf, type Plan } from '../plan/plan.js';
import type { Usage } from '../providers/provider.js';

export type RunStatus = 'passed' | 'failed' | 'cancelled' | 'paused' | 'skipped' | 'planned';

export type StepStatus = 'passed' | 'failed' | 'skipped' | 'paused' | 'cancelled' | 'not-run';

export interface Report {
  readonly version: 1;
  readonly workflow: string;
  readonly status: RunStatus;
  readonly failedStep?: string;
  readonly runId: string;
  readonly jobAttempt: number;
  readonly resumed: boolean;
  readonly persisted: boolean;
  readonly startCommit: string;
  readonly totals: ReportUsage & { readonly durationMs: number };
  readonly steps: readonly ReportStep[];
}

export interface ReportStep {
  readonly path: string;
  readonly type: string;
  readonly agent?: string;
  readonly provider?: string;
  readonly status: StepStatus;
  /** Passed before this job and not run again. */
  readonly takenOver: boolean;
  readonly attempts: readonly ReportAttempt[];
}

export interface ReportAttempt {
  readonly number: number;
  readonly jobAttempt: number;
  readonly agent?: string;
  readonly session?: {
    readonly id?: string;
    readonly declared: string;
    readonly effective: string;
    readonly reason: string;
  };
  readonly status: string;
  readonly failure?: Pick<Failure, 'kind' | 'message'>;
  readonly gates: readonly { readonly name: string; readonly status: string; readonly durationMs: number }[];
  readonly usage: ReportUsage;
  readonly durationMs?: number;
  readonly commit?: string;
  readonly cliVersion?: string;
}

/** A number that no provider said is absent. */
export type ReportUsage = Usage;

/** What of a run is not in its journal. */
export interface ReportFacts {
  readonly status: RunStatus;
  readonly failedStep?: string;
  readonly runId: string;
  readonly jobAttempt: number;
  readonly startCommit: string;
  readonly persisted: boolean;
  /** Results of an earlier attempt or job were taken over. */
  readonly resumed: boolean;
  /** Paths of the steps that had passed before this job. */
  readonly takenOver: ReadonlySet<string>;
}

export function makeReport(plan: Plan, state: RunState, facts: ReportFacts): Report {
  return {
    version: 1,
    workflow: plan.workflow,
    status: facts.status,
    ...(facts.failedStep === undefined ? {} : { failedStep: facts.failedStep }),
    runId: facts.runId,
    jobAttempt: facts.jobAttempt,
    resumed: facts.resumed,
    persisted: facts.persisted,
    startCommit: facts.startCommit,
    totals: { ...state.spent, durationMs: state.workedMs },
    steps: expand(plan, state).map((placed) => reportStep(placed, state.steps.get(placed.path), facts)),
  };
}

function reportStep(planned: PlacedStep, state: StepState | undefined, facts: ReportFacts): ReportStep {
  const last = state?.attempts.findLast((attempt) => attempt.agent !== undefined);
  const agent = last?.agent ?? agentOf(planned.step)?.agent;
  return {
    path: planned.path,
    type: agentOf(planned.step)?.type ?? 'gates',
    ...(agent === undefined ? {} : { agent }),
    ...(last?.provider === undefined ? {} : { provider: last.provider }),
    status: statusOf(state, facts.status),
    takenOver: facts.takenOver.has(planned.path),
    attempts: (state?.attempts ?? []).map(reportAttempt),
  };
}

function statusOf(state: StepState | undefined, run: RunStatus): StepStatus {
  if (state === undefined || state.attempts.length === 0) return 'not-run';
  if (state.status !== 'running') return state.status;
  // A run that passed cut nothing off: it was told to stop (`until`) among the tasks of this split.
  return run === 'passed' ? 'not-run' : 'cancelled';
}

function reportAttempt(attempt: Attempt): ReportAttempt {
  const { number, jobAttempt, agent, session, failure, usage, durationMs, snapshot, version } = attempt;
  return {
    number,
    jobAttempt,
    ...(agent === undefined ? {} : { agent }),
    ...(session === undefined ? {} : { session }),
    status: attempt.status === 'running' ? 'cancelled' : attempt.status,
    ...(failure === undefined ? {} : { failure: { kind: failure.kind, message: failure.message } }),
    gates: attempt.gates.map((gate) => ({
      name: gate.name,
      status: gate.status,
      durationMs: gate.durationMs,
    })),
    usage,
    ...(durationMs === undefined ? {} : { durationMs }),
    ...(snapshot === undefined ? {} : { commit: snapshot.commit }),
    ...(version === undefined ? {} : { cliVersion: version }),
  };
}
