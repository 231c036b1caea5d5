/** What `post` stores of a checkpoint that a cancelled `main` sealed. */
import { createHash } from 'node:crypto';
import { expect, it } from 'vitest';
import { keyOf } from '../../src/checkpoint/binding.js';
import { openCheckpoint } from '../../src/checkpoint/checkpoint.js';
import { journalPath } from '../../src/checkpoint/checkpoint-contents.js';
import { extendEntry, sealExtended } from '../../src/checkpoint/extend-entry.js';
import { binding, expectedOf } from './sample.js';
import { bytesOf, contentsOf, openStored, sealingSecrets, storeChain } from './stored-chain.js';

const journalStart = bytesOf(7, 60_000);
const lines = (count: number) =>
  Buffer.concat([journalStart, ...Array.from({ length: count }, (_, at) => Buffer.from(`{"at":${at}}\n`))]);

/** A chain, and an entry on it that is not stored. */
async function sealNext(journal: Buffer) {
  const { chain, entries } = await storeChain(2);
  const bound = { ...binding, sequence: 3 };
  const sha256 = createHash('sha256').update(journal).digest('hex');
  const files = [
    { path: journalPath, content: journal, sha256 },
    {
      path: 'sessions/claude/a/x.jsonl',
      content: Buffer.from('said'),
      sha256: createHash('sha256').update('said').digest('hex'),
    },
  ];
  const sealed = await chain.seal({ files, packs: [], commits: [] }, chain.base(), bound, sealingSecrets);
  const opened = await openCheckpoint(sealed, sealingSecrets, expectedOf(bound));
  if (opened.status !== 'opened') throw new Error(opened.reason);
  return { opened, entries };
}

it('is the same entry on the same chain, with the end of the job in its journal', async () => {
  const { opened, entries } = await sealNext(lines(2));
  const extended = extendEntry(opened, lines(3));
  if (extended === undefined) throw new Error('It does not continue the journal.');
  const newest = { ...binding, sequence: 4 };
  entries.set(keyOf(newest), await sealExtended(extended, newest, sealingSecrets));
  const { journal, sessions } = contentsOf(await openStored({ entries, newest }));
  expect(journal.equals(lines(3))).toBe(true);
  expect(sessions.map(({ content }) => content.toString())).toEqual(['said']);
});

it.each([
  ['more than the end of the job happened since', lines(4)],
  ['nothing happened since', lines(2)],
  ['the journal is another one', Buffer.concat([Buffer.from('x'), lines(3).subarray(1)])],
])('is not extended if %s', async (_what, journal) => {
  const { opened } = await sealNext(lines(2));
  expect(extendEntry(opened, journal)).toBeUndefined();
});
