import { describe, expect, it } from 'vitest';
import { type Clock, systemClock } from '../../src/system/clock.js';
import { createFakeClock } from '../fakes/clock.js';

const clocks: readonly [string, () => Clock][] = [
  ['the real one', () => systemClock],
  ['the fake that jumps', () => createFakeClock({ sleeping: 'jumps' })],
  ['the fake that waits', waiting],
];

/** Moves by itself, so that it can stand for a clock that runs. */
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
  it('has moved by what was slept', async () => {
    const clock = create();
    const before = clock.now();
    await clock.sleep(5);
    // Node's timers may fire up to 1 ms before the wall clock says so.
    expect(clock.now() - before).toBeGreaterThanOrEqual(4);
  });

  it('does not sleep for a signal that is aborted already', async () => {
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
  it('wakes only whoever slept long enough, in order', async () => {
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
