import { describe, expect, it } from 'vitest';
import { type Clock, systemClock } from '../../src/system/clock.js';
import { createFakeClock } from '../fakes/clock.js';

const clocks: readonly [string, () => Clock][] = [
  ['the real one', () => systemClock],
  ['the fake that jumps', () => createFakeClock({ sleeping: 'jumps' })],
  ['the fake that waits', waiting],
];

/** Advances by itself, like a real clock. */
function waiting(): Clock {
  const clock = createFakeClock();
  return {
    now: clock.now,
    sleep(ms, signal) {
      const slept = clock.sleep(ms, signal);
      if (ms < 1000) clock.advance(ms);
      return slept;
    },
  };
}

describe.each(clocks)('clock: %s', (_, create) => {
  it('advances by the time of a sleep', async () => {
    const clock = create();
    const before = clock.now();
    await clock.sleep(5);
    // Timers of Node may fire up to 1 ms early compared with the wall clock.
    expect(clock.now() - before).toBeGreaterThanOrEqual(4);
  });

  it('does not sleep if the signal is already aborted', async () => {
    const reason = new Error('enough');
    await expect(create().sleep(100_000, AbortSignal.abort(reason))).rejects.toBe(reason);
  });
});

describe.each(clocks.filter(([name]) => !name.includes('jumps')))('clock: %s', (_, create) => {
  it('wakes with the reason when the signal is aborted', async () => {
    const abort = new AbortController();
    const slept = create().sleep(100_000, abort.signal);
    const reason = new Error('enough');
    abort.abort(reason);
    await expect(slept).rejects.toBe(reason);
  });
});

describe('the fake clock', () => {
  it('wakes sleepers whose time is over, in order', async () => {
    const clock = createFakeClock({ start: 1000 });
    const woken: string[] = [];
    const long = clock.sleep(30).then(() => woken.push('long'));
    const short = clock.sleep(20).then(() => woken.push('short'));
    clock.advance(19);
    await Promise.resolve();
    expect(woken).toEqual([]);
    clock.advance(11);
    await Promise.all([long, short]);
    expect(woken).toEqual(['short', 'long']);
    expect([clock.now(), clock.sleeps]).toEqual([1030, [30, 20]]);
  });
});
