import { expect, it } from 'vitest';
import { formatCost } from '../../src/providers/money.js';
import { sumCosts } from '../../src/providers/usage.js';
import { formatCount, formatTurns } from '../../src/report/format.js';

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

it('shows a cost with two digits, a small one with four', () => {
  const costs = [0, 0.00001, 0.0001, 0.0031, 0.05, 0.09999, 0.1, 0.1 + 0.2, 1.5, 10, 1234.5];
  expect(costs.map((costUsd) => formatCost({ costUsd }))).toEqual([
    '$0.00',
    'less than $0.0001',
    '$0.0001',
    '$0.0031',
    '$0.0500',
    '$0.10',
    '$0.10',
    '$0.30',
    '$1.50',
    '$10.00',
    '$1234.50',
  ]);
});

it('says that a sum with an unknown part is the least that was spent', () => {
  const known = { costUsd: 0.42, turns: 1 };
  expect(formatCost(sumCosts([known, known]))).toBe('$0.84');
  // A process without an answer has cost nothing.
  expect(formatCost(sumCosts([known, {}]))).toBe('$0.42');
  expect(formatCost(sumCosts([known, { turns: 1 }]))).toBe('at least $0.42');
  const estimate = { costUsd: 0.00001, costIsEstimate: true } as const;
  expect(formatCost(sumCosts([estimate, { inputTokens: 5 }]))).toBe('at least ~$0.00 (estimate)');
  expect(formatCost(sumCosts([{ turns: 1 }, { inputTokens: 5 }]))).toBe('–');
});
