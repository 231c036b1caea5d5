/** A workflow that an attempt calls: to get something, to be retried by, to be judged by. */

import type { Failure } from '../failure.js';
import type { StepState } from '../journal/state.js';
import { defined } from '../optional-keys.js';
import type { Role } from '../plan/calls.js';
import { type PlacedStep, placeCall } from '../plan/place.js';
import { lastAttempt } from './history.js';
import type { Run } from './run-context.js';

export type CallEnd =
  | { readonly status: 'passed' | 'failed'; readonly comments: string; readonly failure?: Failure }
  /** The job was cancelled, or a step in it waits for a person. */
  | { readonly status: 'stopped' };

/** What a workflow fails with that has judged; all else is something that went wrong in it. */
const verdicts: readonly Failure['kind'][] = ['validate', 'gate', 'output'];

/** Calls it for the attempt of that number; one that has judged already is not asked again. */
export async function runCall(run: Run, placed: PlacedStep, role: Role, number: number): Promise<CallEnd> {
  const call = placeCall(placed, role, number);
  if (call === undefined) throw new Error(`${placed.path} has no call ${role}.`);
  await run.settle();
  if (!hasEnded(run, call.path)) {
    const end = await run.steps.runStep(run, call);
    if (end.status === 'cancelled' || end.status === 'paused') return { status: 'stopped' };
  }
  const failure = lastAttempt(run, call.path)?.failure;
  const status = run.state().steps.get(call.path)?.status === 'passed' ? 'passed' : 'failed';
  const comments = commentsOf(run, call.path);
  return { status, comments, ...defined({ failure }) };
}

function hasEnded(run: Run, path: string): boolean {
  const step = run.state().steps.get(path);
  if (step?.status === 'passed') return true;
  const kind = step?.attempts.at(-1)?.failure?.kind;
  return step?.status === 'failed' && kind !== undefined && verdicts.includes(kind);
}

/** What its last reviewer has said; those that judge the steps of it speak where it has none. */
function commentsOf(run: Run, path: string): string {
  const inside = [...run.state().steps.values()].filter((step) => step.path.startsWith(`${path}/`));
  const own = inside.filter((step) => !step.path.slice(path.length).includes(':'));
  return lastComments(own) ?? lastComments(inside) ?? '';
}

function lastComments(steps: readonly StepState[]): string | undefined {
  return steps.map((step) => step.attempts.at(-1)?.comments).findLast((one) => one !== undefined);
}

/** Whether what went wrong in it is no verdict. */
export function isBroken({ failure }: { readonly failure?: Failure }): boolean {
  return failure !== undefined && !verdicts.includes(failure.kind);
}
