/**
 * The fold: what the journal's events add up to. Pure; `apply` never throws on an event of its own version.
 *
 * J1 What was spent is never forgotten, also when the results of a step are (`spent`).
 * J2 An attempt that was cut off and goes on stands twice: same number, different job attempt.
 */

import type { Failure } from '../failure.js';
import type { GateResult } from '../gates/gate-result.js';
import { defined } from '../optional-keys.js';
import type { Usage } from '../providers/provider.js';
import { addUsage } from '../providers/usage.js';
import { isBelow } from '../step-path.js';
import type { Pause } from '../workflow/workflow.js';
import type { BranchConflict, Snapshot } from '../workspace/workspace.js';
import { readConflict } from './conflict-event.js';
import type {
  AgentEnded,
  AttemptEnded,
  AttemptRef,
  AttemptStarted,
  AttemptWaits,
  Fingerprint,
  JobEnded,
  JobStarted,
  JournalEvent,
  OutputFile,
  RunEnded,
  SessionDecision,
  SessionMark,
  StepsReopened,
} from './event.js';
import { applyToLedger, emptyLedger, type Ledger } from './ledger.js';

export interface Attempt {
  readonly number: number;
  readonly jobAttempt: number;
  /** Place in the journal of the last event about it: tells which attempt used a session last. */
  readonly order: number;
  readonly startedAt: number;
  readonly agent?: string;
  readonly provider?: string;
  readonly session?: SessionDecision;
  readonly prompt?: string;
  readonly status: 'running' | 'passed' | 'failed' | 'cancelled';
  /** The agent is done and recorded; only its gates may be missing. */
  readonly hasAgentEnded: boolean;
  readonly failure?: Failure;
  readonly gates: readonly GateResult[];
  readonly usage: Usage;
  readonly totals?: Usage;
  /** What it took to take up a conversation again: its first answer, where the stream says so. */
  readonly firstTurn?: Usage;
  readonly snapshot?: Snapshot;
  readonly changed: boolean;
  readonly mark?: SessionMark;
  readonly ignored: readonly string[];
  readonly output?: OutputFile;
  readonly comments?: string;
  readonly files: readonly string[];
  readonly version?: string;
  readonly durationMs?: number;
  readonly isBare?: boolean;
  /** What a called workflow is given. */
  readonly inputs?: Readonly<Record<string, string>>;
  /** Where it waits, or has waited, for a person. */
  readonly pause?: Pause;
  readonly approvedBy?: string;
  /** It failed without a verdict. */
  readonly isUnjudged?: boolean;
}

/** A tree, and the place in the journal at which it became the one that work goes on from. */
export interface OrderedSnapshot {
  readonly snapshot: Snapshot;
  readonly order: number;
}

/** Why a step that had ended runs once more. */
export interface StepReopening {
  /** The group, split or call whose round it is. */
  readonly by: string;
  readonly order: number;
  readonly freshSession: boolean;
}

export interface StepState {
  readonly path: string;
  readonly fingerprint: Fingerprint;
  readonly startSnapshot: Snapshot;
  /** Place in the journal at which it began, from this tree. */
  readonly order: number;
  /** What the paths of its parallel unit begin with; empty: it is in none. */
  readonly branchPrefix: string;
  readonly attempts: readonly Attempt[];
  readonly status: 'running' | 'passed' | 'failed' | 'cancelled' | 'paused';
  /** Why it ended, where that is no attempt's. */
  readonly failure?: Failure;
  /** The tree that its units begin from. */
  readonly branchesStart?: Snapshot;
  /** Two of its units could not be put together, and have not been since. */
  readonly conflict?: BranchConflict;
  /** What its units add up to. */
  readonly merged?: OrderedSnapshot;
  /** Where the newest of its rounds began, if not the first. */
  readonly round?: OrderedSnapshot;
  readonly reopened?: StepReopening;
  /** `<attempt>/<entry>` of a retry entry that a workflow judges → whether it holds. */
  readonly retryVerdicts: ReadonlyMap<string, boolean>;
  /** Its definition was changed after its last attempt began. */
  readonly isRedefined?: boolean;
  /** The job attempt in which it ended. */
  readonly endedInJobAttempt?: number;
}

export interface RunState {
  /** How many events were folded. */
  readonly eventCount: number;
  readonly jobs: readonly (JobStarted & { readonly at: number })[];
  readonly steps: ReadonlyMap<string, StepState>;
  readonly ledger: Ledger;
  /** How the recorded run ended; absent while it runs, and again once a later job goes on. */
  readonly runEnded?: RunEnded;
  readonly jobEnded?: JobEnded;
}

export const emptyState: RunState = {
  eventCount: 0,
  jobs: [],
  steps: new Map(),
  ledger: emptyLedger,
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
      return { ...state, steps: withoutDroppedSteps(state.steps, event.steps) };
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
      return withAttempt(state, event, (attempt) => ({
        ...attempt,
        session: withSessionId(attempt.session, event.id),
      }));
    case 'session-replaced':
      return withAttempt(state, event, (attempt) => ({ ...attempt, session: event.session }));
    case 'attempt-waits':
      return withAttempt(state, event, (attempt) => recordRefusedTry(attempt, event));
    case 'agent-ended':
      return withAttempt(state, event, (attempt) => endAgent(attempt, event));
    case 'attempt-ended':
      return withAttempt(state, event, (attempt) => endAttempt(attempt, event));
    case 'step-ended':
      return updateStep(state, event.step, (step) => ({
        ...step,
        status: event.status,
        endedInJobAttempt: event.jobAttempt,
        ...defined({ failure: event.failure }),
      }));
    case 'run-ended':
      return { ...state, runEnded: event };
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
      ...rest
    } = step;
    const earlier = step.attempts.findLast(({ number }) => number === event.number);
    const again =
      event.standsAgain && earlier !== undefined ? { ...attempt, ...carriedOverFields(earlier) } : attempt;
    return { ...rest, status: 'running', attempts: [...step.attempts.map(markInterrupted), again] };
  });
}

/** What stands again of an attempt that only has to be judged; what it spent stays with the earlier job. */
function carriedOverFields({ hasAgentEnded, snapshot, mark, output, changed, ignored, approvedBy }: Attempt) {
  return {
    hasAgentEnded,
    changed,
    ignored,
    ...defined({ snapshot, mark, output, approvedBy }),
  };
}

/** An attempt that still runs when the next one starts was cut off together with its machine. */
function markInterrupted(attempt: Attempt): Attempt {
  if (attempt.status !== 'running') return attempt;
  return {
    ...attempt,
    status: 'cancelled',
    failure: { kind: 'cancelled', message: 'Cut off before it ended.' },
  };
}

function withSessionId(session: SessionDecision | undefined, id: string): SessionDecision {
  return session === undefined
    ? { declared: 'new', effective: 'new', reason: 'declared-new', id }
    : { ...session, id };
}

function endAgent(attempt: Attempt, event: AgentEnded): Attempt {
  const { type: _type, step: _step, number: _number, jobAttempt: _jobAttempt, ...fields } = event;
  return { ...attempt, ...fields, usage: addUsage(attempt.usage, event.usage), hasAgentEnded: true };
}

function recordRefusedTry(attempt: Attempt, { usage, totals }: AttemptWaits): Attempt {
  const booked = { ...attempt, usage: addUsage(attempt.usage, usage) };
  return totals === undefined ? booked : { ...booked, totals };
}

function endAttempt(attempt: Attempt, event: AttemptEnded): Attempt {
  const { failure: _failure, ...rest } = attempt;
  return {
    ...rest,
    status: event.status,
    ...defined({ failure: event.failure }),
    gates: event.gates,
    files: event.files,
    ...defined({ comments: event.comments, snapshot: event.snapshot, isUnjudged: event.isUnjudged }),
    durationMs: event.durationMs,
  };
}

/** The newest attempt of that number; events never speak of an older one. */
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
  dropped: readonly string[],
): ReadonlyMap<string, StepState> {
  const kept = [...steps.values()].filter((step) => !dropped.includes(step.path));
  return new Map(kept.map((step) => [step.path, reopenIfParentOfDropped(step, dropped)]));
}

/** A step that lost one of those below it has not ended any more. */
function reopenIfParentOfDropped(step: StepState, dropped: readonly string[]): StepState {
  if (!dropped.some((path) => isBelow(path, step.path))) return step;
  const {
    endedInJobAttempt: _endedInJobAttempt,
    merged: _merged,
    round: _round,
    failure: _failure,
    ...rest
  } = step;
  return { ...rest, status: 'running' };
}

function reopenSteps(state: RunState, event: StepsReopened): RunState {
  const { by, from, freshSession = false, isUnit = false } = event;
  const order = state.eventCount;
  const begun = isUnit ? state : updateStep(state, by, (step) => beginRound(step, from, order));
  return event.steps.reduce(
    (sum, path) => updateStep(sum, path, (step) => reopenStep(step, from, { by, order, freshSession })),
    begun,
  );
}

function beginRound(step: StepState, from: Snapshot | undefined, order: number): StepState {
  if (from === undefined) return step;
  const { branchesStart: _branchesStart, ...rest } = step;
  return { ...rest, round: { snapshot: from, order } };
}

function reopenStep(step: StepState, from: Snapshot | undefined, reopened: StepReopening): StepState {
  const { endedInJobAttempt: _endedInJobAttempt, failure: _failure, ...rest } = step;
  if (from === undefined) return { ...rest, status: 'running', reopened };
  const { merged: _merged, branchesStart: _branchesStart, ...restarted } = rest;
  return { ...restarted, status: 'running', startSnapshot: from, order: reopened.order, reopened };
}

/** Whether what the step's own agent or gates had to do is done; of a split, the plan. */
export function hasPassed(step: StepState): boolean {
  return step.status === 'passed' || newestAttemptOf(step)?.status === 'passed';
}

/** The last attempt that the step has made since it began, or was opened again. */
export function newestAttemptOf({ attempts, reopened }: StepState): Attempt | undefined {
  const last = attempts.at(-1);
  return last !== undefined && reopened !== undefined && last.order < reopened.order ? undefined : last;
}

/** Every attempt that was not dropped, oldest use of its session first. */
export function attemptsInOrder(state: RunState): readonly Attempt[] {
  return [...state.steps.values()].flatMap((step) => step.attempts).sort((a, b) => a.order - b.order);
}

/** The last attempt, among those kept, that used this session. */
export function lastAttemptOfSession(state: RunState, session: string): Attempt | undefined {
  return attemptsInOrder(state).findLast((attempt) => attempt.session?.id === session);
}

/** The same, with the step that made it. */
export function lastStepOfSession(
  state: RunState,
  session: string,
): { readonly step: StepState; readonly attempt: Attempt } | undefined {
  const attempt = lastAttemptOfSession(state, session);
  if (attempt === undefined) return undefined;
  const step = [...state.steps.values()].find(({ attempts }) => attempts.includes(attempt));
  return step === undefined ? undefined : { step, attempt };
}

/** What a session had spent by its last recorded use; for CLIs that only report totals. */
export function totalsOf(state: RunState, session: string): Usage {
  return (
    attemptsInOrder(state).findLast(
      (attempt) => attempt.session?.id === session && attempt.totals !== undefined,
    )?.totals ?? {}
  );
}

/** The version of the CLI that worked in this session last; absent where none was told. */
export function cliVersionOf(state: RunState, session: string): string | undefined {
  return attemptsInOrder(state).findLast(
    (attempt) => attempt.session?.id === session && attempt.version !== undefined,
  )?.version;
}

/**
 * The tree at which work goes on in a lane: of all that its steps and their rounds have recorded the newest.
 * What units of their own have recorded counts once it is merged.
 */
export function newestSnapshot(state: RunState, branchPrefix = ''): Snapshot | undefined {
  let newest: OrderedSnapshot | undefined;
  for (const step of state.steps.values()) {
    if (step.branchPrefix !== branchPrefix) continue;
    for (const one of snapshotsOf(step)) if (newest === undefined || one.order >= newest.order) newest = one;
  }
  return newest?.snapshot;
}

function snapshotsOf(step: StepState): readonly OrderedSnapshot[] {
  const trees: OrderedSnapshot[] = [{ snapshot: step.startSnapshot, order: step.order }];
  // A round ends with the tree of the steps below it, which speak for themselves: some may be forgotten since.
  for (const { agent, snapshot, order } of step.attempts)
    if (agent !== undefined && snapshot !== undefined) trees.push({ snapshot, order });
  if (step.round !== undefined) trees.push(step.round);
  if (step.merged !== undefined) trees.push(step.merged);
  return trees;
}
