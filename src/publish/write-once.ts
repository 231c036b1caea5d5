/** Writes of comments and reviews that must take effect once. */
import { statusOf } from '../github/request-error.js';
import { systemClock } from '../system/clock.js';
import { lookThenRepeat } from './look-then-repeat.js';

/** `look`: what `write` would have returned, if it took effect although its answer got lost. */
export function writeOnce<T>(write: () => Promise<T>, look: () => Promise<T | undefined>): Promise<T> {
  return lookThenRepeat(systemClock, write, look);
}

/** For a change that has the same effect twice. */
export function writeUntilDone<T>(write: () => Promise<T>): Promise<T> {
  return writeOnce(write, async () => undefined);
}

/** For `catch`: a person deleted it in the meantime, so there is nothing to change. */
export function undefinedIfGone(error: unknown): undefined {
  if (statusOf(error) !== 404) throw error;
}
