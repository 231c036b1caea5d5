/**
 * Waiting for the model service under the limits around an attempt: their time goes on, and others may use up
 * meanwhile what they share. The attempt's own limit of time is that of its agent alone, who does not work here.
 */
import type { Failure } from '../failure.js';
import type { AttemptRef } from '../journal/event.js';
import { countNow, usedUp } from './budget.js';
import type { Watched } from './guards.js';
import { waitFailure } from './guards.js';
import type { Run } from './run-context.js';

/** Why waiting so long is of no use, as nothing would be left to go on with; `undefined`: it may be waited. */
export function noTimeFor(run: Run, ms: number, refused: Failure): Failure | undefined {
  const failure = usedUp(run, run.caps);
  if (failure !== undefined) return failure;
  for (const cap of run.caps) {
    const { maxTimeMs } = cap.limits;
    const spentMs = countNow(run, cap).ms;
    if (maxTimeMs !== undefined && spentMs + ms >= maxTimeMs)
      return waitFailure({ cap, limit: 'maxTimeMs', value: maxTimeMs, count: spentMs }, ms, refused);
  }
  return undefined;
}

/** Sleeps until the time is over, or nothing is left any more, or the job is cancelled; the failure of the latter two. */
export async function waitUnderCaps(run: Run, ref: AttemptRef, ms: number): Promise<Failure | undefined> {
  const { clock } = run.ports;
  const ended = new AbortController();
  let failure: Failure | undefined;
  const waiter: Watched = {
    ...ref,
    usage: {},
    isAnswering: false,
    startedAt: clock.now(),
    check() {
      failure ??= usedUp(run, run.caps);
      if (failure !== undefined) ended.abort();
    },
  };
  run.working.add(waiter);
  try {
    await clock.sleep(ms, AbortSignal.any([run.signal, ended.signal]));
    return undefined;
  } catch {
    return run.signal.aborted ? cutOff : (failure ?? cutOff);
  } finally {
    run.working.delete(waiter);
  }
}

const cutOff: Failure = {
  kind: 'cancelled',
  message: 'Cut off while the model service was waited for.',
};
