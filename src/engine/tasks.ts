/**
 * The tasks of a split, one after the other: each goes through the steps of `each`, sees only its own (S3),
 * and a task that failed stops the rest. `retry` on the split goes over the tasks again; what has passed is
 * left alone, and the step that failed goes on where it was, with as many attempts again.
 */
import { type PlacedStep, plannedTasks, taskScopes } from '../plan/place.js';
import { attemptsAllowed } from './ladder.js';
import { type Run, runScope, type ScopeEnd } from './run.js';
import { isFinal, lastAttempt } from './step.js';

/** A step that is no split has no tasks, and passes. */
export async function runTasks(run: Run, placed: PlacedStep): Promise<ScopeEnd> {
  const { step } = placed;
  if (step.kind !== 'split') return { status: 'passed', isLast: false };
  const rounds = attemptsAllowed(step.retry);
  for (let round = 1; ; round += 1) {
    const end = await runRound(run, placed);
    if (end.status !== 'failed' || round >= rounds || !mayGoOn(run, end.path)) return end;
    run.ports.reporter.say(`${placed.path}: round ${round + 1} of ${rounds} over its tasks.`);
  }
}

async function runRound(run: Run, placed: PlacedStep): Promise<ScopeEnd> {
  const tasks = plannedTasks(run.state().steps.get(placed.path)) ?? [];
  if (tasks.length === 0)
    run.ports.reporter.warn(`Step ${placed.path}: the plan has no tasks; its steps are left out.`);
  for (const scope of taskScopes(placed, tasks)) {
    const end = await runScope(run, scope);
    if (end.status !== 'passed' || end.isLast) return end;
  }
  return { status: 'passed', isLast: false };
}

function mayGoOn(run: Run, path: string): boolean {
  const last = lastAttempt(run, path);
  return last !== undefined && !isFinal(run, last);
}
