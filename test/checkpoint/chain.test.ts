/** A chain of entries contains the same as one whole checkpoint, whatever happened to its files. */
import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { defaultArchiveLimits } from '../../src/checkpoint/archive.js';
import { type Binding, keyOf } from '../../src/checkpoint/binding.js';
import { Chain } from '../../src/checkpoint/chain.js';
import { openCheckpoint } from '../../src/checkpoint/checkpoint.js';
import { journalPath, sessionPath } from '../../src/checkpoint/checkpoint-contents.js';
import { openChain } from '../../src/checkpoint/open-chain.js';
import { holds } from '../fakes/holds.js';
import { binding, credential, expectedOf } from './sample.js';
import { bytesOf, contentsOf, openStored, type Stored, sealingSecrets, storeChain } from './stored-chain.js';

type Files = ReadonlyMap<string, Buffer>;

/** What one step of a run does to one session file. */
interface Change {
  readonly file: number;
  readonly how: 'append' | 'rewrite' | 'insert' | 'truncate' | 'remove' | 'copy';
  readonly seed: number;
  readonly length: number;
}

interface Turn {
  readonly changes: readonly Change[];
  /** The save succeeds. */
  readonly isStored: boolean;
  /** Another job continues from the last stored checkpoint. */
  readonly isNewJob: boolean;
}

const change: fc.Arbitrary<Change> = fc.record({
  file: fc.integer({ min: 0, max: 3 }),
  how: fc.constantFrom('append', 'append', 'rewrite', 'insert', 'truncate', 'remove', 'copy'),
  seed: fc.integer({ min: 0, max: 5 }),
  length: fc.integer({ min: 0, max: 30_000 }),
});

const turn: fc.Arbitrary<Turn> = fc.record({
  changes: fc.array(change, { maxLength: 3 }),
  isStored: fc.boolean(),
  isNewJob: fc.integer({ min: 0, max: 4 }).map((number) => number === 0),
});

const nameOf = (file: number) =>
  sessionPath({ provider: 'claude', id: `id${file % 2}`, path: `deep/${file}.jsonl` });

function applyChange(files: Files, { file, how, seed, length }: Change): Files {
  const path = nameOf(file);
  const before = files.get(path) ?? Buffer.alloc(0);
  const added = bytesOf(seed, length);
  const middle = Math.floor(before.length / 2);
  const changed = new Map(files);
  if (how === 'remove') changed.delete(path);
  else if (how === 'append') changed.set(path, Buffer.concat([before, added]));
  else if (how === 'rewrite') changed.set(path, added);
  else if (how === 'truncate') changed.set(path, before.subarray(0, length));
  else if (how === 'copy') changed.set(path, files.get(nameOf(file + 1)) ?? added);
  else changed.set(path, Buffer.concat([before.subarray(0, middle), added, before.subarray(middle)]));
  return changed;
}

function sources(files: Files, known: Files) {
  return [...files].map(([path, content]) => {
    const sha256 = createHash('sha256').update(content).digest('hex');
    // The builder does not read a copy that the base contains.
    return known.get(path)?.equals(content) ? { path, sha256 } : { path, sha256, content };
  });
}

async function sealNext(chain: Chain, stored: Stored, files: Files, pack: string): Promise<Binding> {
  const base = chain.base();
  const bound = { ...binding, sequence: (stored.newest?.sequence ?? 0) + 1 };
  const known = new Map(
    [...files].filter(
      ([path, content]) =>
        base.files.get(path)?.sha256 === createHash('sha256').update(content).digest('hex'),
    ),
  );
  const contents = { files: sources(files, known), packs: [Buffer.from(pack)], commits: [] };
  const sealed = await chain.seal(contents, base, bound, sealingSecrets);
  stored.entries.set(keyOf(bound), sealed);
  return bound;
}

function sorted(files: Iterable<readonly [string, Buffer]>) {
  return [...files].sort(([one], [other]) => (one < other ? -1 : 1));
}

it('has the same files as one whole checkpoint, after any history', async () => {
  await holds(
    fc.asyncProperty(fc.array(turn, { minLength: 1, maxLength: 25 }), async (turns) => {
      let stored: Stored = { entries: new Map() };
      let chain = new Chain();
      let files: Files = new Map([[journalPath, Buffer.alloc(0)]]);
      let storedFiles = files;
      for (const [index, { changes, isStored, isNewJob }] of turns.entries()) {
        if (isNewJob && stored.newest !== undefined) {
          const opened = await openStored(stored);
          if (opened.status !== 'opened') throw new Error(JSON.stringify(opened));
          chain = new Chain(opened.chain);
          // What was not stored is lost.
          files = storedFiles;
        }
        files = changes.reduce(applyChange, files);
        const journal = files.get(journalPath) ?? Buffer.alloc(0);
        files = new Map([...files, [journalPath, Buffer.concat([journal, Buffer.from(`event ${index}\n`)])]]);
        const newest = await sealNext(chain, stored, files, `pack ${index}`);
        if (!isStored) continue;
        chain.confirm(keyOf(newest));
        stored = { ...stored, newest };
        storedFiles = files;
        const { journal: read, sessions, packs } = contentsOf(await openStored(stored));
        const paths = sessions.map((copy) => [sessionPath(copy), copy.content] as const);
        expect(sorted([[journalPath, read], ...paths])).toEqual(sorted(files));
        expect(packs.at(-1)?.toString()).toBe(`pack ${index}`);
        expect(chain.base().entries.length).toBeLessThanOrEqual(16);
      }
    }),
    25,
  );
});

const keyOfSequence = (sequence: number) => keyOf({ ...binding, sequence });

it.each<[string, string, (stored: Stored) => unknown]>([
  ['a link is missing', 'missing-link', ({ entries }) => entries.delete(keyOfSequence(2))],
  ['the whole state is missing', 'missing-link', ({ entries }) => entries.delete(keyOfSequence(1))],
  [
    'two links are swapped',
    'wrong-link',
    ({ entries }) => {
      const [two, three] = [entries.get(keyOfSequence(2)), entries.get(keyOfSequence(3))];
      if (two && three) entries.set(keyOfSequence(2), three).set(keyOfSequence(3), two);
    },
  ],
  [
    'a link is repeated',
    'wrong-link',
    ({ entries }) => entries.set(keyOfSequence(3), entries.get(keyOfSequence(2)) ?? Buffer.alloc(0)),
  ],
  [
    'a byte of a link differs',
    'wrong-link',
    ({ entries }) => {
      const link = Buffer.from(entries.get(keyOfSequence(2)) ?? '');
      link[link.length - 1] = (link.at(-1) ?? 0) ^ 1;
      entries.set(keyOfSequence(2), link);
    },
  ],
])('is refused if %s', async (_what, reason, alter) => {
  const stored = await storeChain(4);
  alter(stored);
  expect(await openStored(stored)).toMatchObject({ status: 'refused', reason });
});

it('is refused if a link was sealed again for the same place with the same secrets', async () => {
  const stored = await storeChain(3);
  const other = await storeChain(3);
  stored.entries.set(keyOfSequence(2), other.entries.get(keyOfSequence(2)) ?? Buffer.alloc(0));
  expect(await openStored(stored)).toMatchObject({ status: 'refused', reason: 'wrong-link' });
});

it('is refused if all its entries together exceed a limit that each of them keeps', async () => {
  const stored = await storeChain(4);
  const limits = { ...defaultArchiveLimits, bytes: 51_000 };
  expect(await openStored(stored, limits)).toMatchObject({ status: 'refused', reason: 'bad-content' });
});

it('opens with a secret that only the newest entry has', async () => {
  const { chain, ...stored } = await storeChain(3);
  const bound = { ...binding, sequence: 4 };
  const [other] = [credential('OPENAI_API_KEY', 'sk-no-real-key-0123456789abcdefghij')];
  const base = chain.base();
  const file = {
    path: journalPath,
    content: Buffer.from('x'),
    sha256: createHash('sha256').update('x').digest('hex'),
  };
  const sealed = await chain.seal({ files: [file], packs: [], commits: [] }, base, bound, [other]);
  const expected = expectedOf(bound);
  const opened = await openCheckpoint(sealed, [other], expected);
  if (opened.status !== 'opened') throw new Error(opened.reason);
  const end = { ...opened, key: expected.key, sealed };
  const read = async (key: string) => stored.entries.get(key);
  expect(
    contentsOf(await openChain(end, { expected, limits: defaultArchiveLimits, read })).journal.toString(),
  ).toBe('x');
});

it('does not build on a save that is not known to be stored', async () => {
  const { chain, ...stored } = await storeChain(2);
  await sealNext(chain, stored, new Map([[journalPath, Buffer.from('lost')]]), '');
  expect(chain.base().entries.map(({ key }) => key)).toEqual([keyOfSequence(1), keyOfSequence(2)]);
});

it('an entry that was sealed while the one before it was being stored is on the chain too', async () => {
  const { chain, entries } = await storeChain(2);
  const sealAt = async (sequence: number): Promise<string> => {
    const bound = { ...binding, sequence };
    const content = bytesOf(sequence, 1000);
    const sha256 = createHash('sha256').update(content).digest('hex');
    const contents = { files: [{ path: journalPath, content, sha256 }], packs: [], commits: [] };
    await chain.seal(contents, chain.base(), bound, sealingSecrets);
    return keyOf(bound);
  };
  const [third, fourth] = [await sealAt(3), await sealAt(4)];
  chain.confirm(third);
  expect(chain.keysOf(third)).toEqual([...entries.keys(), third]);
  chain.confirm(fourth);
  expect(chain.keysOf(fourth)).toEqual([...entries.keys(), fourth]);
  const late = await sealAt(5);
  for (const sequence of [6, 7, 8]) await sealAt(sequence);
  chain.confirm(late);
  // Too long ago: nothing builds on it, and what it would need is not kept in memory.
  expect(chain.keysOf(late)).toEqual([late]);
});
