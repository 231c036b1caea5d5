import { expect, test } from 'vitest';
import { addUsage, subtractUsage } from '../../src/providers/usage.js';

test('a sum skips what was not said and stays absent when nobody said it', () => {
  const sum = addUsage({ inputTokens: 1, costUsd: 0 }, {}, { inputTokens: 2, turns: 1 });
  expect(sum).toEqual({ inputTokens: 3, costUsd: 0, turns: 1 });
  expect(addUsage({}, {})).toEqual({});
});

test('a difference counts a number absent before as nothing spent yet', () => {
  expect(subtractUsage({ inputTokens: 5, outputTokens: 2 }, { inputTokens: 3 })).toEqual({
    inputTokens: 2,
    outputTokens: 2,
  });
});

test('a number that is not in the total is not made up', () => {
  expect(subtractUsage({ inputTokens: 5 }, { inputTokens: 3, costUsd: 1 })).toEqual({ inputTokens: 2 });
});

test('a total smaller than before was counted anew, in all its numbers', () => {
  const total = { inputTokens: 2, outputTokens: 9 };
  expect(subtractUsage(total, { inputTokens: 3, outputTokens: 1 })).toEqual(total);
});
