/** The interfaces through which the engine reaches everything outside. Each has a fake in `test/fakes`. */
import type { Failure } from '../failure.js';
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
import type { PreviousRuns } from './previous-run.js';

export interface EnginePorts {
  readonly journal: Journal;
  readonly workspace: Workspace;
  readonly agents: Agents;
  readonly gates: GateRunner;
  readonly sessions: Sessions;
  readonly checkpoints: Checkpoints;
  readonly reporter: Reporter;
  /** Absent: conversations are not written down. */
  readonly transcripts?: Transcripts;
  readonly clock: {
    now(): number;
    /** Rejects when the signal is aborted. */
    sleep(ms: number, signal: AbortSignal): Promise<void>;
  };
  /** A fresh UUID for a session. */
  newId(): string;
  /** Absent: the workflow names no earlier run. */
  readonly previous?: PreviousRuns;
  readonly branches: ParallelBranches;
  readonly context: ContextSource;
  readonly event: EventValues;
  /** A file in `.gump/out` of that directory; `undefined` if it is missing, too large, or not a regular file. */
  readOutput(directory: string, name: string): string | undefined;
  /** The number of lines of a file in the repository at `root`; `undefined` if it is no readable regular file. */
  countLines(root: string, path: string): number | undefined;
  /** A directory with nothing but an empty `.gump/out`, for a step with `worktree: none`; the same path on every machine. */
  createBareDirectory(step: string): Promise<string>;
}

/** Worktrees for parallel branches. */
export interface ParallelBranches {
  /**
   * A worktree with the files of the snapshot, set up for agents. `branchPrefix`: what the paths of the branch's
   * steps begin with. Rejects with a `UserError` if the worktree cannot be set up, and with a `FailureError` if the
   * setup changed something that it must not change.
   */
  open(branchPrefix: string, from: Snapshot, signal: AbortSignal): Promise<ParallelBranch>;
  /** Merges the changes of the branches since `base`, in this order. */
  merge(base: Snapshot, branches: readonly BranchResult[], message: string): Promise<BranchMergeResult>;
}

export interface ParallelBranch {
  readonly workspace: Workspace;
  /** Marks each line with the name of the branch. */
  readonly reporter: Reporter;
  /** Removes the worktree. */
  close(): Promise<void>;
}

/** Reads the values of template names that stand for the event of the run. */
export interface EventValues {
  /** Reads each thing at most once, unless it could not be read. Never rejects because of GitHub. */
  read(names: readonly string[]): Promise<EventReading>;
}

export interface EventReading {
  /** Empty text for a name that this event does not have. Names that are not of an event are absent. */
  readonly values: ReadonlyMap<string, string>;
  /** Why a name could not be read, as sentences that say what to do. */
  readonly problems: ReadonlyMap<string, string>;
}

/** Reads what `context` appends to a prompt. */
export interface ContextSource {
  /** The text of a file, by its path from that directory; `undefined` if the worktree has no readable file there. */
  readFile(directory: string, path: string): Promise<string | undefined>;
  /** The output of a shell command, or why there is none. `failure`: the attempt must not start. */
  runCommand(directory: string, command: string, signal: AbortSignal): Promise<ContextCommandEnd>;
}

export type ContextCommandEnd =
  | { readonly output: string }
  /** How it ended, with what it printed on standard error; `hint`: a sentence that says what may help. */
  | { readonly problem: string; readonly hint?: string }
  | { readonly failure: Failure };

export interface Agents {
  /**
   * The provider and model of an agent name. Throws a `UserError` if it names no agent, which is possible only for a
   * name with a template: all others were checked before the run.
   */
  find(agent: string): { readonly provider: Provider; readonly model?: string };
  /**
   * Installs the CLI of the provider if it is missing, which can take minutes. Rejects with a `UserError` if that
   * fails; resolves if it was cancelled.
   */
  ensureInstalled(provider: Provider, signal: AbortSignal): Promise<void>;
  /**
   * Runs one process of the CLI from start to end, and ends the processes that it left running. Never rejects because
   * of what the CLI does.
   */
  run(turn: AgentTurn): Promise<TurnOutcome & { readonly durationMs: number }>;
}

export interface AgentTurn {
  readonly provider: Provider;
  readonly model?: string;
  readonly prompt: string;
  /** The working directory of the agent. */
  readonly directory: string;
  readonly session:
    | { readonly mode: 'start'; readonly id?: string }
    | { readonly mode: 'resume'; readonly id: string };
  readonly permission: Permission;
  /** The agent may write only its output file, whatever its permission allows. */
  readonly mustNotWrite: boolean;
  /** Milliseconds without any output after which the agent counts as stalled; 0: no limit. Absent: 10 minutes. */
  readonly stallMs?: number;
  /** The usage of the session before this turn. */
  readonly usageBefore: Usage;
  /** `model`: the current model, if the CLI has reported it. */
  onEvent(event: AgentEvent, model: string | undefined): void;
  /** Aborted: ends the agent and all processes that it started. */
  readonly signal: AbortSignal;
  /** Aborted while the agent is being ended: `graceMs` is called again, and the earlier end applies. */
  readonly cancelSignal: AbortSignal;
  /** Milliseconds that the agent gets to end by itself. Called when ending starts. */
  graceMs(): number;
}

export interface GateRunner {
  run(request: GateRequest): Promise<GatesEnd>;
}

export interface GatesEnd {
  readonly results: readonly GateResult[];
  /** A gate did what no gate may do. The attempt fails with this, whatever the results are. */
  readonly failure?: Failure;
}

export interface GateRequest {
  readonly step: string;
  /** The parallel branch of the step; empty: none. */
  readonly branchName: string;
  /** The working directory of commands. */
  readonly directory: string;
  /** Contains no workflow gates. */
  readonly gates: readonly Gate[];
  /** The changes of the step since its start. */
  changes(): Promise<readonly FileChange[]>;
  /** The output file of the agent, for gates that read it. */
  readonly output?: string;
  readonly signal: AbortSignal;
}

export interface Sessions {
  /** Whether the CLI has stored a session with this id on this machine. */
  isStored(provider: Provider, id: string, directory: string): Promise<boolean>;
  /** Copies the files of a session for the next checkpoint; returns the mark up to which they reach. */
  export(provider: Provider, id: string, directory: string): Promise<SessionMark | undefined>;
  /**
   * Copies a session while its agent is at work. `undefined`: the CLI has not stored it yet. Rejects if it cannot be
   * copied, with the reason. `signal` is aborted when the agent has ended.
   */
  copyRunning(
    provider: Provider,
    id: string,
    directory: string,
    signal: AbortSignal,
  ): Promise<RunningSessionCopy | undefined>;
  /** The usage in the session's own file; `undefined` if the file does not contain it. */
  readUsage(provider: Provider, id: string, directory: string): Promise<Usage | undefined>;
}

export interface RunningSessionCopy {
  /** The point of the session that was copied. */
  readonly mark: SessionMark;
  /** Keeps the copy for the next checkpoint. `false` if the session was shortened or rewritten since. */
  keep(): Promise<boolean>;
}

/** A checkpoint while agents are at work. */
export interface IntervalCheckpoint {
  /** A larger one is not stored. */
  readonly maxBytes: number;
  /** Called with its size when it is sealed, whether it is stored or not. */
  onSealed(bytes: number): void;
}

export interface Checkpoints {
  /** Starts the part of the next checkpoint that can be made while gates run. */
  prepare(state: RunState): void;
  /**
   * Stores the state. Resolves when later work may start. An interval checkpoint is left out if another one is being
   * stored, or if the job is cancelled, because then the state is stored anyway.
   */
  store(state: RunState, interval?: IntervalCheckpoint): Promise<void>;
}

/** Writes the conversations with the agents to files. Never throws. */
export interface Transcripts {
  /** A process of an agent starts. */
  open(conversation: Conversation): OpenConversation;
}

export interface OpenConversation {
  add(event: AgentEvent): void;
  /** The process has ended. */
  end(failure: Failure | undefined): void;
}

export interface Conversation {
  readonly step: string;
  readonly attempt: number;
  readonly jobAttempt: number;
  readonly agent: string;
  readonly session: 'new' | 'resumed';
  readonly id?: string;
  /** The whole prompt of this process. */
  readonly prompt: string;
}

/** What people see during the run. Every text except those of `log` and `warn` may come from an agent. */
export interface Reporter {
  /** A line by the action itself. */
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
  /** A round of a group or of a called workflow starts. */
  roundStarts(step: string, number: number, what: string): void;
  onAgentEvent(event: AgentEvent): void;
  /** An agent is running; `progress`: its usage so far. Call the returned function when the agent has ended. */
  showProgress(progress: () => Promise<Usage>): () => void;
  attemptEnds(step: string, attempt: Attempt): void;
}
