/**
 * What an attempt does after the model service refused its agent: it waits and tries again, it is interrupted until a
 * re-run, or it fails. See docs/waiting.md.
 */
import type { Failure } from '../../failure.js';
import type { EngineRun } from '../engine-run.js';
import { type BackoffState, exhausted, isTransient, nextWaitMs } from './backoff.js';
import { checkTimeForWait, findShortLimit } from './backoff-wait.js';
import { limitOfProvider } from './provider-limits.js';

/** `failure`: the attempt ends with it. With `resumeAt`, it is interrupted and uses up no retry. */
export type AfterRefusal =
  | { readonly waitMs: number; readonly kind: 'rate-limit' | 'overloaded' }
  | { readonly failure: Failure };

export function afterRefusal(
  run: EngineRun,
  provider: string,
  state: Omit<BackoffState, 'now' | 'jitter'>,
): AfterRefusal {
  const { failure } = state;
  const now = run.ports.clock.now();
  if (!isTransient(failure)) return { failure };
  // Another parallel branch may have learned more.
  const until = limitOfProvider(run.state(), provider, now);
  if (until !== undefined) return interrupted(failure, until);
  const ms = nextWaitMs({ ...state, now, jitter: Math.random() });
  const { acceptsAgainAt } = failure;
  const isNamed = acceptsAgainAt !== undefined && acceptsAgainAt > now;
  if (ms === undefined)
    return isNamed ? interrupted(failure, acceptsAgainAt) : { failure: exhausted(failure, state) };
  const { deadline } = run;
  if (deadline !== undefined && now + ms >= deadline) return interrupted(failure, now + ms);
  if (isNamed && findShortLimit(run, ms) !== undefined) return interrupted(failure, acceptsAgainAt);
  const noTime = checkTimeForWait(run, ms, failure);
  return noTime === undefined ? { waitMs: ms, kind: failure.kind } : { failure: noTime };
}

function interrupted(failure: Failure, resumeAt: number): AfterRefusal {
  return { failure: { ...failure, resumeAt } };
}
