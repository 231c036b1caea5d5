/**
 * Waits for the model service under the limits around an attempt: their time continues to run, and other agents
 * may use up what they share. The attempt's own time limit counts the time of its agent, which does not run now.
 */
import type { Failure } from '../../failure.js';
import type { AttemptRef } from '../../journal/event.js';
import type { EngineRun } from '../engine-run.js';
import type { LimitHit, MonitoredAgent } from './limit.js';
import { waitTooLongFailure } from './limit-failure.js';
import { currentUsage, usedUpFailure } from './run-limits.js';

/** Why a wait of `ms` is useless: a limit would be used up before its end. `undefined` if there is enough time. */
export function checkTimeForWait(run: EngineRun, ms: number, refused: Failure): Failure | undefined {
  const failure = usedUpFailure(run, run.limits);
  if (failure !== undefined) return failure;
  const hit = findShortLimit(run, ms);
  return hit === undefined ? undefined : waitTooLongFailure(hit, ms, refused);
}

/** The first limit around an attempt whose time would be used up before the end of a wait of `ms`. */
export function findShortLimit(run: EngineRun, ms: number): LimitHit | undefined {
  for (const limit of run.limits) {
    const { maxTimeMs } = limit.values;
    const used = currentUsage(run, limit).maxTimeMs;
    if (maxTimeMs !== undefined && used + ms >= maxTimeMs)
      return { limit, field: 'maxTimeMs', maximum: maxTimeMs, used };
  }
  return undefined;
}

/** Sleeps for `ms`. Ends early with a failure if a limit is used up or the job is cancelled. */
export async function waitUnderLimits(
  run: EngineRun,
  ref: AttemptRef,
  ms: number,
): Promise<Failure | undefined> {
  const { clock } = run.ports;
  const stopped = new AbortController();
  let failure: Failure | undefined;
  const waiting: MonitoredAgent = {
    ...ref,
    usage: {},
    isAnswering: false,
    startedAt: clock.now(),
    enforceLimits() {
      failure ??= usedUpFailure(run, run.limits);
      if (failure !== undefined) stopped.abort();
    },
  };
  run.runningAgents.add(waiting);
  try {
    await clock.sleep(ms, AbortSignal.any([run.signal, stopped.signal]));
    return undefined;
  } catch {
    return run.signal.aborted ? interruptedFailure : (failure ?? interruptedFailure);
  } finally {
    run.runningAgents.delete(waiting);
  }
}

const interruptedFailure: Failure = {
  kind: 'cancelled',
  message: 'Interrupted while waiting for the model service.',
};
