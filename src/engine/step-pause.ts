/** Steps that wait for a person (`hitl`), and the approval that lets them continue. */
import type { AttemptRef } from '../journal/event.js';
import type { Attempt } from '../journal/run-state.js';
import type { PlacedStep } from '../plan/placed-step.js';
import type { Pause, Step } from '../workflow/workflow.js';
import type { EngineRun } from './engine-run.js';

/** Warns if no earlier job stopped at the step that this job approves: the approval then has no effect. */
export function warnAboutUnusedApproval({ plan: { approve }, state, ports }: EngineRun): void {
  if (approve === undefined) return;
  const attempts = state().steps.get(approve)?.attempts ?? [];
  if (attempts.some(({ pause, approvedBy }) => pause !== undefined || approvedBy !== undefined)) return;
  ports.reporter.warn(
    `Input \`approve\`: no earlier job of this run stopped at step \`${approve}\`, so the approval has no effect. Check that \`state-name\` is that of the job that stopped.`,
  );
}

/** Whether the attempt still waits. Records the approval if this job approves the step. */
export function staysPaused(run: EngineRun, path: string, attempt: Attempt): boolean {
  if (!isPaused(attempt)) return false;
  if (run.plan.approve !== path) return true;
  const { number, jobAttempt } = attempt;
  run.record({ type: 'attempt-approved', step: path, number, jobAttempt, by: run.actor });
  run.ports.reporter.log(`Step \`${path}\` continues: approved by ${run.actor}`);
  return false;
}

export function isPaused({ pause, approvedBy }: Attempt): boolean {
  return pause !== undefined && approvedBy === undefined;
}

/** Records that the attempt waits here, if the step requests it. An attempt waits only once. */
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

/** The point at which the step waits for a person; `undefined` if it does not wait. */
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
