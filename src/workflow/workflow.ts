/** A checked workflow, as plain data. Made by `parse.ts`; nothing in here refers back to the YAML text. */

export interface Workflow {
  readonly name: string;
  /** S2: what counts as the same agent for `from:`. */
  readonly sessionMatch: 'agent' | 'provider';
  readonly steps: readonly Step[];
}

export type Step = AgentStep | GateStep | SplitStep;

/** Only gates; never retried. */
export interface GateStep {
  readonly kind: 'gates';
  readonly name: string;
  readonly gates: readonly Gate[];
}

export interface AgentStep {
  readonly kind: 'agent';
  readonly name: string;
  readonly type: 'code' | 'validate' | 'split';
  /** Template. */
  readonly agent: string;
  /** Template. */
  readonly prompt: string;
  readonly session: SessionChoice;
  readonly gates: readonly Gate[];
  readonly retry: readonly RetryEntry[];
}

/** An agent splits the work into tasks; each of them goes through the steps of `each`, one after the other. */
export interface SplitStep {
  readonly kind: 'split';
  readonly name: string;
  /** The step's own agent, which writes the plan; its gates are the split's. */
  readonly planner: AgentStep;
  readonly each: readonly Step[];
  readonly gates: readonly Gate[];
  readonly retry: readonly RetryEntry[];
}

export type SessionChoice = { readonly mode: 'new' } | { readonly mode: 'from'; readonly step: string };

export type Gate =
  | { readonly name: string; readonly type: 'compile' | 'test' | 'lint' | 'tests_found' }
  | { readonly name: string; readonly type: 'coverage'; readonly atLeast?: number }
  | { readonly name: string; readonly type: 'touched' | 'untouched'; readonly pattern: string }
  | { readonly name: string; readonly type: 'bash'; readonly command: string }
  /** What the agent left under `.gump/out` is as its contract asks. */
  | { readonly name: string; readonly type: 'schema'; readonly contract: 'plan' | 'review' };

/** Exactly one condition, and what changes when it holds. */
export interface RetryEntry {
  readonly when:
    | { readonly attempt: number }
    | { readonly not: string } // a gate's name
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
