/** Waiting for a person (contract 5.9): where a step stops, and who may let it go on. */
import type { AttemptRef } from '../journal/event.js';
import type { Attempt } from '../journal/run-state.js';
import type { PlacedStep } from '../plan/placed-step.js';
import type { Pause, Step } from '../workflow/workflow.js';
import type { EngineRun } from './engine-run.js';

/** Says so where this job approves what waited in no job before it: then nothing goes on by that. */
export function warnAboutUnusedApproval({ plan: { approve }, state, ports }: EngineRun): void {
  if (approve === undefined) return;
  const attempts = state().steps.get(approve)?.attempts ?? [];
  if (attempts.some(({ pause, approvedBy }) => pause !== undefined || approvedBy !== undefined)) return;
  ports.reporter.warn(
    `Input \`approve\`: no earlier job of this run stopped at step \`${approve}\`, so nothing is approved. Is the \`state-name\` that of the job that stopped?`,
  );
}

/** Whether the attempt waits; one that this job was started to let go on does not any more. */
export function staysPaused(run: EngineRun, path: string, attempt: Attempt): boolean {
  if (!isPaused(attempt)) return false;
  if (run.plan.approve !== path) return true;
  const { number, jobAttempt } = attempt;
  run.record({ type: 'attempt-approved', step: path, number, jobAttempt, by: run.actor });
  run.ports.reporter.log(`${path}: goes on, approved by ${run.actor}.`);
  return false;
}

export function isPaused({ pause, approvedBy }: Attempt): boolean {
  return pause !== undefined && approvedBy === undefined;
}

/** Writes down that the attempt waits here, where the step asks for it; an attempt waits once. */
export function pauseIfRequested(
  run: EngineRun,
  ref: AttemptRef,
  requested: Pause | undefined,
  point: Pause,
  attempt: Attempt | undefined,
): boolean {
  if (requested !== point || attempt?.pause !== undefined || attempt?.approvedBy !== undefined) return false;
  run.record({ type: 'attempt-paused', ...ref, pause: point });
  return true;
}

/** Where the step waits for a person, if at all. */

export function pauseOf(step: Step): Pause | undefined {
  return step.kind === 'split' ? step.planner.hitl : step.hitl;
}

export function pauseAfterGatesIfRequested(
  run: EngineRun,
  { path, step }: PlacedStep,
  attempt: Attempt,
): boolean {
  const ref = { step: path, number: attempt.number, jobAttempt: attempt.jobAttempt };
  return pauseIfRequested(run, ref, pauseOf(step), 'after-gate', attempt);
}
