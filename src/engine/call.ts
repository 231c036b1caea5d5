/** Runs a workflow that an attempt calls: for results, as a retry condition, or as a gate. */

import type { Failure } from '../failure.js';
import type { StepState } from '../journal/run-state.js';
import { defined } from '../optional-keys.js';
import { type PlacedStep, placeCall } from '../plan/placed-step.js';
import { type CallRole, isBelow, isInCall } from '../step-path.js';
import type { EngineRun } from './engine-run.js';
import { lastAttemptOf } from './history.js';

export type CallEnd =
  | { readonly status: 'passed' | 'failed'; readonly comments: string; readonly failure?: Failure }
  /** The job was cancelled, or a step of the workflow waits (`endOfStopped`). */
  | { readonly status: 'stopped' };

/** The failures of a workflow that are a negative verdict. Every other kind means that it could not decide. */
const verdictKinds: readonly Failure['kind'][] = ['validate', 'gate', 'output'];

/** Runs the call for the attempt with that number, unless it already has a verdict. */
export async function runCall(
  run: EngineRun,
  placed: PlacedStep,
  role: CallRole,
  number: number,
): Promise<CallEnd> {
  const call = placeCall(placed, role, number);
  if (call === undefined) throw new Error(`Step \`${placed.path}\` has no call \`${role}\`.`);
  await run.flush();
  if (!hasVerdict(run, call.path)) {
    const end = await run.steps.runStep(run, call);
    if (end.status !== 'passed' && end.status !== 'failed') return { status: 'stopped' };
  }
  const failure = lastAttemptOf(run, call.path)?.failure;
  const status = run.state().steps.get(call.path)?.status === 'passed' ? 'passed' : 'failed';
  const comments = commentsOf(run, call.path);
  return { status, comments, ...defined({ failure }) };
}

function hasVerdict(run: EngineRun, path: string): boolean {
  const step = run.state().steps.get(path);
  if (step?.status === 'passed') return true;
  const kind = step?.attempts.at(-1)?.failure?.kind;
  return step?.status === 'failed' && kind !== undefined && verdictKinds.includes(kind);
}

/** The last comments of its own steps; if there are none, those of workflows that its steps call. */
function commentsOf(run: EngineRun, path: string): string {
  const inside = [...run.state().steps.values()].filter((step) => isBelow(step.path, path));
  const own = inside.filter((step) => !isInCall(step.path, path));
  return lastComments(own) ?? lastComments(inside) ?? '';
}

function lastComments(steps: readonly StepState[]): string | undefined {
  return steps.map((step) => step.attempts.at(-1)?.comments).findLast((one) => one !== undefined);
}

/** Whether the workflow failed before it had a verdict. */
export function endedWithoutVerdict({ failure }: { readonly failure?: Failure }): boolean {
  return failure !== undefined && !verdictKinds.includes(failure.kind);
}
