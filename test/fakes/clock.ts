/** A clock that a test moves. It sleeps as the real one does, as far as the contract in `test/system/clock.test.ts` says. */
import type { Clock } from '../../src/system/clock.js';

export interface FakeClock extends Clock {
  /** How long each sleep was asked to be, in order. */
  readonly sleeps: readonly number[];
  /** Moves the time and wakes whoever slept long enough, in order. */
  advance(ms: number): void;
}

/** `sleeping: 'jumps'`: a sleep moves the time itself and is over at once; `'waits'`: only `advance` does. */
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
