/**
 * What the journal holds, one event a line. State is only ever a fold of these (`state.ts`); report, summary
 * and outputs are made from the same fold. An event is on disk before anything acts on it.
 */
import type { Failure } from '../failure.js';
import type { GateResult } from '../gates/gate-result.js';
import type { Usage } from '../providers/provider.js';
import type { Pause } from '../workflow/workflow.js';
import type { Snapshot } from '../workspace/workspace.js';

/** Raised when an older reader could misread newer events; a checkpoint of another version is refused. */
export const journalVersion = 2;

export const sessionReasons = [
  'declared-new',
  'from',
  'kept-on-retry',
  'continued',
  'override-new',
  'agent-changed',
  'from-target-not-run',
  'from-other-agent',
  'from-out-of-scope',
  'from-in-use',
  'no-session-id',
  'session-lost',
  'session-ahead',
  'context-full',
  'no-progress',
] as const;

export type SessionReason = (typeof sessionReasons)[number];

/** Why an attempt ran in the session it ran in (contract, section 4). */
export interface SessionDecision {
  /** `new` or `from:<step>`, as the workflow says. */
  readonly declared: string;
  readonly effective: 'new' | 'resumed';
  readonly reason: SessionReason;
  /** The id to resume, or the one chosen for a new session; absent until the CLI tells it. */
  readonly id?: string;
}

/** How far a session reached (S13). */
export interface SessionMark {
  readonly length: number;
  readonly sha256: string;
}

/** Hashes of what a step depends on, kept apart so that a change can be named (S11). */
export type Fingerprint = Readonly<Record<'definition' | 'agent' | 'spec' | 'vars', string>>;

/** Which attempt of which step an event speaks of. */
export interface AttemptRef {
  readonly step: string;
  readonly number: number;
  readonly jobAttempt: number;
}

export interface JobStarted {
  readonly type: 'job-started';
  /** `journalVersion` of the writer. */
  readonly version: number;
  readonly jobAttempt: number;
  /** Job id, action step id and matrix leg: tells a re-run of this job from another job of the same state. */
  readonly job: string;
  readonly workflow: string;
  readonly startCommit: string;
  readonly startTree: string;
  /** Top-level names that lay there and that git ignores, for the interruption note. */
  readonly ignored?: readonly string[];
}

/** S11, S14, `from-step`: the results of these steps are forgotten; what they cost is not. */
export interface StepsDropped {
  readonly type: 'steps-dropped';
  readonly steps: readonly string[];
  readonly reason: string;
}

export interface StepStarted {
  readonly type: 'step-started';
  readonly step: string;
  readonly fingerprint: Fingerprint;
  /** The tree before the step's first attempt. */
  readonly from: Snapshot;
  /** The parallel unit that it belongs to, by what the paths of its steps begin with; absent: none. */
  readonly lane?: string;
}

/** A group, a split or a call begins a round in which steps below it run once more; their attempts stay. */
export interface StepsReopened {
  readonly type: 'steps-reopened';
  readonly by: string;
  readonly steps: readonly string[];
  /** The tree at which the round begins; absent: each goes on where it was. */
  readonly from?: Snapshot;
  /** The steps get new sessions. */
  readonly freshSession?: boolean;
  /** Only a unit of it begins again, in its own lane. */
  readonly isUnit?: boolean;
}

/** Whether the workflow that a retry entry names has passed, before that attempt. */
export interface RetryJudged {
  readonly type: 'retry-judged';
  readonly step: string;
  readonly number: number;
  /** Place of the entry in the list. */
  readonly entry: number;
  readonly holds: boolean;
}

/** Units side by side begin: the tree that all of them begin from, in this job and in later ones. */
export interface UnitsBegun {
  readonly type: 'units-begun';
  readonly step: string;
  readonly snapshot: Snapshot;
}

/** The changes of two units of a parallel step cannot be put together. */
export interface UnitsConflict {
  readonly type: 'units-conflict';
  readonly step: string;
  readonly files: readonly string[];
  readonly units: readonly [earlier: string, later: string];
}

/** The changes of all units of a parallel step were put together. */
export interface UnitsMerged {
  readonly type: 'units-merged';
  readonly step: string;
  readonly snapshot: Snapshot;
}

/** The definition of a step that has not passed was changed; its attempts stay. */
export interface StepRedefined {
  readonly type: 'step-redefined';
  readonly step: string;
  readonly fingerprint: Fingerprint;
}

export interface AttemptStarted extends AttemptRef {
  readonly type: 'attempt-started';
  /** Absent: the step runs only gates, or other steps; `pass`: it leaves out its agent. */
  readonly agent?: string;
  /** Absent: no agent runs. */
  readonly provider?: string;
  readonly session?: SessionDecision;
  /** The rendered prompt without the notes added to it; frozen (S11). */
  readonly prompt?: string;
  /** The agent works in an empty directory. */
  readonly isBare?: boolean;
  /** What a called workflow is given, rendered. */
  readonly inputs?: Readonly<Record<string, string>>;
  /** Only what judges it is missing: what its agent left in an earlier job, and who approved that, stands again. */
  readonly standsAgain?: true;
}

/** The attempt waits for a person (contract 5.9). */
export interface AttemptPaused extends AttemptRef {
  readonly type: 'attempt-paused';
  readonly pause: Pause;
}

export interface AttemptApproved extends AttemptRef {
  readonly type: 'attempt-approved';
  /** Login of whoever started the job that let it go on. */
  readonly by: string;
}

/** The CLI told its session id, or another one than before (S8). */
export interface SessionKnown extends AttemptRef {
  readonly type: 'session-known';
  readonly id: string;
}

/** S9: the session was gone; the same attempt starts again in a new one. */
export interface SessionReplaced extends AttemptRef {
  readonly type: 'session-replaced';
  readonly session: SessionDecision;
  /** What the futile start spent, if anything. */
  readonly usage: Usage;
}

/** A file by which an agent answers: a verdict, a plan or a text. */
export interface OutputFile {
  readonly name: 'validate.json' | 'plan.json' | 'artifact.txt';
  readonly text: string;
}

/** The model service refused for now; the same attempt goes on in its session at `until`. */
export interface AttemptWaits extends AttemptRef {
  readonly type: 'attempt-waits';
  readonly kind: 'rate-limit' | 'overloaded';
  /** Milliseconds since 1970. */
  readonly until: number;
  /** What the refused try spent. */
  readonly usage: Usage;
  /** What the session has spent in all, where the CLI says so. */
  readonly totals?: Usage;
  /** How long the refused try was at work. */
  readonly durationMs: number;
}

/** The agent's process is over and its tree and session are recorded; its gates have not run yet. */
export interface AgentEnded extends AttemptRef {
  readonly type: 'agent-ended';
  readonly failure?: Failure;
  /** Of the last try; what refused ones spent is in their `attempt-waits`. */
  readonly usage: Usage;
  /** What the session has spent in all, where the CLI says so. */
  readonly totals?: Usage;
  /** Of the first answer in a conversation that was taken up again. */
  readonly firstTurn?: Usage;
  readonly snapshot: Snapshot;
  /** Whether the attempt changed the tree. */
  readonly changed: boolean;
  readonly mark?: SessionMark;
  /** Top-level names that git ignores and that lay there, for the interruption note. */
  readonly ignored: readonly string[];
  /** What the agent had to write for its step below `.gump/out`. */
  readonly output?: OutputFile;
  readonly version?: string;
  readonly durationMs: number;
}

export interface AttemptEnded extends AttemptRef {
  readonly type: 'attempt-ended';
  readonly status: 'passed' | 'failed' | 'cancelled';
  readonly failure?: Failure;
  readonly gates: readonly GateResult[];
  /** Paths the step has changed so far. */
  readonly files: readonly string[];
  /** A validate step's comments. */
  readonly comments?: string;
  /** It failed without a verdict: a workflow that was to judge it has broken down. */
  readonly isUnjudged?: boolean;
  /** The tree at the end of a round of a group or a call. */
  readonly snapshot?: Snapshot;
  readonly durationMs: number;
}

/** The end of an attempt that failed before anything of it could be judged. */
export function failedWithoutVerdict(ref: AttemptRef, failure: Failure): AttemptEnded {
  return { type: 'attempt-ended', ...ref, status: 'failed', failure, gates: [], files: [], durationMs: 0 };
}

export interface StepEnded {
  readonly type: 'step-ended';
  readonly step: string;
  readonly status: 'passed' | 'failed' | 'cancelled' | 'paused';
  readonly jobAttempt: number;
  /** Why, where it is no attempt's: its units could not be put together, say. */
  readonly failure?: Failure;
}

export interface RunEnded {
  readonly type: 'run-ended';
  readonly status: 'passed' | 'failed' | 'cancelled' | 'paused';
  /** The step that failed, was cut off or waits. */
  readonly failedStep?: string;
  /** Why, where it is no step's: the time of the job was up. */
  readonly failure?: Failure;
  readonly jobAttempt: number;
}

/** Written by `post`: what became of the job that our step is part of (S14). */
export interface JobEnded {
  readonly type: 'job-ended';
  readonly jobAttempt: number;
  readonly job: string;
  readonly status: string;
}

export type JournalEvent = (
  | JobStarted
  | StepsDropped
  | StepStarted
  | StepRedefined
  | StepsReopened
  | RetryJudged
  | UnitsBegun
  | UnitsConflict
  | UnitsMerged
  | AttemptStarted
  | SessionKnown
  | SessionReplaced
  | AttemptWaits
  | AgentEnded
  | AttemptEnded
  | AttemptPaused
  | AttemptApproved
  | StepEnded
  | RunEnded
  | JobEnded
) & {
  /** Milliseconds since 1970. */
  readonly at: number;
};

/** An event as its maker hands it over: the journal adds the time. */
export type NewEvent = JournalEvent extends infer Event
  ? Event extends unknown
    ? Omit<Event, 'at'>
    : never
  : never;
