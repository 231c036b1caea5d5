/** What a run has done so far with a step. */
import type { FailureKind } from '../failure.js';
import { type Attempt, newestAttemptOf, type StepState } from '../journal/run-state.js';
import { innerStepsOf, type PlacedStep } from '../plan/placed-step.js';
import { isBelow } from '../step-path.js';
import type { EngineRun } from './engine-run.js';

export function lastAttemptOf(run: EngineRun, path: string): Attempt | undefined {
  return run.state().steps.get(path)?.attempts.at(-1);
}

/** The last attempt, without those from before the step was opened again. */
export function currentAttemptOf(run: EngineRun, path: string): Attempt | undefined {
  const step = run.state().steps.get(path);
  return step === undefined ? undefined : newestAttemptOf(step);
}

/** Whether no further attempt may follow in this job. */
export function isFinalAttempt(run: EngineRun, attempt: Attempt): boolean {
  const kind = attempt.failure?.kind;
  if (kind === undefined) return false;
  return (
    finalFailureKinds.includes(kind) ||
    attempt.failure?.isFinal === true ||
    (kind === 'session-lost' && run.onLostSession === 'fail')
  );
}

/** Failures that another attempt cannot fix. docs/troubleshooting.md lists them. */
const finalFailureKinds: readonly FailureKind[] = ['auth', 'budget', 'cancelled'];

export function hasRunAgent({ provider }: Attempt): boolean {
  return provider !== undefined;
}

export function isInterrupted(attempt: Attempt): boolean {
  return attempt.status === 'cancelled' || attempt.status === 'running';
}

/** Whether only the gates of the last attempt are missing. Its agent has ended and must not be paid for again. */
export function needsOnlyGates(step: StepState): boolean {
  const last = step.attempts.at(-1);
  if (step.isRedefined || last?.failure !== undefined) return false;
  return last?.status === 'running' && last.hasAgentEnded && last.snapshot !== undefined;
}

/** Whether every step below has passed, and the run must not stop at one of them (`until`). */
export function isComplete(run: EngineRun, placed: PlacedStep): boolean {
  const { until } = run.plan;
  const isUntilBelow = until !== undefined && isBelow(until, placed.path);
  return !isUntilBelow && haveInnerStepsPassed(run, placed);
}

/** Whether every step below that is known so far has passed. */
export function haveInnerStepsPassed(run: EngineRun, placed: PlacedStep): boolean {
  const { steps } = run.state();
  return innerStepsOf(placed, run.state()).every(({ path }) => steps.get(path)?.status === 'passed');
}
