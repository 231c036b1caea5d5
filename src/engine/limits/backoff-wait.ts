/**
 * Waiting for the model service under the limits around an attempt: their time goes on, and others may use up
 * meanwhile what they share. The attempt's own limit of time is that of its agent alone, who does not work here.
 */
import type { Failure } from '../../failure.js';
import type { AttemptRef } from '../../journal/event.js';
import type { EngineRun } from '../engine-run.js';
import type { MonitoredAgent } from './limit.js';
import { waitTooLongFailure } from './limit-failure.js';
import { currentUsage, usedUpFailure } from './run-limits.js';

/** Why waiting so long is of no use, as nothing would be left to go on with; `undefined`: it may be waited. */
export function checkTimeForWait(run: EngineRun, ms: number, refused: Failure): Failure | undefined {
  const failure = usedUpFailure(run, run.limits);
  if (failure !== undefined) return failure;
  for (const limit of run.limits) {
    const { maxTimeMs } = limit.values;
    const used = currentUsage(run, limit).maxTimeMs;
    if (maxTimeMs !== undefined && used + ms >= maxTimeMs)
      return waitTooLongFailure({ limit, field: 'maxTimeMs', maximum: maxTimeMs, used }, ms, refused);
  }
  return undefined;
}

/** Sleeps until the time is over, or nothing is left any more, or the job is cancelled; the failure of the latter two. */
export async function waitUnderLimits(
  run: EngineRun,
  ref: AttemptRef,
  ms: number,
): Promise<Failure | undefined> {
  const { clock } = run.ports;
  const ended = new AbortController();
  let failure: Failure | undefined;
  const waiter: MonitoredAgent = {
    ...ref,
    usage: {},
    isAnswering: false,
    startedAt: clock.now(),
    enforceLimits() {
      failure ??= usedUpFailure(run, run.limits);
      if (failure !== undefined) ended.abort();
    },
  };
  run.runningAgents.add(waiter);
  try {
    await clock.sleep(ms, AbortSignal.any([run.signal, ended.signal]));
    return undefined;
  } catch {
    return run.signal.aborted ? interruptedFailure : (failure ?? interruptedFailure);
  } finally {
    run.runningAgents.delete(waiter);
  }
}

const interruptedFailure: Failure = {
  kind: 'cancelled',
  message: 'Cut off while the model service was waited for.',
};
