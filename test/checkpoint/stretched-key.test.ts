import { scryptSync } from 'node:crypto';
import { expect, it, vi } from 'vitest';
import { newStretchSalt, stretch, stretchEarly } from '../../src/checkpoint/stretched-key.js';

it('has the same result, whether it was begun early or not', async () => {
  const value = 'a state key of enough length';
  const salt = newStretchSalt();
  const expected = scryptSync(value, salt, 64, { N: 2 ** 16, r: 8, p: 1, maxmem: 128 * 1024 * 1024 });
  stretchEarly(value);
  const before = stretch(value, salt);
  expect(before).toEqual(expected);
  // The early result takes its place.
  await vi.waitUntil(() => stretch(value, salt) !== before, { timeout: 60_000 });
  expect(stretch(value, salt)).toEqual(expected);
});
