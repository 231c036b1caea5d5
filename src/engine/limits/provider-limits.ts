/**
 * What a run knows about services that refuse requests for some time, from the attempts that they refused. Pure.
 *
 * PROVIDER1 While a service refuses for longer than an attempt waits, nothing new starts on its provider. What is
 *           already running ends by itself.
 */
import { attemptsInOrder, type RunState } from '../../journal/run-state.js';
import { maxTotalWaitMs } from './backoff.js';

export interface ProviderAgent {
  readonly provider: string;
  readonly agent: string;
}

/** Whether `until` is too far ahead to wait for it in a job. Both in milliseconds since 1970. */
export function isTooLong(until: number, now: number): boolean {
  return until - now > maxTotalWaitMs;
}

/** Until when the provider refuses requests, in milliseconds since 1970. `undefined` if it may be asked. */
export function limitOfProvider(state: RunState, provider: string, now: number): number | undefined {
  return latest(state, now, (one) => one.provider === provider);
}

/**
 * The same for an agent that replaces another one. If both have the same provider, its user chose it because the limit
 * is one of the model: then only refusals of this very agent count.
 */
export function limitOfFallback(
  state: RunState,
  fallback: ProviderAgent,
  replaced: ProviderAgent,
  now: number,
): number | undefined {
  return fallback.provider === replaced.provider
    ? latest(state, now, (one) => one.agent === fallback.agent)
    : limitOfProvider(state, fallback.provider, now);
}

function latest(state: RunState, now: number, isMeant: (attempt: Partial<ProviderAgent>) => boolean) {
  const times = attemptsInOrder(state).flatMap(({ provider, agent, failure }) => {
    const until = failure?.resumeAt;
    const used = {
      ...(provider === undefined ? {} : { provider }),
      ...(agent === undefined ? {} : { agent }),
    };
    return until !== undefined && isTooLong(until, now) && isMeant(used) ? [until] : [];
  });
  return times.length === 0 ? undefined : Math.max(...times);
}
