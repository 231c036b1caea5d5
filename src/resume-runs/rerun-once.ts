/**
 * Re-runs the failed jobs of a run, at most once for one job attempt of it.
 *
 * RERUN1 Just before the request, the run is still at the job attempt that was judged, and not in progress. Of two
 *        requests at the same time, GitHub accepts one and refuses the other, because the run is in progress then.
 * RERUN2 After a lost answer, the run itself shows whether the request took effect. Only then is it repeated, once.
 */
import type { Clock } from '../system/clock.js';
import { type RerunAnswer, type RunSource, SourceError, type WorkflowRun } from './run-source.js';

/** `changed`: the run is no longer as it was judged. `unknown`: GitHub did not answer, and the run has not changed. */
export type RerunOutcome =
  | { readonly kind: 'rerun' | 'changed' | 'running' }
  | { readonly kind: 'refused' | 'unknown'; readonly message: string };

/** GitHub starts a re-run a moment after the request. */
const settleMs = 2000;
/** A longer wait is left to the next round. */
const longestWaitMs = 60_000;

/** Throws a `SourceError` if a permission is missing, a rate limit is reached or the run cannot be read. */
export async function rerunOnce(source: RunSource, run: WorkflowRun, clock: Clock): Promise<RerunOutcome> {
  try {
    return await askOnce(source, run, clock);
  } catch (error) {
    const wait = error instanceof SourceError ? error.retryAfterMs : undefined;
    if (wait === undefined || wait > longestWaitMs) throw error;
    // The request was refused unread. The run may have changed during the wait, so it is looked at again.
    await clock.sleep(wait);
    return askOnce(source, run, clock);
  }
}

async function askOnce(source: RunSource, run: WorkflowRun, clock: Clock): Promise<RerunOutcome> {
  if (hasChanged(await source.run(run.id), run)) return { kind: 'changed' };
  const answer = await ask(source, run);
  if (!(answer instanceof SourceError)) return outcomeOf(answer);
  if (await tookEffect(source, run, clock)) return { kind: 'rerun' };
  const second = await ask(source, run);
  if (!(second instanceof SourceError)) {
    // It took effect after all, only later.
    return second.kind === 'running' ? { kind: 'rerun' } : outcomeOf(second);
  }
  if (await tookEffect(source, run, clock)) return { kind: 'rerun' };
  return { kind: 'unknown', message: second.message };
}

/** Returns a lost answer as a value. */
async function ask(source: RunSource, run: WorkflowRun): Promise<RerunAnswer | SourceError> {
  try {
    return await source.rerunFailedJobs(run.id);
  } catch (error) {
    if (error instanceof SourceError && error.problem === 'no-answer') return error;
    throw error;
  }
}

async function tookEffect(source: RunSource, run: WorkflowRun, clock: Clock): Promise<boolean> {
  await clock.sleep(settleMs);
  return hasChanged(await source.run(run.id), run);
}

function hasChanged(now: WorkflowRun, judged: WorkflowRun): boolean {
  return now.attempt !== judged.attempt || now.status !== 'completed';
}

function outcomeOf(answer: RerunAnswer): RerunOutcome {
  return answer.kind === 'accepted' ? { kind: 'rerun' } : answer;
}
