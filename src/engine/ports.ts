/** What the engine sees of the world. Each has the real thing and a fake in `test/fakes`. */
import type { GateResult } from '../gates/gate-result.js';
import type { SessionDecision, SessionMark } from '../journal/event.js';
import type { Journal } from '../journal/journal.js';
import type { Attempt, RunState, StepState } from '../journal/state.js';
import type { AgentEvent, Permission, Provider, TurnOutcome, Usage } from '../providers/provider.js';
import type { Gate } from '../workflow/workflow.js';
import type { Change, Workspace } from '../workspace/workspace.js';

export interface Ports {
  readonly journal: Journal;
  readonly workspace: Workspace;
  readonly agents: Agents;
  readonly gates: Gates;
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
  /** A file of `.gump/out`; `undefined` when it is not there or not an ordinary file of sensible size. */
  readOutput(name: string): string | undefined;
}

export interface Agents {
  /** The provider and model an agent name speaks of; names were checked before the run. */
  find(agent: string): { readonly provider: Provider; readonly model?: string };
  /** One process of the provider's CLI, from start to end. Never rejects for what the CLI does. */
  run(turn: AgentTurn): Promise<TurnOutcome & { readonly durationMs: number }>;
}

export interface AgentTurn {
  readonly provider: Provider;
  readonly model?: string;
  readonly prompt: string;
  readonly session:
    | { readonly mode: 'start'; readonly id?: string }
    | { readonly mode: 'resume'; readonly id: string };
  readonly permission: Permission;
  /** What the session had spent before. */
  readonly before: Usage;
  onEvent(event: AgentEvent): void;
  readonly signal: AbortSignal;
}

export interface Gates {
  run(request: GateRequest): Promise<readonly GateResult[]>;
}

export interface GateRequest {
  readonly step: string;
  readonly gates: readonly Gate[];
  /** What the step has changed since it began. */
  changes(): Promise<readonly Change[]>;
  /** What the agent left for its step, for gates that look at it. */
  readonly output?: string;
  readonly signal: AbortSignal;
}

export interface Sessions {
  /** Copies the session's files to where the next checkpoint takes them from; how far it reaches. */
  keep(provider: Provider, id: string): Promise<SessionMark | undefined>;
  /** What the session's own file says it has spent; absent where it does not say. */
  spent(provider: Provider, id: string): Promise<Usage | undefined>;
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
  say(line: string): void;
  warn(message: string): void;
  takenOver(step: StepState): void;
  attemptStarts(
    step: string,
    number: number,
    agent: string | undefined,
    session: SessionDecision | undefined,
  ): void;
  agentDid(event: AgentEvent): void;
  attemptEnds(step: string, attempt: Attempt): void;
}
