/** The JSON report (format version 1), made from the run state. Pure. */

import type { Failure } from '../failure.js';
import type { GateResult } from '../gates/gate-result.js';
import type { Published, WaitReason } from '../journal/event.js';
import { totalAgentMs, totalCost, totalUsage } from '../journal/ledger.js';
import type { Attempt, RunState, StepState } from '../journal/run-state.js';
import { defined } from '../optional-keys.js';
import { expandPlan, type PlacedStep } from '../plan/placed-step.js';
import { agentStepOf, type Plan } from '../plan/plan.js';
import type { Cost } from '../providers/money.js';
import type { Usage } from '../providers/provider.js';
import type { Step } from '../workflow/workflow.js';
import type { ChangedFile, ChangeTotals } from './change-statistics.js';
import { resultOfStep, type StepResult } from './result-of-step.js';
import { formatInstant } from './resume-mark.js';

export type RunStatus = 'passed' | 'failed' | 'cancelled' | 'paused' | 'waiting' | 'skipped' | 'planned';

export type StepStatus = 'passed' | 'failed' | 'skipped' | 'paused' | 'cancelled' | 'not-run';

export interface Report {
  readonly version: 1;
  readonly workflow: string;
  readonly status: RunStatus;
  readonly failedStep?: string;
  /** Why the run waits. Absent: it does not wait. */
  readonly waitReason?: WaitReason;
  /** When a re-run continues a run that waits: RFC 3339 in UTC, whole seconds. */
  readonly resumeAt?: string;
  /** Why the run ended, if no step is the cause: for example a limit of the run was reached. */
  readonly failure?: Pick<Failure, 'kind' | 'message'>;
  readonly runId: string;
  readonly jobAttempt: number;
  readonly resumed: boolean;
  readonly persisted: boolean;
  readonly startCommit: string;
  /** `costIsIncomplete`: the cost of some agent is unknown, so the whole cost is at least `costUsd`. */
  readonly totals: ReportUsage & Cost & { readonly durationMs: number };
  /** What was made at GitHub or in the checkout, by all jobs of the run; the newest of each kind. */
  readonly published?: readonly ReportPublication[];
  /** What waits for approval. Absent: the run does not wait. */
  readonly approval?: ReportApproval;
  readonly steps: readonly ReportStep[];
}

/** A commit, a push, a pull request, a review or a comment. */
export type ReportPublication = Pick<Published, 'kind' | 'branch' | 'commit' | 'pullRequest' | 'url'>;

/** The step whose result waits for a person, and what it changed since its start. */
export interface ReportApproval {
  readonly step: string;
  readonly changes: Omit<ChangeTotals, 'files'> & { readonly files: readonly ChangedFile[] };
}

export interface ReportStep {
  readonly path: string;
  readonly type: string;
  readonly agent?: string;
  readonly provider?: string;
  readonly status: StepStatus;
  /** The step passed before this job, and its result is reused. */
  readonly takenOver: boolean;
  /** Why the step failed, if no attempt is the cause. */
  readonly failure?: Pick<Failure, 'kind' | 'message'>;
  /** Absent: the step has none, or an earlier version recorded it without one. */
  readonly result?: StepResult;
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
  /** The point at which the attempt waits or waited for a person. */
  readonly pause?: string;
  /** Login of the person who approved it. */
  readonly approvedBy?: string;
  readonly failure?: Pick<Failure, 'kind' | 'message'>;
  /** The comments of a reviewer. */
  readonly comments?: string;
  readonly gates: readonly Pick<GateResult, 'name' | 'status' | 'durationMs'>[];
  readonly usage: ReportUsage;
  /** What the first answer after resuming the session used; absent if the CLI does not report it. */
  readonly firstTurn?: ReportUsage;
  readonly durationMs?: number;
  readonly commit?: string;
  readonly cliVersion?: string;
}

/** A number that no provider reports is absent. */
export type ReportUsage = Usage;

/** Facts about a run that are not in its journal. */
export interface ReportFacts {
  readonly status: RunStatus;
  readonly failedStep?: string;
  readonly runId: string;
  readonly jobAttempt: number;
  readonly startCommit: string;
  readonly persisted: boolean;
  /** Results of an earlier job attempt or job are reused. */
  readonly resumed: boolean;
  /** Paths of the steps that had passed before this job. */
  readonly reusedSteps: ReadonlySet<string>;
  readonly approval?: ReportApproval;
}

export function makeReport(plan: Plan, state: RunState, facts: ReportFacts): Report {
  return {
    version: 1,
    workflow: plan.workflow,
    status: facts.status,
    ...defined({ failedStep: facts.failedStep }),
    ...waitFields(state),
    ...failureField(state.runEnded?.failure),
    runId: facts.runId,
    jobAttempt: facts.jobAttempt,
    resumed: facts.resumed,
    persisted: facts.persisted,
    startCommit: facts.startCommit,
    totals: {
      ...totalUsage(state.ledger),
      ...totalCost(state.ledger),
      durationMs: totalAgentMs(state.ledger),
    },
    ...publishedField(state),
    ...defined({ approval: facts.approval }),
    steps: expandPlan(plan, state).map((placed) => reportStep(placed, state.steps.get(placed.path), facts)),
  };
}

function publishedField({ published }: RunState): Pick<Report, 'published'> {
  const newest = new Map(published.map((one) => [one.kind, one]));
  const list = [...newest.values()].map(({ kind, branch, commit, pullRequest, url }) => ({
    kind,
    ...defined({ branch, commit, pullRequest, url }),
  }));
  return list.length === 0 ? {} : { published: list };
}

function waitFields({ runEnded }: RunState): Pick<Report, 'waitReason' | 'resumeAt'> {
  const { reason, resumeAt } = runEnded ?? {};
  return defined({
    waitReason: reason,
    resumeAt: resumeAt === undefined ? undefined : formatInstant(resumeAt),
  });
}

function reportStep(planned: PlacedStep, state: StepState | undefined, facts: ReportFacts): ReportStep {
  const last = state?.attempts.findLast((attempt) => attempt.agent !== undefined);
  const agent = last?.agent ?? agentStepOf(planned.step)?.agent;
  return {
    path: planned.path,
    type: typeOf(planned.step),
    ...defined({ agent }),
    ...defined({ provider: last?.provider }),
    status: statusOf(state, facts.status),
    takenOver: facts.reusedSteps.has(planned.path),
    ...failureField(state?.failure),
    ...defined({ result: resultOfStep(state) }),
    attempts: (state?.attempts ?? []).map(reportAttempt),
  };
}

function typeOf(step: Step): string {
  if (step.kind === 'call') return 'workflow';
  return agentStepOf(step)?.type ?? step.kind;
}

function failureField(failure: Failure | undefined) {
  return failure === undefined ? {} : { failure: { kind: failure.kind, message: failure.message } };
}

function statusOf(state: StepState | undefined, run: RunStatus): StepStatus {
  if (state === undefined || state.attempts.length === 0) return 'not-run';
  if (state.status !== 'running') return state.status;
  // A run that passed interrupted nothing: it ended at `until`, before the remaining tasks of this split.
  return run === 'passed' ? 'not-run' : 'cancelled';
}

/** An attempt that waited for approval and continued in a later job attempt was not interrupted. */
function hasWaited({ status, pause }: Attempt): boolean {
  return status === 'cancelled' && pause !== undefined;
}

function attemptStatus(attempt: Attempt): string {
  const { status, pause, approvedBy } = attempt;
  if (hasWaited(attempt)) return 'paused';
  if (status !== 'running') return status;
  return pause !== undefined && approvedBy === undefined ? 'paused' : 'cancelled';
}

function reportAttempt(attempt: Attempt): ReportAttempt {
  const { number, jobAttempt, agent, session, failure, usage, durationMs, snapshot, version } = attempt;
  return {
    number,
    jobAttempt,
    ...defined({ agent, session }),
    status: attemptStatus(attempt),
    ...defined({ pause: attempt.pause, approvedBy: attempt.approvedBy }),
    ...failureField(hasWaited(attempt) ? undefined : failure),
    ...defined({ comments: attempt.comments }),
    gates: attempt.gates.map((gate) => ({
      name: gate.name,
      status: gate.status,
      durationMs: gate.durationMs,
    })),
    usage,
    ...defined({ firstTurn: attempt.firstTurn, durationMs }),
    ...defined({ commit: snapshot?.commit }),
    ...defined({ cliVersion: version }),
  };
}
