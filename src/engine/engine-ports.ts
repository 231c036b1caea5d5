/** What the engine sees of the world. Each has the real thing and a fake in `test/fakes`. */
import type { GateResult } from '../gates/gate-result.js';
import type { SessionMark } from '../journal/event.js';
import type { Journal } from '../journal/journal.js';
import type { Attempt, RunState, StepState } from '../journal/run-state.js';
import type { AgentEvent, Permission, Provider, TurnOutcome, Usage } from '../providers/provider.js';
import type { Gate } from '../workflow/workflow.js';
import type {
  BranchMergeResult,
  BranchResult,
  FileChange,
  Snapshot,
  Workspace,
} from '../workspace/workspace.js';

export interface EnginePorts {
  readonly journal: Journal;
  readonly workspace: Workspace;
  readonly agents: Agents;
  readonly gates: GateRunner;
  readonly sessions: Sessions;
  readonly checkpoints: Checkpoints;
  readonly reporter: Reporter;
  readonly clock: {
    now(): number;
    /** Rejects as soon as the signal is aborted. */
    sleep(ms: number, signal: AbortSignal): Promise<void>;
  };
  /** A fresh UUID for a session. */
  newId(): string;
  readonly branches: ParallelBranches;
  readonly context: ContextSource;
  /** A file of `.gump/out` of that directory; `undefined` when it is not there or not an ordinary file of sensible size. */
  readOutput(directory: string, name: string): string | undefined;
  /** An empty directory, but for an empty `.gump/out`, for a step with `worktree: none`; the same path on every machine. */
  createBareDirectory(step: string): Promise<string>;
}

/** Work trees for what runs side by side. */
export interface ParallelBranches {
  /**
   * A work tree of its own that holds that state, made ready for agents. `lane` names it, by what the paths of its
   * steps begin with. Rejects with a `UserError` when it cannot be made ready.
   */
  open(branchPrefix: string, from: Snapshot, signal: AbortSignal): Promise<ParallelBranch>;
  /** What units have changed since `base`, put together in this order. */
  merge(base: Snapshot, branches: readonly BranchResult[], message: string): Promise<BranchMergeResult>;
}

export interface ParallelBranch {
  readonly workspace: Workspace;
  /** Says of each line which unit it comes from. */
  readonly reporter: Reporter;
  /** Takes the work tree away. */
  close(): Promise<void>;
}

/** What `context` puts behind a prompt. */
export interface ContextSource {
  /** The text of a file, by its path from that directory; `undefined`: the work tree has none that can be read. */
  readFile(directory: string, path: string): Promise<string | undefined>;
  /** What a shell command prints; or why it could not be had. */
  runCommand(
    directory: string,
    command: string,
    signal: AbortSignal,
  ): Promise<{ readonly output: string } | { readonly problem: string }>;
}

export interface Agents {
  /** The provider and model an agent name speaks of; names were checked before the run. */
  find(agent: string): { readonly provider: Provider; readonly model?: string };
  /**
   * Sees to it that the provider's CLI is there, which may take minutes. Rejects with a `UserError` where it cannot
   * be had; resolves when it was cancelled.
   */
  ensureInstalled(provider: Provider, signal: AbortSignal): Promise<void>;
  /** One process of the provider's CLI, from start to end. Never rejects for what the CLI does. */
  run(turn: AgentTurn): Promise<TurnOutcome & { readonly durationMs: number }>;
  /** Ends what the agent of that turn, whose process is over, has left running. */
  endLeftoverProcesses(turn: AgentTurn): Promise<void>;
}

export interface AgentTurn {
  readonly provider: Provider;
  readonly model?: string;
  readonly prompt: string;
  /** Where the agent works. */
  readonly directory: string;
  readonly session:
    | { readonly mode: 'start'; readonly id?: string }
    | { readonly mode: 'resume'; readonly id: string };
  readonly permission: Permission;
  /** How long the agent may show no sign of life, in milliseconds; 0: for ever. Absent: 10 minutes. */
  readonly stallMs?: number;
  /** What the session had spent before. */
  readonly usageBefore: Usage;
  /** `model`: the one that is at work, where the CLI has said so. */
  onEvent(event: AgentEvent, model: string | undefined): void;
  /** Aborted: the agent is ended with all that it has started. */
  readonly signal: AbortSignal;
  /** Aborted while the agent is being ended: `graceMs` is asked again, and the sooner end counts. */
  readonly cancelSignal: AbortSignal;
  /** Milliseconds that it is given for that; asked when it is ended. */
  graceMs(): number;
}

export interface GateRunner {
  run(request: GateRequest): Promise<readonly GateResult[]>;
}

export interface GateRequest {
  readonly step: string;
  /** The unit that it belongs to; empty: none. */
  readonly branchName: string;
  /** Where commands run. */
  readonly directory: string;
  /** None of them a workflow. */
  readonly gates: readonly Gate[];
  /** What the step has changed since it began. */
  changes(): Promise<readonly FileChange[]>;
  /** What the agent left for its step, for gates that look at it. */
  readonly output?: string;
  readonly signal: AbortSignal;
}

export interface Sessions {
  /** Copies the files of a session in that directory to where the next checkpoint takes them from; how far it reaches. */
  export(provider: Provider, id: string, directory: string): Promise<SessionMark | undefined>;
  /** What the session's own file says it has spent; absent where it does not say. */
  readUsage(provider: Provider, id: string, directory: string): Promise<Usage | undefined>;
}

export interface Checkpoints {
  /** Begins what of the next checkpoint can be made while gates run. */
  prepare(state: RunState): void;
  /** Stores the state; resolves when later work may start. */
  store(state: RunState): Promise<void>;
}

/** What people see while it happens. Every text but `warn` and `say` may come from an agent. */
export interface Reporter {
  /** One line of our own. */
  log(line: string): void;
  warn(message: string): void;
  stepReused(step: StepState): void;
  /** `session.text`: the sentence of `session-text.ts`. */
  attemptStarts(
    step: string,
    number: number,
    agent: string | undefined,
    session: { readonly text: string; readonly id?: string } | undefined,
  ): void;
  /** A round of a group or of a called workflow begins. */
  roundStarts(step: string, number: number, what: string): void;
  onAgentEvent(event: AgentEvent): void;
  /** An agent is at work; `progress`: what it has spent so far. The function returned: it has ended. */
  showProgress(progress: () => Promise<Usage>): () => void;
  attemptEnds(step: string, attempt: Attempt): void;
}
