/** A clock that a test moves. `test/system/clock.test.ts` checks that it sleeps like the real clock. */
import type { Clock } from '../../src/system/clock.js';

export interface FakeClock extends Clock {
  /** The requested duration of each sleep, in order. */
  readonly sleeps: readonly number[];
  /** Moves the time and ends the sleeps that are over, in order. */
  advance(ms: number): void;
}

/** `sleeping: 'jumps'`: a sleep moves the time and ends immediately; `'waits'`: only `advance` ends a sleep. */
export function createFakeClock(
  options: { readonly start?: number; readonly sleeping?: 'jumps' | 'waits' } = {},
): FakeClock {
  let time = options.start ?? 0;
  let sleepers: { readonly until: number; wake(): void }[] = [];
  const sleeps: number[] = [];

  const advance = (ms: number): void => {
    time += ms;
    const due = sleepers.filter((sleeper) => sleeper.until <= time).sort((a, b) => a.until - b.until);
    sleepers = sleepers.filter((sleeper) => sleeper.until > time);
    for (const sleeper of due) sleeper.wake();
  };

  return {
    sleeps,
    advance,
    now: () => time,
    async sleep(ms, signal) {
      signal?.throwIfAborted();
      sleeps.push(ms);
      if (options.sleeping === 'jumps') return advance(ms);
      await new Promise<void>((resolve, reject) => {
        const sleeper = { until: time + ms, wake: resolve };
        sleepers.push(sleeper);
        signal?.addEventListener('abort', () => {
          sleepers = sleepers.filter((other) => other !== sleeper);
          reject(signal.reason);
        });
      });
    },
  };
}
