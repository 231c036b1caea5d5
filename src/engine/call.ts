/** A workflow that an attempt calls: to get something, to be retried by, to be judged by. */

import type { Failure } from '../failure.js';
import type { StepState } from '../journal/run-state.js';
import { defined } from '../optional-keys.js';
import { type PlacedStep, placeCall } from '../plan/placed-step.js';
import { type CallRole, isBelow, isInCall } from '../step-path.js';
import type { EngineRun } from './engine-run.js';
import { lastAttemptOf } from './history.js';

export type CallEnd =
  | { readonly status: 'passed' | 'failed'; readonly comments: string; readonly failure?: Failure }
  /** The job was cancelled, or a step in it waits for a person. */
  | { readonly status: 'stopped' };

/** What a workflow fails with that has judged; all else is something that went wrong in it. */
const verdictKinds: readonly Failure['kind'][] = ['validate', 'gate', 'output'];

/** Calls it for the attempt of that number; one that has judged already is not asked again. */
export async function runCall(
  run: EngineRun,
  placed: PlacedStep,
  role: CallRole,
  number: number,
): Promise<CallEnd> {
  const call = placeCall(placed, role, number);
  if (call === undefined) throw new Error(`${placed.path} has no call ${role}.`);
  await run.flush();
  if (!hasVerdict(run, call.path)) {
    const end = await run.steps.runStep(run, call);
    if (end.status === 'cancelled' || end.status === 'paused') return { status: 'stopped' };
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

/** What its last reviewer has said; those that judge the steps of it speak where it has none. */
function commentsOf(run: EngineRun, path: string): string {
  const inside = [...run.state().steps.values()].filter((step) => isBelow(step.path, path));
  const own = inside.filter((step) => !isInCall(step.path, path));
  return lastComments(own) ?? lastComments(inside) ?? '';
}

function lastComments(steps: readonly StepState[]): string | undefined {
  return steps.map((step) => step.attempts.at(-1)?.comments).findLast((one) => one !== undefined);
}

/** Whether what went wrong in it is no verdict. */
export function endedWithoutVerdict({ failure }: { readonly failure?: Failure }): boolean {
  return failure !== undefined && !verdictKinds.includes(failure.kind);
}
