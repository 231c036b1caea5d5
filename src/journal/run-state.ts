/**
 * The state of a run, folded from the events of its journal. Pure. `applyEvent` never throws on an event of this
 * journal version.
 *
 * JOURNAL1 Spending is never dropped, also not when the results of a step are (`ledger`).
 * JOURNAL2 An interrupted attempt that continues has two entries: same number, different job attempt.
 */

import type { Failure } from '../failure.js';
import type { GateResult } from '../gates/gate-result.js';
import { defined } from '../optional-keys.js';
import type { Finding } from '../outputs/findings.js';
import type { Usage } from '../providers/provider.js';
import { addUsage } from '../providers/usage.js';
import { isBelow } from '../step-path.js';
import type { Pause } from '../workflow/workflow.js';
import type { BranchConflict, Snapshot } from '../workspace/workspace.js';
import { readConflict } from './conflict-event.js';
import type {
  AgentEnded,
  AgentRecorded,
  AttemptEnded,
  AttemptRef,
  AttemptStarted,
  AttemptWaits,
  Fingerprint,
  JobEnded,
  JobStarted,
  JournalEvent,
  OutputFile,
  Published,
  PublishIntended,
  RunEnded,
  SessionDecision,
  SessionMark,
  StepsDropped,
  StepsReopened,
} from './event.js';
import { applyToLedger, emptyLedger, type Ledger } from './ledger.js';

export interface Attempt {
  readonly number: number;
  readonly jobAttempt: number;
  /** Index in the journal of its last event. It shows which attempt used a session last. */
  readonly order: number;
  readonly startedAt: number;
  readonly agent?: string;
  readonly provider?: string;
  /** The agent that this one replaces (`fallback`). */
  readonly insteadOf?: string;
  readonly session?: SessionDecision;
  readonly prompt?: string;
  readonly status: 'running' | 'passed' | 'failed' | 'cancelled';
  /** The agent has ended and its result is recorded. Only the gates may be missing. */
  readonly hasAgentEnded: boolean;
  readonly failure?: Failure;
  readonly gates: readonly GateResult[];
  readonly usage: Usage;
  /** Of its present process, when it was recorded at work. Part of `usage` once the process is known to be lost. */
  readonly usageAtWork?: Usage;
  readonly totals?: Usage;
  /** What resuming the session cost: usage of the first answer, if the CLI reports it. */
  readonly firstTurn?: Usage;
  /** Usage of its last answer, if the CLI reports it. */
  readonly lastTurn?: Usage;
  readonly snapshot?: Snapshot;
  readonly changed: boolean;
  readonly mark?: SessionMark;
  readonly ignored: readonly string[];
  /** Repositories in the worktree that it changed. Their changes are not in the snapshot. */
  readonly unstored?: readonly string[];
  readonly output?: OutputFile;
  /** The agent's final message, for a step whose result it is. States of version 0.1.0 have none. */
  readonly text?: string;
  readonly findings?: readonly Finding[];
  readonly comments?: string;
  readonly files: readonly string[];
  readonly version?: string;
  readonly durationMs?: number;
  readonly isBare?: boolean;
  /** The inputs of a called workflow. */
  readonly inputs?: Readonly<Record<string, string>>;
  /** At which point it waits, or waited, for a person. */
  readonly pause?: Pause;
  readonly approvedBy?: string;
  /** It failed without a verdict: the workflow that judges it failed itself. */
  readonly isUnjudged?: boolean;
}

/** A tree, and the index of the journal event from which on the run continues from this tree. */
export interface OrderedSnapshot {
  readonly snapshot: Snapshot;
  readonly order: number;
}

/** Why a step that had ended runs again. */
export interface StepReopening {
  /** The group, split or call that started the round. */
  readonly by: string;
  readonly order: number;
  readonly freshSession: boolean;
}

export interface StepState {
  readonly path: string;
  readonly fingerprint: Fingerprint;
  readonly startSnapshot: Snapshot;
  /** Index of the journal event at which it started from this tree. */
  readonly order: number;
  /** The path prefix of its parallel branch. Empty: none. */
  readonly branchPrefix: string;
  readonly attempts: readonly Attempt[];
  readonly status: 'running' | 'passed' | 'failed' | 'cancelled' | 'paused';
  /** Present if the failure is not that of an attempt. */
  readonly failure?: Failure;
  /** It waits: a re-run after this time continues it, in milliseconds since 1970. */
  readonly resumeAt?: number;
  /** The tree from which its parallel branches start. */
  readonly branchesStart?: Snapshot;
  /** Two of its parallel branches could not be merged, and have not been merged since. */
  readonly conflict?: BranchConflict;
  /** The merged tree of its parallel branches. */
  readonly merged?: OrderedSnapshot;
  /** The start of its newest round, if that is not the first. */
  readonly round?: OrderedSnapshot;
  readonly reopened?: StepReopening;
  /** `<attempt>/<entry>` of a retry entry with `validate` → whether the workflow passed. */
  readonly retryVerdicts: ReadonlyMap<string, boolean>;
  /** Its definition changed after its last attempt started. */
  readonly isRedefined?: boolean;
  /** The job attempt in which it ended. */
  readonly endedInJobAttempt?: number;
}

export interface RunState {
  /** Number of folded events. */
  readonly eventCount: number;
  readonly jobs: readonly (JobStarted & { readonly at: number })[];
  readonly steps: ReadonlyMap<string, StepState>;
  readonly ledger: Ledger;
  /** Size of all checkpoints that were sealed while agents were at work. */
  readonly intervalBytes: number;
  /** How the recorded run ended. Absent while it runs, and again when a later job continues it. */
  readonly runEnded?: RunEnded;
  readonly jobEnded?: JobEnded;
  /** What was published in all jobs, oldest first. */
  readonly published: readonly Published[];
  /** What may have been published: its job ended before it recorded the outcome. */
  readonly intended: readonly PublishIntended[];
}

export const emptyState: RunState = {
  eventCount: 0,
  jobs: [],
  steps: new Map(),
  ledger: emptyLedger,
  intervalBytes: 0,
  published: [],
  intended: [],
};

export function foldEvents(events: Iterable<JournalEvent>): RunState {
  let state = emptyState;
  for (const event of events) state = applyEvent(state, event);
  return state;
}

export function applyEvent(state: RunState, event: JournalEvent): RunState {
  const ledger = applyToLedger(state.ledger, event, state.eventCount);
  return { ...applyToState(state, event), ledger, eventCount: state.eventCount + 1 };
}

function applyToState(state: RunState, event: JournalEvent): RunState {
  switch (event.type) {
    case 'job-started':
      return startJob(state, event);
    case 'steps-dropped':
      return { ...state, steps: withoutDroppedSteps(state.steps, event) };
    case 'step-started':
      return withStep(state, {
        path: event.step,
        fingerprint: event.fingerprint,
        startSnapshot: event.from,
        order: state.eventCount,
        branchPrefix: event.lane ?? '',
        attempts: [],
        status: 'running',
        retryVerdicts: new Map(),
      });
    case 'step-redefined':
      return updateStep(state, event.step, (step) => ({
        ...step,
        fingerprint: event.fingerprint,
        isRedefined: true,
      }));
    case 'steps-reopened':
      return reopenSteps(state, event);
    case 'retry-judged':
      return updateStep(state, event.step, (step) => ({
        ...step,
        retryVerdicts: new Map(step.retryVerdicts).set(`${event.number}/${event.entry}`, event.holds),
      }));
    case 'units-begun':
      return updateStep(state, event.step, (step) => ({ ...step, branchesStart: event.snapshot }));
    case 'units-conflict':
      return updateStep(state, event.step, (step) => ({ ...step, conflict: readConflict(event) }));
    case 'units-merged':
      return updateStep(state, event.step, ({ conflict: _conflict, ...step }) => ({
        ...step,
        merged: { snapshot: event.snapshot, order: state.eventCount },
      }));
    case 'attempt-started':
      return startAttempt(state, event);
    case 'attempt-paused':
      return withAttempt(state, event, (attempt) => ({ ...attempt, pause: event.pause }));
    case 'attempt-approved':
      return withAttempt(state, event, (attempt) => ({ ...attempt, approvedBy: event.by }));
    case 'session-known':
      return withAttempt(state, event, (attempt) =>
        inSession(attempt, withSessionId(attempt.session, event.id)),
      );
    case 'session-replaced':
      return withAttempt(state, event, (attempt) => inNewSession(attempt, event.session));
    case 'attempt-waits':
      return withAttempt(state, event, (attempt) => recordRefusedTry(attempt, event));
    case 'agent-recorded':
      return withAttempt(state, event, (attempt) => recordAgent(attempt, event));
    case 'interval-sealed':
      return { ...state, intervalBytes: state.intervalBytes + event.bytes };
    case 'agent-ended':
      return withAttempt(state, event, (attempt) => endAgent(attempt, event));
    case 'attempt-ended':
      return withAttempt(state, event, (attempt) => endAttempt(attempt, event));
    case 'step-ended':
      return updateStep(state, event.step, ({ resumeAt: _resumeAt, ...step }) => ({
        ...step,
        status: event.status,
        endedInJobAttempt: event.jobAttempt,
        ...defined({ failure: event.failure, resumeAt: event.resumeAt }),
      }));
    case 'run-ended':
      return { ...state, runEnded: event };
    case 'publish-intended':
      return { ...state, intended: [...state.intended, event] };
    case 'published':
      return {
        ...state,
        published: [...state.published, event],
        intended: state.intended.filter(({ kind }) => kind !== event.kind),
      };
    case 'job-ended':
      return { ...state, jobEnded: event };
  }
}

function startJob(state: RunState, event: JobStarted & { readonly at: number }): RunState {
  const { runEnded: _runEnded, jobEnded: _jobEnded, ...rest } = state;
  return { ...rest, jobs: [...state.jobs, event] };
}

function startAttempt(state: RunState, event: AttemptStarted & { readonly at: number }): RunState {
  const attempt: Attempt = {
    number: event.number,
    jobAttempt: event.jobAttempt,
    order: state.eventCount,
    startedAt: event.at,
    ...defined({
      agent: event.agent,
      provider: event.provider,
      insteadOf: event.insteadOf,
      session: event.session,
      prompt: event.prompt,
      isBare: event.isBare,
      inputs: event.inputs,
    }),
    status: 'running',
    hasAgentEnded: event.provider === undefined,
    gates: [],
    usage: {},
    changed: false,
    ignored: [],
    files: [],
  };
  return updateStep(state, event.step, (step) => {
    const {
      endedInJobAttempt: _endedInJobAttempt,
      isRedefined: _isRedefined,
      failure: _failure,
      resumeAt: _resumeAt,
      ...rest
    } = step;
    const earlier = step.attempts.findLast(({ number }) => number === event.number);
    const again =
      event.standsAgain && earlier !== undefined ? { ...attempt, ...carriedOverFields(earlier) } : attempt;
    return { ...rest, status: 'running', attempts: [...step.attempts.map(markInterrupted), again] };
  });
}

/** What is reused of an attempt that only needs its gates. Its spending belongs to the earlier job. */
function carriedOverFields(earlier: Attempt) {
  const { hasAgentEnded, snapshot, mark, output, text, findings } = earlier;
  const { changed, ignored, unstored, approvedBy } = earlier;
  return {
    hasAgentEnded,
    changed,
    ignored,
    ...defined({ snapshot, mark, output, text, findings, unstored, approvedBy }),
  };
}

/** An attempt that still runs when the next one starts was interrupted by the loss of its machine. */
function markInterrupted(attempt: Attempt): Attempt {
  if (attempt.status !== 'running') return attempt;
  return {
    ...attempt,
    usage: usageWithLost(attempt),
    status: 'cancelled',
    failure: { kind: 'cancelled', message: 'Interrupted before it ended.' },
  };
}

function withSessionId(session: SessionDecision | undefined, id: string): SessionDecision {
  return session === undefined
    ? { declared: 'new', effective: 'new', reason: 'declared-new', id }
    : { ...session, id };
}

/** A mark is a point of one session. Without it, the files that were recorded with it still count. */
function inSession(attempt: Attempt, session: SessionDecision): Attempt {
  if (session.id === attempt.session?.id) return { ...attempt, session };
  const { mark: _mark, ...rest } = attempt;
  return { ...rest, session };
}

/** The session is replaced together with the process. */
function inNewSession(attempt: Attempt, session: SessionDecision): Attempt {
  const { usageAtWork: _usageAtWork, ...rest } = inSession(attempt, session);
  return rest;
}

function recordAgent(attempt: Attempt, { snapshot, mark, ignored, usage }: AgentRecorded): Attempt {
  return attempt.hasAgentEnded ? attempt : { ...attempt, snapshot, mark, ignored, usageAtWork: usage };
}

function usageWithLost({ usage, usageAtWork }: Attempt): Usage {
  return usageAtWork === undefined ? usage : addUsage(usage, usageAtWork);
}

function endAgent(attempt: Attempt, event: AgentEnded): Attempt {
  const { type: _type, step: _step, number: _number, jobAttempt: _jobAttempt, ...fields } = event;
  // A mark from when the agent was at work is no longer the point of this tree.
  const { mark: _mark, usageAtWork: _usageAtWork, ...rest } = attempt;
  return { ...rest, ...fields, usage: addUsage(attempt.usage, event.usage), hasAgentEnded: true };
}

function recordRefusedTry(
  { usageAtWork: _usageAtWork, ...attempt }: Attempt,
  { usage, totals }: AttemptWaits,
): Attempt {
  const counted = { ...attempt, usage: addUsage(attempt.usage, usage) };
  return totals === undefined ? counted : { ...counted, totals };
}

function endAttempt(attempt: Attempt, event: AttemptEnded): Attempt {
  const { failure: _failure, usageAtWork: _usageAtWork, ...rest } = attempt;
  return {
    ...rest,
    usage: usageWithLost(attempt),
    status: event.status,
    ...defined({ failure: event.failure }),
    gates: event.gates,
    files: event.files,
    ...defined({ comments: event.comments, snapshot: event.snapshot, isUnjudged: event.isUnjudged }),
    durationMs: event.durationMs,
  };
}

/** Changes the newest attempt of that number. Events never refer to an older one. */
function withAttempt(state: RunState, ref: AttemptRef, change: (attempt: Attempt) => Attempt): RunState {
  return updateStep(state, ref.step, (step) => {
    const index = step.attempts.findLastIndex((attempt) => attempt.number === ref.number);
    const attempt = step.attempts[index];
    if (attempt === undefined) return step;
    return { ...step, attempts: step.attempts.with(index, { ...change(attempt), order: state.eventCount }) };
  });
}

function updateStep(state: RunState, path: string, change: (step: StepState) => StepState): RunState {
  const step = state.steps.get(path);
  return step === undefined ? state : withStep(state, change(step));
}

function withStep(state: RunState, step: StepState): RunState {
  return { ...state, steps: new Map(state.steps).set(step.path, step) };
}

function withoutDroppedSteps(
  steps: ReadonlyMap<string, StepState>,
  { steps: dropped, reopened = [] }: StepsDropped,
): ReadonlyMap<string, StepState> {
  const kept = [...steps.values()].filter((step) => !dropped.includes(step.path));
  return new Map(kept.map((step) => [step.path, reopenIfParentOfDropped(step, [...dropped, ...reopened])]));
}

/** A step has not ended any more if a step below it was dropped. */
function reopenIfParentOfDropped(step: StepState, dropped: readonly string[]): StepState {
  if (!dropped.some((path) => isBelow(path, step.path))) return step;
  const {
    endedInJobAttempt: _endedInJobAttempt,
    merged: _merged,
    round: _round,
    failure: _failure,
    resumeAt: _resumeAt,
    ...rest
  } = step;
  return { ...rest, status: 'running' };
}

function reopenSteps(state: RunState, event: StepsReopened): RunState {
  const { by, from, freshSession = false, isUnit = false } = event;
  const order = state.eventCount;
  const started = isUnit ? state : updateStep(state, by, (step) => beginRound(step, from, order));
  return event.steps.reduce(
    (changed, path) =>
      updateStep(changed, path, (step) => reopenStep(step, from, { by, order, freshSession })),
    started,
  );
}

function beginRound(step: StepState, from: Snapshot | undefined, order: number): StepState {
  if (from === undefined) return step;
  const { branchesStart: _branchesStart, ...rest } = step;
  return { ...rest, round: { snapshot: from, order } };
}

function reopenStep(step: StepState, from: Snapshot | undefined, reopened: StepReopening): StepState {
  const { endedInJobAttempt: _endedInJobAttempt, failure: _failure, resumeAt: _resumeAt, ...rest } = step;
  if (from === undefined) return { ...rest, status: 'running', reopened };
  const { merged: _merged, branchesStart: _branchesStart, ...restarted } = rest;
  return { ...restarted, status: 'running', startSnapshot: from, order: reopened.order, reopened };
}

/** Whether the step's own agent and gates have passed. For a split: whether the plan is made. */
export function hasPassed(step: StepState): boolean {
  return step.status === 'passed' || newestAttemptOf(step)?.status === 'passed';
}

/** The last attempt of the step since it started or was reopened. */
export function newestAttemptOf({ attempts, reopened }: StepState): Attempt | undefined {
  const last = attempts.at(-1);
  return last !== undefined && reopened !== undefined && last.order < reopened.order ? undefined : last;
}

/** Every attempt that was not dropped, in the order of its last event. */
export function attemptsInOrder(state: RunState): readonly Attempt[] {
  return [...state.steps.values()].flatMap((step) => step.attempts).sort((a, b) => a.order - b.order);
}

/** The last attempt that used this session and was not dropped. */
export function lastAttemptOfSession(state: RunState, session: string): Attempt | undefined {
  return attemptsInOrder(state).findLast((attempt) => attempt.session?.id === session);
}

/** The same, with its step. */
export function lastStepOfSession(
  state: RunState,
  session: string,
): { readonly step: StepState; readonly attempt: Attempt } | undefined {
  const attempt = lastAttemptOfSession(state, session);
  if (attempt === undefined) return undefined;
  const step = [...state.steps.values()].find(({ attempts }) => attempts.includes(attempt));
  return step === undefined ? undefined : { step, attempt };
}

/** What a session had spent at its last recorded use. For CLIs that report only totals. */
export function totalsOf(state: RunState, session: string): Usage {
  return (
    attemptsInOrder(state).findLast(
      (attempt) => attempt.session?.id === session && attempt.totals !== undefined,
    )?.totals ?? {}
  );
}

/** The version of the CLI that used this session last. `undefined` if none was reported. */
export function cliVersionOf(state: RunState, session: string): string | undefined {
  return attemptsInOrder(state).findLast(
    (attempt) => attempt.session?.id === session && attempt.version !== undefined,
  )?.version;
}

/**
 * The tree from which a parallel branch continues: the newest that its steps and their rounds have recorded. The
 * trees of nested parallel branches count after they are merged. `until`: the order of an event after which none counts.
 */
export function newestSnapshot(
  state: RunState,
  branchPrefix = '',
  until = Number.POSITIVE_INFINITY,
): Snapshot | undefined {
  let newest: OrderedSnapshot | undefined;
  for (const step of state.steps.values()) {
    if (step.branchPrefix !== branchPrefix) continue;
    for (const one of snapshotsOf(step))
      if (one.order <= until && (newest === undefined || one.order >= newest.order)) newest = one;
  }
  return newest?.snapshot;
}

function snapshotsOf(step: StepState): readonly OrderedSnapshot[] {
  const trees: OrderedSnapshot[] = [{ snapshot: step.startSnapshot, order: step.order }];
  // The tree at the end of a round is that of the steps below it. They are checked themselves, because some may
  // have been dropped since.
  for (const { agent, snapshot, order } of step.attempts)
    if (agent !== undefined && snapshot !== undefined) trees.push({ snapshot, order });
  if (step.round !== undefined) trees.push(step.round);
  if (step.merged !== undefined) trees.push(step.merged);
  return trees;
}
