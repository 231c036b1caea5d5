import { expect, test } from 'vitest';
import { addUsage, subtractUsage } from '../../src/providers/usage.js';

test('a sum skips absent numbers, and is absent if all are', () => {
  const sum = addUsage({ inputTokens: 1, costUsd: 0 }, {}, { inputTokens: 2, turns: 1 });
  expect(sum).toEqual({ inputTokens: 3, costUsd: 0, turns: 1 });
  expect(addUsage({}, {})).toEqual({});
});

test('a difference counts a number that is absent before as 0', () => {
  expect(subtractUsage({ inputTokens: 5, outputTokens: 2 }, { inputTokens: 3 })).toEqual({
    inputTokens: 2,
    outputTokens: 2,
  });
});

test('a number that is absent in the total stays absent', () => {
  expect(subtractUsage({ inputTokens: 5 }, { inputTokens: 3, costUsd: 1 })).toEqual({ inputTokens: 2 });
});

test('a total smaller than before restarts the count of all numbers', () => {
  const total = { inputTokens: 2, outputTokens: 9 };
  expect(subtractUsage(total, { inputTokens: 3, outputTokens: 1 })).toEqual(total);
});
