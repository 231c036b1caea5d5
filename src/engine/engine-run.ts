/** What the steps of a run share, and how a sequence of steps ends. */

import type { Failure } from '../failure.js';
import type { NewEvent } from '../journal/event.js';
import type { RunState } from '../journal/run-state.js';
import { defined } from '../optional-keys.js';
import type { PlacedStep, StepScope } from '../plan/placed-step.js';
import type { Plan } from '../plan/plan.js';
import type { Permission } from '../providers/provider.js';
import type { FileChange, Snapshot } from '../workspace/workspace.js';
import type { EnginePorts, ParallelBranch } from './engine-ports.js';
import type { Limit, MonitoredAgent } from './limits/limit.js';

export interface BranchContext {
  /** What the paths of its steps begin with; empty: the main branch. */
  readonly branchPrefix: string;
  /** The snapshot from which it started. */
  readonly origin: Snapshot;
  readonly ports: EnginePorts;
  record(event: NewEvent): void;
  /** An agent starts: the next `flush` must store a checkpoint. */
  markCheckpointDue(): void;
  /** Gates or other commands start: files that they write are not changes of a step. */
  markGateFilesDue(): void;
  /** The worktree was recorded: whatever wrote to it before, its files now belong to the step. */
  markRecorded(): void;
  /** The files that changed while no agent and no command ran. Call it before something that relies on the worktree. */
  takeUnexplainedChanges(): Promise<readonly FileChange[]>;
  /** Stores the checkpoint that is due. Await it before anything later starts (ENGINE3). */
  flush(): Promise<void>;
  /** The context of a parallel branch of the same run, which has its own worktree. */
  openBranch(branchPrefix: string, origin: Snapshot, branch: ParallelBranch): BranchContext;
}

/** Limits from `gump.toml`. Absent: the defaults. */
export interface ErrorContext {
  /** Characters of `{error}`. */
  readonly maxErrorChars?: number;
  /** Characters of the diff in the note about the previous attempt. `{diff}` itself is the whole patch. */
  readonly maxDiffChars?: number;
}

export interface RunOptions {
  readonly plan: Plan;
  readonly ports: EnginePorts;
  /** Aborted when the job is cancelled. */
  readonly signal: AbortSignal;
  /** The time, as in `Date.now()`, at which agents and gates are stopped so that the state can be stored; absent: never. */
  readonly deadline?: number;
  readonly jobAttempt: number;
  readonly onLostSession: 'new' | 'fail';
  /** The permissions of steps that do not set their own; absent: what the kind of the step needs. */
  readonly permissions?: Permission;
  /** Who started this job, and so approves. */
  readonly actor: string;
  /** How many parallel branches run at once if the step does not set a number. */
  readonly maxParallel: number;
  /** The restored state, without results that were dropped. */
  readonly state: RunState;
  /** Sessions that could not be restored to their last mark (S13). */
  readonly unavailableSessions: ReadonlyMap<string, 'session-lost' | 'session-ahead'>;
  /** Milliseconds between two checkpoints while agents are at work; absent: none are stored then. */
  readonly checkpointIntervalMs?: number;
  /** How much of an error agents see in prompts. */
  readonly errorContext?: ErrorContext;
}

/** Handed in as a port, because running a step may mean to run the steps that it contains or calls. */
export interface StepRunner {
  /** Runs the rest of one step. */
  runStep(run: EngineRun, placed: PlacedStep): Promise<ScopeEnd>;
  /** Runs the rest of the steps of one scope. */
  runScope(run: EngineRun, scope: StepScope): Promise<ScopeEnd>;
}

/** An agent whose process is running. */
export interface RunningTurn {
  readonly step: string;
  /** Records its tree and its session. `false`: there is nothing to record, or nothing new. */
  record(): Promise<boolean>;
}

/** A run in progress, as the steps of one branch see it. */
export interface EngineRun extends Omit<RunOptions, 'state' | 'ports'>, BranchContext {
  readonly steps: StepRunner;
  /** Sessions that a running process of this job uses (S7). */
  readonly sessionsInUse: Set<string>;
  /** The limits that apply here, the widest first. */
  readonly limits: readonly Limit[];
  /** Agents here may write only their output file (`no_write`). */
  readonly isWriteForbidden: boolean;
  /** Agents whose usage is not in the journal yet. */
  readonly runningAgents: Set<MonitoredAgent>;
  /** Agents whose process is running, in all branches. */
  readonly runningTurns: Set<RunningTurn>;
  state(): RunState;
  /** Aborted if the job is cancelled. If only the time of the job (`max-time`) is up, only `signal` is aborted. */
  readonly cancelSignal: AbortSignal;
}

/** How a sequence of steps ended. `isLast`: nothing runs after them, because of `until`. */
export type ScopeEnd =
  | { readonly status: 'passed'; readonly isLast: boolean }
  | {
      readonly status: 'failed' | 'cancelled' | 'paused';
      readonly path: string;
      /** Why, if no attempt has the reason. */
      readonly failure?: Failure;
    }
  | WaitingEnd;

/** The model service refuses requests for longer than a job waits. `resumeAt`: in milliseconds since 1970. */
export interface WaitingEnd {
  readonly status: 'waiting';
  readonly path: string;
  readonly resumeAt: number;
  readonly failure?: never;
}

export const scopePassed: ScopeEnd = { status: 'passed', isLast: false };
export function recordStepEnd(run: EngineRun, step: string, end: ScopeEnd): void {
  const isOwn = end.status !== 'passed' && end.path === step;
  run.record({
    type: 'step-ended',
    step,
    // For a re-run, it was interrupted.
    status: end.status === 'waiting' ? 'cancelled' : end.status,
    jobAttempt: run.jobAttempt,
    ...defined({
      failure: isOwn ? end.failure : undefined,
      resumeAt: isOwn && end.status === 'waiting' ? end.resumeAt : undefined,
    }),
  });
}
