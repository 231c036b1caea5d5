/**
 * A checked workflow as plain data, including every workflow that it calls and the text of every prompt file.
 * `load.ts` builds it. Nothing in it refers to the YAML text.
 */
import type { Permission } from '../providers/provider.js';
import type { BudgetLimits, GuardLimits } from './limits.js';

export interface Workflow {
  readonly name: string;
  /** Where it was read from: a path from the working directory, or `built-in NAME`. */
  readonly source: string;
  /** What must be the same for `from:` (rule S2 in `docs/sessions.md`). */
  readonly sessionMatch: 'agent' | 'provider';
  /** The status of a job whose run waits for approval. */
  readonly onPause: 'fail' | 'success';
  readonly budget: Budget;
  readonly steps: readonly Step[];
}

/** Limits of everything that a workflow does. */
export type Budget = BudgetLimits;

export type Step = AgentStep | GateStep | SplitStep | GroupStep | CallStep;

/** Runs gates only and is never retried. */
export interface GateStep {
  readonly kind: 'gates';
  readonly name: string;
  readonly gates: readonly Gate[];
  readonly hitl?: Pause;
}

/** When a step waits for a person: after its agent and before its gates, or after its gates. */
export type Pause = 'before-gate' | 'after-gate';

export interface AgentStep {
  readonly kind: 'agent';
  readonly name: string;
  readonly type: 'code' | 'validate' | 'split' | 'artifact';
  /** Template. `pass`: no agent runs, and the gates check the present files. */
  readonly agent: string;
  /** The agent that continues while the service of `agent` refuses requests for some time. Not a template. */
  readonly fallback?: string;
  /** Template. */
  readonly prompt: string;
  readonly context: readonly ContextEntry[];
  readonly worktree: WorktreeMode;
  /** A workflow that runs before each attempt. The prompt can use its results. */
  readonly get?: WorkflowCall;
  readonly session: SessionChoice;
  readonly guard: Guard;
  /** Absent: the permissions of the run, otherwise the default of the step type. */
  readonly permissions?: Permission;
  readonly hitl?: Pause;
  readonly gates: readonly Gate[];
  readonly retry: readonly RetryEntry[];
}

/** `none`: the agent works in an empty directory, without the repository. */
export type WorktreeMode = 'read-write' | 'read-only' | 'none';

/** Text that is appended to a prompt. `optional`: the step runs without it if it is unavailable. */
export type ContextEntry =
  /** Template of a path from the working directory. */
  | { readonly type: 'file'; readonly path: string; readonly optional?: true }
  /** The output of a shell command; not a template. */
  | { readonly type: 'bash'; readonly command: string; readonly optional?: true };

/** What restricts an attempt. `stallMs` is only for steps with an agent. */
export interface Guard extends GuardLimits {
  /** Default: `true` for every step that must answer with a file, otherwise `false`. */
  readonly noWrite?: boolean;
}

/** An agent splits the work into tasks. The steps of `each` run for each task. */
export interface SplitStep extends Parallel {
  readonly kind: 'split';
  readonly name: string;
  /** The agent that writes the plan. Its gates, guard and `hitl` are those of the split. */
  readonly planner: AgentStep;
  readonly each: readonly Step[];
  /** What happens to a step of a task that changes files which the task does not list. */
  readonly files: 'warn' | 'fail' | 'off';
  readonly gates: readonly Gate[];
  readonly retry: readonly RetryEntry[];
}

interface Parallel {
  /** The tasks, or the steps of the group, run in parallel, each in a separate worktree. */
  readonly parallel: boolean;
  /** Maximum number that run at the same time. Absent: the number of cores, at least 2. */
  readonly maxParallel?: number;
}

/** Steps that share gates, retries and limits. */
export interface GroupStep extends Parallel {
  readonly kind: 'group';
  readonly name: string;
  readonly steps: readonly Step[];
  readonly gates: readonly Gate[];
  readonly retry: readonly RetryEntry[];
  readonly guard: Guard;
  readonly hitl?: Pause;
}

/** A step that runs another workflow. */
export interface CallStep {
  readonly kind: 'call';
  readonly name: string;
  readonly call: WorkflowCall;
  readonly gates: readonly Gate[];
  readonly retry: readonly RetryEntry[];
  readonly guard: Guard;
  readonly hitl?: Pause;
}

/** Another workflow and its inputs. */
export interface WorkflowCall {
  /** As written in the caller: `validators/arch-review`. */
  readonly path: string;
  readonly workflow: Workflow;
  /** Name → template. The caller renders it. */
  readonly inputs: Readonly<Record<string, string>>;
}

export type SessionChoice =
  | { readonly mode: 'new' }
  | { readonly mode: 'from'; readonly step: string }
  /** The session of the step in the newest earlier run on the same subject. It may be the step itself. */
  | { readonly mode: 'previous'; readonly step: string };

export type Gate =
  | { readonly name: string; readonly type: 'compile' | 'test' | 'lint' | 'tests_found' }
  | { readonly name: string; readonly type: 'coverage'; readonly atLeast?: number }
  | { readonly name: string; readonly type: 'touched' | 'untouched'; readonly pattern: string }
  | { readonly name: string; readonly type: 'bash'; readonly command: string }
  /** The result file under `.gump/out` has the required format. */
  | { readonly name: string; readonly type: 'schema'; readonly contract: 'plan' | 'review' }
  /** A workflow decides. */
  | { readonly name: string; readonly type: 'validate'; readonly call: WorkflowCall };

/** Exactly one condition, and the overrides that apply when it is true. */
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
