/** Time as the engine sees it, so that tests need not wait. */
import { setTimeout as wait } from 'node:timers/promises';
import { longestTimerMs } from './longest-timer.js';

export interface Clock {
  /** Milliseconds since 1970, as `Date.now()`. */
  now(): number;
  /** Resolves after `ms` milliseconds; rejects with the signal's reason as soon as that is aborted. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>;
}

export const systemClock: Clock = {
  now: () => Date.now(),
  async sleep(ms, signal) {
    signal?.throwIfAborted();
    try {
      await wait(Math.min(ms, longestTimerMs), undefined, signal ? { signal } : {});
    } catch (error) {
      // Node rejects with an AbortError of its own and hides the reason in its cause.
      signal?.throwIfAborted();
      throw error;
    }
  },
};
