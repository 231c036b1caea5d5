import { expect, it } from 'vitest';
import { formatCost, formatCount, formatTurns } from '../../src/report/format.js';

it('separates thousands with commas', () => {
  const counts = [undefined, 0, 999, 1000, 12_345, 123_456, 1_234_567];
  expect(counts.map(formatCount)).toEqual(['–', '0', '999', '1,000', '12,345', '123,456', '1,234,567']);
});

it('uses the singular and the plural of turn', () => {
  expect([0, 1, 2, 1001].map(formatTurns)).toEqual(['0 turns', '1 turn', '2 turns', '1,001 turns']);
});

it('marks an estimated cost', () => {
  expect(formatCost({})).toBe('–');
  expect(formatCost({ costUsd: 0.12 })).toBe('$0.12');
  expect(formatCost({ costUsd: 0.12, costIsEstimate: true })).toBe('~$0.12 (estimate)');
  expect(formatCost({ costUsd: 0.0012, costIsEstimate: true })).toBe('~$0.0012 (estimate)');
});
