/** What the steps of one run share, and how steps that run one after the other ended. */

import type { Failure } from '../failure.js';
import type { NewEvent } from '../journal/event.js';
import type { RunState } from '../journal/run-state.js';
import { defined } from '../optional-keys.js';
import type { PlacedStep, StepScope } from '../plan/placed-step.js';
import type { Plan } from '../plan/plan.js';
import type { Permission } from '../providers/provider.js';
import type { Snapshot } from '../workspace/workspace.js';
import type { EnginePorts, ParallelBranch } from './engine-ports.js';
import type { Limit, MonitoredAgent } from './limits/limit.js';

export interface BranchContext {
  /** What the paths of its steps begin with; empty: the main line. */
  readonly branchPrefix: string;
  /** The tree that it began from. */
  readonly origin: Snapshot;
  readonly ports: EnginePorts;
  record(event: NewEvent): void;
  /** An agent starts: the next `settle` has a checkpoint to store. */
  markCheckpointDue(): void;
  /** Gates start: what they write belongs to no step. */
  markGateFilesDue(): void;
  /** To be awaited before anything later starts: stores the checkpoint that is due (E3). */
  flush(): Promise<void>;
  /** Another lane of the same run, with a work tree of its own. */
  openBranch(branchPrefix: string, origin: Snapshot, branch: ParallelBranch): BranchContext;
}

/** Absent: as much as it is unless told. */

export interface ErrorContext {
  /** Characters of `{error}`. */
  readonly maxErrorChars?: number;
  /** Characters of `{diff}` in the note on the attempt before; the name itself stands for the whole patch. */
  readonly maxDiffChars?: number;
}

export interface RunOptions {
  readonly plan: Plan;
  readonly ports: EnginePorts;
  /** Aborted when the job is cancelled. */
  readonly signal: AbortSignal;
  /** When, as `Date.now()`, agents and gates are stopped so that the state can be stored; absent: never. */
  readonly deadline?: number;
  readonly jobAttempt: number;
  readonly onLostSession: 'new' | 'fail';
  /** What the agents of steps may do that do not say it themselves; absent: what their kind needs. */
  readonly permissions?: Permission;
  /** Who started this job: may approve. */
  readonly actor: string;
  /** How many units run at once where a step does not say. */
  readonly maxParallel: number;
  /** The fold so far, after everything that does not hold any more was dropped. */
  readonly state: RunState;
  /** Sessions that could not be brought back to where they were (S13). */
  readonly unavailableSessions: ReadonlyMap<string, 'session-lost' | 'session-ahead'>;
  /** How much of what went wrong is told to agents. */
  readonly errorContext?: ErrorContext;
}

/** How steps are run, for what holds or calls steps: it is part of running a step itself. */
export interface StepRunner {
  /** Runs what is left of one step. */
  runStep(run: EngineRun, placed: PlacedStep): Promise<ScopeEnd>;
  /** Runs what is left of the steps of one scope. */
  runScope(run: EngineRun, scope: StepScope): Promise<ScopeEnd>;
}

/** One run in progress: what the steps of a lane share. */

export interface EngineRun extends Omit<RunOptions, 'state' | 'ports' | 'deadline'>, BranchContext {
  readonly steps: StepRunner;
  /** Sessions that a running process of this job holds (S7). */
  readonly sessionsInUse: Set<string>;
  /** The limits around what runs here, the widest first. */
  readonly limits: readonly Limit[];
  /** No agent here may change anything but its answer. */
  readonly isWriteForbidden: boolean;
  /** Agents whose spending is not written down yet. */
  readonly runningAgents: Set<MonitoredAgent>;
  state(): RunState;
  /** Aborted when the job was cancelled; where only our time is up `signal` is aborted alone. */
  readonly cancelSignal: AbortSignal;
}

/** How steps that run one after the other ended: `isLast` tells that nothing at all runs after them. */

export type ScopeEnd =
  | { readonly status: 'passed'; readonly isLast: boolean }
  | {
      readonly status: 'failed' | 'cancelled' | 'paused';
      readonly path: string;
      /** Why, where no attempt says it. */
      readonly failure?: Failure;
    };

export const scopePassed: ScopeEnd = { status: 'passed', isLast: false };
export function recordStepEnd(run: EngineRun, step: string, end: ScopeEnd): void {
  const failure = end.status !== 'passed' && end.path === step ? end.failure : undefined;
  run.record({
    type: 'step-ended',
    step,
    status: end.status,
    jobAttempt: run.jobAttempt,
    ...defined({ failure }),
  });
}
