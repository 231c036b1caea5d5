import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readDuration } from '../../src/workflow/duration.js';
import { readAmount, readCount } from '../../src/workflow/numbers.js';
import { holds } from '../fakes/holds.js';

describe('durations', () => {
  it.each([
    ['30m', 1_800_000],
    ['1h30m', 5_400_000],
    ['90s', 90_000],
    ['1.5h', 5_400_000],
    ['.5s', 500],
    ['1.s', 1000],
    ['500ms', 500],
    ['1h2m3s4ms', 3_723_004],
    [' 5m ', 300_000],
    ['0s', 0],
    ['8760h', 31_536_000_000],
  ])('reads %j', (text, milliseconds) => {
    expect(readDuration(text)).toBe(milliseconds);
  });

  it.each(['', '5', 'm', '5 m', '-5m', '+5m', '5d', '1h 30m', '5M', '1e3s', '.s', '1..5s', '9000h'])(
    'rejects %j',
    (text) => {
      expect(readDuration(text)).toBeUndefined();
    },
  );

  it('are whole numbers of milliseconds for any text', () => {
    const text = fc.string({ unit: fc.constantFrom(...'0123456789.hms'), maxLength: 45 });
    holds(
      fc.property(text, (one) => {
        const ms = readDuration(one);
        if (ms !== undefined) expect(Number.isSafeInteger(ms) && ms >= 0).toBe(true);
      }),
    );
  });
});

describe('numbers', () => {
  it('may be text', () => {
    expect([5, 0.25, '5', ' 2.50 ', 0, '0'].map(readAmount)).toEqual([5, 0.25, 5, 2.5, 0, 0]);
    expect([5, '7', '7.0'].map(readCount)).toEqual([5, 7, 7]);
  });

  it('reject other values', () => {
    for (const value of [
      -1,
      '-1',
      Number.NaN,
      Number.POSITIVE_INFINITY,
      '',
      '1e3',
      '0x10',
      true,
      null,
      [],
      {},
    ])
      expect(readAmount(value)).toBeUndefined();
    for (const value of [1.5, '1.5', 2 ** 60]) expect(readCount(value)).toBeUndefined();
  });
});
