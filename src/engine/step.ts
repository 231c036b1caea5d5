/** One step from its first attempt to its end: how many attempts, and when to stop. */
import type { Attempt, StepState } from '../journal/state.js';
import type { PlacedStep } from '../plan/place.js';
import { agentOf, pass } from '../plan/plan.js';
import { runAgentAttempt } from './attempt.js';
import { usedUp } from './budget.js';
import { runGateAttempt } from './gate-step.js';
import { isFinal, lastAttempt, latest, needsOnlyGates } from './history.js';
import { attemptsAllowed } from './ladder.js';
import { treeNow } from './lane.js';
import { isPaused, pausesAfter, stillWaits } from './pause.js';
import { runBelow, runRounds } from './rounds.js';
import { passed, type Run, recordEnd, type ScopeEnd } from './run-context.js';

export async function runStep(run: Run, placed: PlacedStep): Promise<ScopeEnd> {
  begin(run, placed);
  const { kind } = placed.step;
  const end = await (kind === 'group' || kind === 'call' ? runRounds(run, placed) : runAttempts(run, placed));
  // Stopped by `until` among the steps below it, it has not ended.
  if (end.status === 'passed' && end.isLast) return end;
  recordEnd(run, placed.path, end);
  return end;
}

/** The step's own attempts; of a split then its tasks. */
async function runAttempts(run: Run, placed: PlacedStep): Promise<ScopeEnd> {
  const end = await tryUntilDone(run, placed);
  if (end.status !== 'passed') return end;
  return placed.step.kind === 'split' ? runBelow(run, placed) : passed;
}

function begin(run: Run, { path, fingerprint }: PlacedStep): void {
  const known = run.state().steps.get(path);
  if (known === undefined) {
    const lane = run.lane === '' ? {} : { lane: run.lane };
    run.record({ type: 'step-started', step: path, fingerprint, from: treeNow(run), ...lane });
  } else if (JSON.stringify(known.fingerprint) !== JSON.stringify(fingerprint)) {
    run.record({ type: 'step-redefined', step: path, fingerprint });
  }
}

async function tryUntilDone(run: Run, placed: PlacedStep): Promise<ScopeEnd> {
  const { path, step } = placed;
  const paused = { status: 'paused', path } as const;
  const cancelled = { status: 'cancelled', path } as const;
  const before = latest(run, path);
  // The machine may have been lost between the attempt's end and the step's; or a person was waited for.
  if (before !== undefined && before.status !== 'running') {
    if (stillWaits(run, path, before)) return paused;
    if (before.status === 'passed') return pausesAfter(run, placed, before) ? paused : passed;
  }
  const allowed = attemptsAllowed(step.kind === 'gates' ? [] : step.retry);
  for (let made = 1; ; made += 1) {
    await run.settle();
    if (run.signal.aborted) return cancelled;
    const failure = startsAgent(run, placed) ? usedUp(run, run.caps) : undefined;
    if (failure !== undefined) return { status: 'failed', path, failure };
    const attempt = await runAttempt(run, placed);
    if (attempt === 'stopped') return waitingBelow(run, path) ?? cancelled;
    if (isPaused(attempt)) return paused;
    if (attempt.status === 'running') return waitingBelow(run, path) ?? cancelled;
    const isOver = made >= allowed || isFinal(run, attempt);
    if (attempt.status === 'passed') return pausesAfter(run, placed, attempt) ? paused : passed;
    if (attempt.status !== 'failed' || run.signal.aborted) return cancelled;
    if (isOver) return { status: 'failed', path };
    if (pausesAfter(run, placed, attempt)) return paused;
  }
}

/** Whether its next attempt costs something; of one whose agent is done only gates are left. */
function startsAgent(run: Run, { path, step }: PlacedStep): boolean {
  const own = agentOf(step);
  if (own === undefined || own.agent === pass) return false;
  const state = run.state().steps.get(path);
  return state === undefined || !needsOnlyGates(state);
}

/** A workflow that judges, or gets something, may wait for a person too. */
function waitingBelow(run: Run, path: string): ScopeEnd | undefined {
  const steps = [...run.state().steps.values()].filter((step) => step.path.startsWith(`${path}/`));
  const waiting = steps.findLast((step) => isWaiting(step));
  return waiting === undefined ? undefined : { status: 'paused', path: waiting.path };
}

function isWaiting({ attempts }: StepState): boolean {
  const last = attempts.at(-1);
  return last !== undefined && isPaused(last);
}

async function runAttempt(run: Run, placed: PlacedStep): Promise<Attempt | 'stopped'> {
  const own = agentOf(placed.step);
  const end = await (own === undefined ? runGateAttempt(run, placed) : runAgentAttempt(run, placed, own));
  if (end === 'stopped') return end;
  const attempt = lastAttempt(run, placed.path);
  if (attempt === undefined) throw new Error(`No attempt of ${placed.path} was recorded.`);
  run.ports.reporter.attemptEnds(placed.path, attempt);
  return attempt;
}
