/**
 * Opens a chain of three entries that the first version with chains sealed (`test/fixtures/seal-v2`). They must never
 * be sealed again: if this test fails, a stored format has changed, and users would pay again for steps that passed.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { keyOf } from '../../src/checkpoint/binding.js';
import { binding } from './sample.js';
import { bytesOf, contentsOf, openStored } from './stored-chain.js';

const folder = fileURLToPath(new URL('../fixtures/seal-v2', import.meta.url));

it('a chain of format 2 still opens', async () => {
  const entries = new Map(readdirSync(folder).map((name) => [name, readFileSync(join(folder, name))]));
  const keys = [1, 2, 3].map((sequence) => keyOf({ ...binding, sequence }));
  expect([...entries.keys()].sort()).toEqual(keys);
  const opened = await openStored({ entries, newest: { ...binding, sequence: 3 } });
  const added = [1, 2, 3].map((sequence) => bytesOf(sequence, 100));
  expect(contentsOf(opened).journal.equals(Buffer.concat([bytesOf(0, 50_000), ...added]))).toBe(true);
  if (opened.status !== 'opened') throw new Error(opened.reason);
  const { entries: links, storedBytes } = opened.chain();
  expect(links.map(({ key, level }) => [key, level])).toEqual(keys.map((key) => [key, 0]));
  expect(storedBytes).toBe([...entries.values()].reduce((sum, { length }) => sum + length, 0));
});
