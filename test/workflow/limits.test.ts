import { describe, expect, it } from 'vitest';
import {
  limitKeyOf,
  limitsByPlace,
  limitTable,
  readLimits,
  spendingLimits,
} from '../../src/workflow/limits.js';

const keysOf = (place: 'guard' | 'budget') => limitsByPlace[place].flatMap(({ keys }) => Object.keys(keys));

const readGuard = (values: Readonly<Record<string, unknown>>) => readLimits('guard', (key) => values[key]);

describe('the table of limits', () => {
  it('has every key once for each place', () => {
    expect(keysOf('guard')).toEqual([...new Set(keysOf('guard'))]);
    expect(keysOf('budget')).toEqual(['max_tokens', 'max_budget', 'max_timeout']);
  });

  it('has only `stallMs` in addition to the limits on spending', () => {
    const fields = spendingLimits.map(({ field }) => field);
    expect([...fields, 'stallMs']).toEqual(Object.keys(limitTable));
  });

  it('names a limit by the key of its place', () => {
    expect(limitKeyOf('guard', 'maxTimeMs')).toBe('max_time');
    expect(limitKeyOf('budget', 'maxTimeMs')).toBe('max_timeout');
  });
});

describe('reading limits', () => {
  it('uses the unit of each key, and both keys for time', () => {
    expect(readGuard({ max_turns: '5', max_budget: 1.5, max_time: '1m' })).toEqual({
      maxTurns: 5,
      maxUsd: 1.5,
      maxTimeMs: 60_000,
    });
    expect(readGuard({ timeout: '2s' })).toEqual({ maxTimeMs: 2000 });
  });

  it('reads zero as no limit, except for `stall`', () => {
    expect(readGuard({ max_turns: 0, max_time: '0s', stall: '0s' })).toEqual({ stallMs: 0 });
  });

  it('leaves out what it cannot read', () => {
    expect(readGuard({ max_turns: 1.5, max_budget: 'much' })).toEqual({});
  });
});
