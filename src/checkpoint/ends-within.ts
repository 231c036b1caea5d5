/** A bound on how long something is waited for. */
import type { Clock } from '../system/clock.js';

/** Whether `work` ended, either way, within `ms` milliseconds; it is not stopped when it did not. */
export async function endsWithin(work: Promise<unknown>, ms: number, clock: Clock): Promise<boolean> {
  const stop = new AbortController();
  const isOver = clock.sleep(ms, stop.signal).then(
    () => false,
    () => false,
  );
  const isDone = work.then(
    () => true,
    () => true,
  );
  const result = await Promise.race([isDone, isOver]);
  // A timer that is left behind would keep the process alive.
  stop.abort();
  return result;
}
