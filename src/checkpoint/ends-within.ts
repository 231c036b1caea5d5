/** Waits with a maximum time. */
import type { Clock } from '../system/clock.js';

/** Whether `work` ended, with success or not, within `ms` milliseconds. Does not stop `work`. */
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
  // A remaining timer would keep the process alive.
  stop.abort();
  return result;
}
