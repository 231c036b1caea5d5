/**
 * The events of the journal, one per line. The state of a run is only ever a fold of them (`run-state.ts`). The
 * report, the summary and the outputs are made from the same fold. An event is on disk before anything acts on it.
 *
 * A stored format: event types and fields must keep their names.
 */
import type { Failure } from '../failure.js';
import type { GateResult } from '../gates/gate-result.js';
import type { Finding } from '../outputs/findings.js';
import type { Usage } from '../providers/provider.js';
import type { Pause } from '../workflow/workflow.js';
import type { Snapshot } from '../workspace/workspace.js';

/** Increased if an older reader could misread newer events. A checkpoint of another version is refused. */
export const journalVersion = 4;

/**
 * Versions whose events this version reads. Version 0.1.0 wrote 2, which has no events about agents at work. 3 has no
 * events about what is published, and no runs that wait.
 */
export const readableJournalVersions: readonly number[] = [2, 3, journalVersion];

export const sessionReasons = [
  'declared-new',
  'from',
  'kept-on-retry',
  'continued',
  'override-new',
  'previous',
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
  'previous-not-found',
  'previous-expired',
] as const;

export type SessionReason = (typeof sessionReasons)[number];

/** The session of an attempt, and why. docs/sessions.md explains the reasons. */
export interface SessionDecision {
  /** `new`, `from:<step>` or `previous:<step>`, as the workflow declares it. */
  readonly declared: string;
  readonly effective: 'new' | 'resumed';
  readonly reason: SessionReason;
  /** The id to resume, or the id of the new session. Absent until the CLI reports it. */
  readonly id?: string;
  /** The earlier run whose session was found, for `previous:<step>`. */
  readonly earlier?: DatedSession;
}

/** A session of an earlier run on the same subject. */
export interface EarlierSession {
  readonly runId: string;
  /** The head commit of that run. */
  readonly commit: string;
  /** When that run ended, in milliseconds since 1970. */
  readonly endedAt: number;
  /** The size of its context, by the provider's last count. */
  readonly tokens?: number;
  /** The page of that run. */
  readonly url?: string;
  /** Its agent was at work when that run was cancelled or lost its machine. */
  readonly isInterrupted?: true;
}

export interface DatedSession extends EarlierSession {
  /** Milliseconds from the end of that run to this decision. */
  readonly ageMs: number;
}

/** The end of a session at some point (S13). */
export interface SessionMark {
  readonly length: number;
  readonly sha256: string;
}

/** Hashes of what a step depends on. They are separate so that a message can name what changed (S11). */
export type Fingerprint = Readonly<Record<'definition' | 'agent' | 'spec' | 'vars', string>>;

/** The attempt of an event. */
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
  /** Job id, action step id and matrix leg. It distinguishes a re-run of this job from another job with the same state. */
  readonly job: string;
  readonly workflow: string;
  readonly startCommit: string;
  readonly startTree: string;
  /** Top-level names that were present and that git ignores, for the interruption note. */
  readonly ignored?: readonly string[];
}

/** S11, S14, `from-step`: the results of these steps are dropped. Their cost still counts. */
export interface StepsDropped {
  readonly type: 'steps-dropped';
  readonly steps: readonly string[];
  /** Steps that run again without losing their attempts. The steps around them have not ended any more. */
  readonly reopened?: readonly string[];
  readonly reason: string;
}

export interface StepStarted {
  readonly type: 'step-started';
  readonly step: string;
  readonly fingerprint: Fingerprint;
  /** The tree before the step's first attempt. */
  readonly from: Snapshot;
  /** The path prefix of the parallel branch that contains the step. Absent: none. */
  readonly lane?: string;
}

/** A group, a split or a call starts a round in which steps below it run again. Their attempts are kept. */
export interface StepsReopened {
  readonly type: 'steps-reopened';
  readonly by: string;
  readonly steps: readonly string[];
  /** The tree at the start of the round. Absent: each step continues from its own tree. */
  readonly from?: Snapshot;
  /** The steps get new sessions. */
  readonly freshSession?: boolean;
  /** Only one parallel branch starts over. */
  readonly isUnit?: boolean;
}

/** Whether the workflow of `validate` in a retry entry passed before that attempt. */
export interface RetryJudged {
  readonly type: 'retry-judged';
  readonly step: string;
  readonly number: number;
  /** Index of the entry in the list. */
  readonly entry: number;
  readonly holds: boolean;
}

/** Parallel branches start: the tree from which all of them start, in this job and in later ones. */
export interface UnitsBegun {
  readonly type: 'units-begun';
  readonly step: string;
  readonly snapshot: Snapshot;
}

/** The changes of two parallel branches of a step cannot be merged. */
export interface UnitsConflict {
  readonly type: 'units-conflict';
  readonly step: string;
  readonly files: readonly string[];
  readonly units: readonly [earlier: string, later: string];
}

/** The changes of all parallel branches of a step were merged. */
export interface UnitsMerged {
  readonly type: 'units-merged';
  readonly step: string;
  readonly snapshot: Snapshot;
}

/** The definition of a step that has not passed changed. Its attempts are kept. */
export interface StepRedefined {
  readonly type: 'step-redefined';
  readonly step: string;
  readonly fingerprint: Fingerprint;
}

export interface AttemptStarted extends AttemptRef {
  readonly type: 'attempt-started';
  /** Absent: the step runs only gates, or other steps. `pass`: it runs without its agent. */
  readonly agent?: string;
  /** Absent: no agent runs. */
  readonly provider?: string;
  /** The agent that this one replaces, because its service refuses requests for some time (`fallback`). */
  readonly insteadOf?: string;
  readonly session?: SessionDecision;
  /** The rendered prompt without the notes that are added to it. It does not change in a re-run (S11). */
  readonly prompt?: string;
  /** The agent works in an empty directory. */
  readonly isBare?: boolean;
  /** The rendered inputs of a called workflow. */
  readonly inputs?: Readonly<Record<string, string>>;
  /** Only its gates are missing: the result of its agent in an earlier job, and its approval, are reused. */
  readonly standsAgain?: true;
}

/** The attempt waits for a person (`hitl`). */
export interface AttemptPaused extends AttemptRef {
  readonly type: 'attempt-paused';
  readonly pause: Pause;
}

export interface AttemptApproved extends AttemptRef {
  readonly type: 'attempt-approved';
  /** Login of the person who started the job that approved it. */
  readonly by: string;
}

/** The CLI reported its session id, or a new one (S8). */
export interface SessionKnown extends AttemptRef {
  readonly type: 'session-known';
  readonly id: string;
}

/** S9: the session was missing. The same attempt starts again in a new one. */
export interface SessionReplaced extends AttemptRef {
  readonly type: 'session-replaced';
  readonly session: SessionDecision;
  /** What the failed start spent, if anything. */
  readonly usage: Usage;
}

/** A file with the answer of an agent: a verdict, a plan or a text. */
export interface OutputFile {
  readonly name: 'validate.json' | 'plan.json' | 'artifact.txt';
  readonly text: string;
}

/** The model service refused for now. The same attempt resumes its session at `until`. */
export interface AttemptWaits extends AttemptRef {
  readonly type: 'attempt-waits';
  readonly kind: 'rate-limit' | 'overloaded';
  /** Milliseconds since 1970. */
  readonly until: number;
  /** What the refused try spent. */
  readonly usage: Usage;
  /** What the session has spent in total, if the CLI reports it. */
  readonly totals?: Usage;
  /** How long the refused try ran. */
  readonly durationMs: number;
}

/**
 * The agent is at work, and its tree and its session are recorded as they were at one moment (`checkpoint-interval`).
 * If the machine is lost, the attempt continues from there. The newest one counts until the end of the agent.
 */
export interface AgentRecorded extends AttemptRef {
  readonly type: 'agent-recorded';
  readonly snapshot: Snapshot;
  readonly mark: SessionMark;
  /** Top-level names that git ignores and that were present, for the interruption note. */
  readonly ignored: readonly string[];
  /** What this process of the agent has spent so far. It counts if the machine is lost. */
  readonly usage: Usage;
  /** How long this process has run. */
  readonly durationMs: number;
}

/** A checkpoint was sealed while agents were at work. The limit on their sizes spans re-runs. */
export interface IntervalSealed {
  readonly type: 'interval-sealed';
  readonly jobAttempt: number;
  readonly bytes: number;
}

/** The agent's process has ended, and its tree and session are recorded. Its gates have not run yet. */
export interface AgentEnded extends AttemptRef {
  readonly type: 'agent-ended';
  readonly failure?: Failure;
  /** Of the last try. What refused tries spent is in their `attempt-waits`. */
  readonly usage: Usage;
  /** What the session has spent in total, if the CLI reports it. */
  readonly totals?: Usage;
  /** Usage of the first answer in a resumed session. */
  readonly firstTurn?: Usage;
  /** Usage of the last answer, if the CLI reports it. It shows how large the context of the session is. */
  readonly lastTurn?: Usage;
  readonly snapshot: Snapshot;
  /** Whether the attempt changed the tree. */
  readonly changed: boolean;
  readonly mark?: SessionMark;
  /** Top-level names that git ignores and that were present, for the interruption note. */
  readonly ignored: readonly string[];
  /** Repositories in the worktree that the attempt changed. Their changes are not in the snapshot. */
  readonly unstored?: readonly string[];
  /** The file that the agent wrote below `.gump/out`. */
  readonly output?: OutputFile;
  /** The agent's final message, if that is the result of its step. Shortened to `maxStoredText`. */
  readonly text?: string;
  /** The findings of a verdict, at places that exist in the recorded tree. */
  readonly findings?: readonly Finding[];
  readonly version?: string;
  readonly durationMs: number;
}

/** The longest final message that the journal keeps, in characters. */
export const maxStoredText = 128 * 1024;

export interface AttemptEnded extends AttemptRef {
  readonly type: 'attempt-ended';
  readonly status: 'passed' | 'failed' | 'cancelled';
  readonly failure?: Failure;
  readonly gates: readonly GateResult[];
  /** Paths that the step has changed so far. */
  readonly files: readonly string[];
  /** A validate step's comments. */
  readonly comments?: string;
  /** It failed without a verdict: the workflow that judges it failed itself. */
  readonly isUnjudged?: boolean;
  /** The tree at the end of a round of a group or a call. */
  readonly snapshot?: Snapshot;
  readonly durationMs: number;
}

/** The end of an attempt that failed before its gates could run. */
export function failedWithoutVerdict(ref: AttemptRef, failure: Failure): AttemptEnded {
  return { type: 'attempt-ended', ...ref, status: 'failed', failure, gates: [], files: [], durationMs: 0 };
}

export interface StepEnded {
  readonly type: 'step-ended';
  readonly step: string;
  readonly status: 'passed' | 'failed' | 'cancelled' | 'paused';
  readonly jobAttempt: number;
  /** Present if the failure is not that of an attempt, for example a failed merge of parallel branches. */
  readonly failure?: Failure;
  /** It waits: a re-run after this time continues it, in milliseconds since 1970. Its status is `cancelled`. */
  readonly resumeAt?: number;
}

/** Why a run waits: for the model service, for a job with more time (`max-time`), or because its job was cancelled. */
export type WaitReason = 'limit' | 'time' | 'cancelled';

export interface RunEnded {
  readonly type: 'run-ended';
  /** `cancelled` is only in journals before version 4. */
  readonly status: 'passed' | 'failed' | 'cancelled' | 'paused' | 'waiting';
  /** Present if it waits. */
  readonly reason?: WaitReason;
  /** Present if it waits: a re-run after this time continues it, in milliseconds since 1970. */
  readonly resumeAt?: number;
  /** The step that failed, was interrupted or waits. */
  readonly failedStep?: string;
  /** Present if the failure is not that of a step: the time of the job was up, or the result was not published. */
  readonly failure?: Failure;
  /** All steps passed, but this could not be published. A re-run does only that. */
  readonly unpublished?: PublicationKind;
  readonly jobAttempt: number;
}

export const publicationKinds = ['commit', 'push', 'pull-request', 'review', 'comment'] as const;

export type PublicationKind = (typeof publicationKinds)[number];

/** Something is about to be made or changed at GitHub. Without an outcome, it may or may not have taken effect. */
export interface PublishIntended {
  readonly type: 'publish-intended';
  readonly kind: PublicationKind;
  readonly jobAttempt: number;
  /** What is published, so that a later job can tell whether it is the same: for example the tree of a commit. */
  readonly content: string;
  /** The branch, for a commit, a push or a pull request. */
  readonly branch?: string;
}

/** It was made. */
export interface Published {
  readonly type: 'published';
  readonly kind: PublicationKind;
  readonly jobAttempt: number;
  readonly content: string;
  readonly branch?: string;
  /** The commit that was pushed. */
  readonly commit?: string;
  /** The number of the pull request. */
  readonly pullRequest?: number;
  /** The page at GitHub. */
  readonly url?: string;
}

/** Written by `post`: how the job of the action ended (S14). */
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
  | AgentRecorded
  | IntervalSealed
  | AgentEnded
  | AttemptEnded
  | AttemptPaused
  | AttemptApproved
  | StepEnded
  | RunEnded
  | PublishIntended
  | Published
  | JobEnded
) & {
  /** Milliseconds since 1970. */
  readonly at: number;
};

/** An event before the journal adds the time. */
export type NewEvent = JournalEvent extends infer Event
  ? Event extends unknown
    ? Omit<Event, 'at'>
    : never
  : never;
