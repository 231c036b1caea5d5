/** Writes that must take effect once, although an answer of GitHub can get lost. */
import type { Clock } from '../system/clock.js';
import { isUnanswered } from './github-error.js';

/** The waits before GitHub is asked again, in milliseconds. */
const waits = [1000, 3000];

/**
 * Runs `write`. After a lost answer or a 5xx, looks whether it took effect, and repeats it only if it did not.
 * `look`: what `write` would have returned; `undefined` if it had no effect. Throws the last error of `write`.
 */
export async function lookThenRepeat<T>(
  clock: Pick<Clock, 'sleep'>,
  write: () => Promise<T>,
  look: () => Promise<T | undefined>,
): Promise<T> {
  for (const wait of waits) {
    try {
      return await write();
    } catch (error) {
      if (!isUnanswered(error)) throw error;
      await clock.sleep(wait);
      const found = await look();
      if (found !== undefined) return found;
    }
  }
  return write();
}
