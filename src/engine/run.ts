/**
 * The loop over a plan's steps: decide, write down, act. Everything it knows of the run so far is a fold of
 * the journal, so that a run begun on another machine goes on here.
 *
 * E1 An event is in the journal before anything acts on it.
 * E2 A passed step is never run again; an agent's turn whose end is recorded is never sent again.
 * E3 After every attempt of an agent a checkpoint is stored before anything later starts in its lane.
 */
import type { Failure } from '../failure.js';
import type { AttemptRef, NewEvent, RunEnded } from '../journal/event.js';
import { isBooking } from '../journal/ledger.js';
import { apply, type RunState } from '../journal/state.js';
import { type PlacedStep, place, rootScope, type Scope, stepsBelow } from '../plan/place.js';
import type { Plan } from '../plan/plan.js';
import type { Permission } from '../providers/provider.js';
import { capsOf } from './budget.js';
import type { Cap } from './guards.js';
import { type Lane, openLane } from './lane.js';
import { warnOfIdleApproval } from './pause.js';
import type { Ports } from './ports.js';
import { runBelow } from './rounds.js';
import { runStep } from './step.js';
import { limitTime } from './time-limit.js';
import type { Watched } from './watch.js';

export interface RunOptions {
  readonly plan: Plan;
  readonly ports: Ports;
  /** Aborted when the job is cancelled. */
  readonly signal: AbortSignal;
  /** When, as `Date.now()`, agents and gates are stopped so that the state can be stored; absent: never. */
  readonly endsBy?: number;
  readonly jobAttempt: number;
  readonly onLostSession: 'new' | 'fail';
  /** What the agents of steps may do that do not say it themselves; absent: what their kind needs. */
  readonly permissions?: Permission;
  /** Who started this job: may approve. */
  readonly actor: string;
  /** How many units run at once where a step does not say. */
  readonly maxParallel: number;
  /** The fold so far, after everything that does not hold any more was dropped. */
  readonly state: RunState;
  /** Sessions that could not be brought back to where they were (S13). */
  readonly unavailable: ReadonlyMap<string, 'session-lost' | 'session-ahead'>;
  /** How much of what went wrong is told to agents. */
  readonly errorContext?: ErrorContext;
}

/** Absent: as much as it is unless told. */
export interface ErrorContext {
  /** Characters of `{error}`. */
  readonly maxErrorChars?: number;
  /** Characters of `{diff}` in the note on the attempt before; the name itself stands for the whole patch. */
  readonly maxDiffChars?: number;
}

/** One run in progress: what the steps of a lane share. */
export interface Run extends Omit<RunOptions, 'state' | 'ports' | 'endsBy'>, Lane {
  /** Sessions that a running process of this job holds (S7). */
  readonly inUse: Set<string>;
  /** The limits around what runs here, the widest first. */
  readonly caps: readonly Cap[];
  /** No agent here may change anything but its answer. */
  readonly isBarred: boolean;
  /** Agents whose spending is not written down yet. */
  readonly working: Set<Watched>;
  state(): RunState;
  /** Aborted when the job was cancelled; where only our time is up `signal` is aborted alone. */
  readonly cancelled: AbortSignal;
}

/** Runs what is left of the plan; resolves with the final state, which is stored. Rejects only for our own bugs. */
export async function runPlan(options: RunOptions): Promise<RunState> {
  const time = limitTime(options);
  const { endsBy: _endsBy, ...rest } = options;
  const run = openRun({ ...rest, signal: time.signal, cancelled: options.signal });
  warnOfIdleApproval(run);
  const end = await runSteps(run).finally(time.end);
  run.record(end.status === 'cancelled' && time.isUp() ? { ...end, ...outOfTime } : end);
  await run.settle();
  return run.state();
}

/** What was at work stays cut off, so that a re-run goes on in it; the job must not look cancelled. */
const outOfTime = {
  status: 'failed',
  failure: {
    kind: 'timeout',
    message:
      'the time of this job (`max-time`) is up. What was at work was stopped as if the job had been cancelled, and a re-run goes on in it.',
  },
} as const;

async function runSteps(run: Run): Promise<RunEnded> {
  const end = await runScope(run, rootScope(run.plan));
  if (end.status === 'passed' && !end.isLast && run.plan.until !== undefined)
    run.ports.reporter.warn(`Input \`until\`: no step \`${run.plan.until}\` came, so nothing was left out.`);
  const base = { type: 'run-ended', status: end.status, jobAttempt: run.jobAttempt } as const;
  return end.status === 'passed' ? base : { ...base, failedStep: end.path };
}

/** How steps that run one after the other ended: `isLast` tells that nothing at all runs after them. */
export type ScopeEnd =
  | { readonly status: 'passed'; readonly isLast: boolean }
  | {
      readonly status: 'failed' | 'cancelled' | 'paused';
      readonly path: string;
      /** Why, where no attempt says it. */
      readonly failure?: Failure;
    };

export const passed: ScopeEnd = { status: 'passed', isLast: false };

/** Runs what is left of the steps of one scope. */
export async function runScope(run: Run, scope: Scope): Promise<ScopeEnd> {
  for (const planned of scope.steps) {
    const placed = place(planned, scope);
    const end = await passStep(run, placed);
    if (end.status !== 'passed' || end.isLast) return end;
    if (placed.path === run.plan.until) {
      run.ports.reporter.say(`Stopped after ${placed.path}, as the input \`until\` says.`);
      return { status: 'passed', isLast: true };
    }
  }
  return passed;
}

async function passStep(run: Run, placed: PlacedStep): Promise<ScopeEnd> {
  const known = run.state().steps.get(placed.path);
  if (known?.status !== 'passed') return runStep(run, placed);
  if (known.endedIn !== run.jobAttempt) run.ports.reporter.takenOver(known);
  if (isWhole(run, placed)) return passed;
  const { kind } = placed.step;
  const isJudgedAgain = (kind === 'group' || kind === 'call') && !hasAllBelow(run, placed);
  return isJudgedAgain ? runStep(run, placed) : passBelow(run, placed);
}

/** Nothing below it is left to run, and nothing there is where the run was told to stop. */
export function isWhole(run: Run, placed: PlacedStep): boolean {
  return !run.plan.until?.startsWith(`${placed.path}/`) && hasAllBelow(run, placed);
}

/** All that is known to come below it has passed. */
export function hasAllBelow(run: Run, placed: PlacedStep): boolean {
  const { steps } = run.state();
  return stepsBelow(placed, run.state()).every(({ path }) => steps.get(path)?.status === 'passed');
}

/** What has passed is gone through all the same: `until` may name a step in it, or a split's `each` have grown. */
async function passBelow(run: Run, placed: PlacedStep): Promise<ScopeEnd> {
  const end = await runBelow(run, placed);
  if (end.status !== 'passed') recordEnd(run, placed.path, end);
  return end;
}

export function recordEnd(run: Run, step: string, end: ScopeEnd): void {
  const failure = end.status !== 'passed' && end.path === step ? end.failure : undefined;
  run.record({
    type: 'step-ended',
    step,
    status: end.status,
    jobAttempt: run.jobAttempt,
    ...(failure === undefined ? {} : { failure }),
  });
}

interface OpenOptions extends Omit<RunOptions, 'endsBy'> {
  readonly cancelled: AbortSignal;
}

function openRun({ state: initial, ports, ...options }: OpenOptions): Run {
  let state = initial;
  const working = new Set<Watched>();
  const shared = {
    state: () => state,
    append(event: NewEvent) {
      state = apply(state, ports.journal.append(event));
      // From here on the ledger has it.
      if (isBooking(event)) for (const one of working) if (isOf(one, event)) working.delete(one);
    },
  };
  return {
    ...options,
    inUse: new Set(),
    caps: capsOf(options.plan),
    isBarred: false,
    working,
    state: shared.state,
    ...openLane(shared, '', ports.workspace.start, ports),
  };
}

function isOf(one: Watched, { step, number }: Pick<AttemptRef, 'step' | 'number'>): boolean {
  return one.step === step && one.number === number;
}
