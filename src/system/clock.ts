/** The time for the engine, replaceable so that tests do not wait. */
import { setTimeout as wait } from 'node:timers/promises';
import { longestTimerMs } from './longest-timer.js';

export interface Clock {
  /** Milliseconds since 1970, as `Date.now()`. */
  now(): number;
  /** Resolves after `ms` milliseconds. Rejects with the signal's reason as soon as the signal is aborted. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>;
}

export const systemClock: Clock = {
  now: () => Date.now(),
  async sleep(ms, signal) {
    signal?.throwIfAborted();
    try {
      await wait(Math.min(ms, longestTimerMs), undefined, signal ? { signal } : {});
    } catch (error) {
      // Node rejects with its own AbortError, which contains the reason as its cause.
      signal?.throwIfAborted();
      throw error;
    }
  },
};
