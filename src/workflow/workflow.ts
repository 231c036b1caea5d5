/**
 * A checked workflow, as plain data, with every workflow that it calls and every prompt file read in. Made by
 * `parse.ts` and `load.ts`; nothing in here refers back to the YAML text.
 */
import type { Permission } from '../providers/provider.js';
import type { BudgetLimits, GuardLimits } from './limits.js';

export interface Workflow {
  readonly name: string;
  /** Where it was read: a path from the working directory, or `built-in NAME`. */
  readonly source: string;
  /** S2: what counts as the same agent for `from:`. */
  readonly sessionMatch: 'agent' | 'provider';
  /** How a job ends whose run waits for approval. */
  readonly onPause: 'fail' | 'success';
  readonly budget: Budget;
  readonly steps: readonly Step[];
}

/** Limits of everything that a workflow does. */
export type Budget = BudgetLimits;

export type Step = AgentStep | GateStep | SplitStep | GroupStep | CallStep;

/** Only gates; never retried. */
export interface GateStep {
  readonly kind: 'gates';
  readonly name: string;
  readonly gates: readonly Gate[];
  readonly hitl?: Pause;
}

/** Where a step waits for a person: when its agent is done, or when its gates have spoken too. */
export type Pause = 'before-gate' | 'after-gate';

export interface AgentStep {
  readonly kind: 'agent';
  readonly name: string;
  readonly type: 'code' | 'validate' | 'split' | 'artifact';
  /** Template; `pass`: no agent runs, the gates judge what is there. */
  readonly agent: string;
  /** Template. */
  readonly prompt: string;
  readonly context: readonly ContextEntry[];
  readonly worktree: WorktreeMode;
  /** A workflow that runs before each attempt, for its results. */
  readonly get?: WorkflowCall;
  readonly session: SessionChoice;
  readonly guard: Guard;
  /** Absent: what the run was told, else what the kind of step needs. */
  readonly permissions?: Permission;
  readonly hitl?: Pause;
  readonly gates: readonly Gate[];
  readonly retry: readonly RetryEntry[];
}

/** `none`: the agent works in an empty directory and does not see the repository. */
export type WorktreeMode = 'read-write' | 'read-only' | 'none';

/** What is put behind a prompt. */
export type ContextEntry =
  /** Template of a path from the working directory. */
  | { readonly type: 'file'; readonly path: string }
  /** What a shell command prints; no template. */
  | { readonly type: 'bash'; readonly command: string };

/** What restricts an attempt. `stallMs` is only for steps with an agent. */
export interface Guard extends GuardLimits {
  /** Default: `true` for every step that must answer with a file, otherwise `false`. */
  readonly noWrite?: boolean;
}

/** An agent splits the work into tasks; each of them goes through the steps of `each`. */
export interface SplitStep extends Parallel {
  readonly kind: 'split';
  readonly name: string;
  /** The step's own agent, which writes the plan; its gates, guard and `hitl` are the split's. */
  readonly planner: AgentStep;
  readonly each: readonly Step[];
  /** What becomes of a task's step that changes files which the task does not name. */
  readonly files: 'warn' | 'fail' | 'off';
  readonly gates: readonly Gate[];
  readonly retry: readonly RetryEntry[];
}

interface Parallel {
  /** The tasks, or the steps of the group, run side by side, each in a work tree of its own. */
  readonly parallel: boolean;
  /** How many run at once; absent: the number of cores, at least 2. */
  readonly maxParallel?: number;
}

/** Steps that are judged, retried and limited together. */
export interface GroupStep extends Parallel {
  readonly kind: 'group';
  readonly name: string;
  readonly steps: readonly Step[];
  readonly gates: readonly Gate[];
  readonly retry: readonly RetryEntry[];
  readonly guard: Guard;
  readonly hitl?: Pause;
}

/** A step that is a workflow of its own. */
export interface CallStep {
  readonly kind: 'call';
  readonly name: string;
  readonly call: WorkflowCall;
  readonly gates: readonly Gate[];
  readonly retry: readonly RetryEntry[];
  readonly guard: Guard;
  readonly hitl?: Pause;
}

/** Another workflow, and what it is given. */
export interface WorkflowCall {
  /** As the caller names it: `validators/arch-review`. */
  readonly path: string;
  readonly workflow: Workflow;
  /** Name → template, rendered where the call stands. */
  readonly inputs: Readonly<Record<string, string>>;
}

export type SessionChoice = { readonly mode: 'new' } | { readonly mode: 'from'; readonly step: string };

export type Gate =
  | { readonly name: string; readonly type: 'compile' | 'test' | 'lint' | 'tests_found' }
  | { readonly name: string; readonly type: 'coverage'; readonly atLeast?: number }
  | { readonly name: string; readonly type: 'touched' | 'untouched'; readonly pattern: string }
  | { readonly name: string; readonly type: 'bash'; readonly command: string }
  /** What the agent left under `.gump/out` is as its contract asks. */
  | { readonly name: string; readonly type: 'schema'; readonly contract: 'plan' | 'review' }
  /** A workflow judges. */
  | { readonly name: string; readonly type: 'validate'; readonly call: WorkflowCall };

/** Exactly one condition, and what changes when it holds. */
export interface RetryEntry {
  readonly when:
    | { readonly attempt: number }
    | { readonly not: string } // a gate's name
    | { readonly validate: WorkflowCall }
    | { readonly exit: number };
  readonly overrides: RetryOverrides;
}

export interface RetryOverrides {
  /** Template. */
  readonly agent?: string;
  readonly session?: 'new';
  readonly worktree?: 'reset';
  /** Template. */
  readonly prompt?: string;
}
