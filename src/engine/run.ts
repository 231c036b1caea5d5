/**
 * The loop over a plan's steps: decide, write down, act. Everything it knows of the run so far is a fold of
 * the journal, so that a run begun on another machine goes on here.
 *
 * E1 An event is in the journal before anything acts on it.
 * E2 A passed step is never run again; an agent's turn whose end is recorded is never sent again.
 * E3 After every attempt of an agent a checkpoint is stored before anything later starts in its lane.
 */
import type { AttemptRef, NewEvent, RunEnded } from '../journal/event.js';
import { isBooking } from '../journal/ledger.js';
import { apply, type RunState } from '../journal/state.js';
import { type PlacedStep, place, rootScope, type Scope } from '../plan/place.js';
import { capsOf } from './budget.js';
import type { Watched } from './guards.js';
import { hasAllBelow, isWhole } from './history.js';
import { openLane } from './lane.js';
import { warnOfIdleApproval } from './pause.js';
import { runBelow } from './rounds.js';
import { passed, type Run, type RunOptions, recordEnd, type ScopeEnd } from './run-context.js';
import { runStep } from './step.js';
import { limitTime } from './time-limit.js';

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

/** What has passed is gone through all the same: `until` may name a step in it, or a split's `each` have grown. */
async function passBelow(run: Run, placed: PlacedStep): Promise<ScopeEnd> {
  const end = await runBelow(run, placed);
  if (end.status !== 'passed') recordEnd(run, placed.path, end);
  return end;
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
    steps: { runStep, runScope },
    isBarred: false,
    working,
    state: shared.state,
    ...openLane(shared, '', ports.workspace.start, ports),
  };
}

function isOf(one: Watched, { step, number }: Pick<AttemptRef, 'step' | 'number'>): boolean {
  return one.step === step && one.number === number;
}
