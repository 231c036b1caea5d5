/** What only a directory does: modes, links, foreign files, disk space. */
import { mkdir, mkdtemp, readdir, readFile, rm, stat, symlink, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { keyOf } from '../../src/checkpoint/binding.js';
import { readDirectoryKey, readOrCreateDirectoryKey } from '../../src/checkpoint/directory-key.js';
import { createDirectoryStore } from '../../src/checkpoint/directory-store.js';
import { readBinding } from '../../src/checkpoint/seal.js';
import { binding, keyAt } from './sample.js';
import { storeChain } from './stored-chain.js';

let root: string;
let path: string;
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'gump-directory-'));
  path = join(root, 'deep', 'state');
});
afterEach(() => rm(root, { recursive: true, force: true }));

async function modeOf(file: string): Promise<string> {
  return ((await stat(file)).mode & 0o777).toString(8);
}

const sealed = Buffer.from('sealed');

describe('a state in a directory', () => {
  it('can be read only by its owner, and leaves no incomplete files', async () => {
    await createDirectoryStore(path).write(keyAt(1, 1), sealed);
    expect(await readdir(path)).toEqual([keyAt(1, 1)]);
    expect(await modeOf(path)).toBe('700');
    expect(await modeOf(join(path, keyAt(1, 1)))).toBe('600');
  });

  it('keeps the five newest of each run and does not touch other files', async () => {
    const store = createDirectoryStore(path);
    await mkdir(path, { recursive: true });
    await writeFile(join(path, 'notes.txt'), '');
    const other = keyAt(1, 1).replace('-1001-', '-1002-');
    await store.write(other, sealed);
    for (const key of [keyAt(1, 998), keyAt(1, 999), keyAt(2, 1), keyAt(2, 2), keyAt(2, 3), keyAt(2, 4)]) {
      await store.write(key, sealed);
    }
    const left = [keyAt(1, 999), keyAt(2, 1), keyAt(2, 2), keyAt(2, 3), keyAt(2, 4), other, 'notes.txt'];
    expect((await readdir(path)).sort()).toEqual(left.sort());
  });

  it('keeps what the five newest build on, and no more', async () => {
    const store = createDirectoryStore(path);
    // Without the chain, the sixth entry would be the oldest that stays.
    const { entries } = await storeChain(18);
    for (const [key, entry] of entries) await store.write(key, entry);
    const left = await readdir(path);
    const chainOf = (sequence: number) =>
      readBinding(entries.get(keyOf({ ...binding, sequence })) ?? Buffer.alloc(0))?.chain ?? [];
    const newest = [14, 15, 16, 17, 18];
    const needed = newest.flatMap((sequence) => [
      keyOf({ ...binding, sequence }),
      ...chainOf(sequence).map(({ key }) => key),
    ]);
    expect(left.sort()).toEqual([...new Set(needed)].sort());
    expect(left).toContain(keyOf({ ...binding, sequence: 1 }));
    // The chain was full after 16 entries, so that the ones after the first are replaced.
    expect(chainOf(18)).toHaveLength(2);
  });

  it('loses the states of runs whose newest file is older than 30 days, of any state name', async () => {
    const store = createDirectoryStore(path);
    await mkdir(path, { recursive: true });
    const other = await storeChain(2, { ...binding, runId: '1002', stateName: 'other' });
    const old = await storeChain(2, { ...binding, runId: '1003', stateName: 'other' });
    for (const [key, entry] of [...other.entries, ...old.entries]) await writeFile(join(path, key), entry);
    await writeFile(join(path, 'gump-notes'), '');
    const days = (count: number) => new Date(Date.now() - count * 24 * 3600 * 1000);
    const [kept = ''] = other.entries.keys();
    for (const name of [kept, ...old.entries.keys(), 'gump-notes'])
      await utimes(join(path, name), days(31), days(31));
    await store.write(keyAt(1, 1), sealed);
    const left = [...other.entries.keys(), keyAt(1, 1), 'gump-notes'];
    expect((await readdir(path)).sort()).toEqual(left.sort());
  });

  it('is sorted by job attempt and sequence, not by file time', async () => {
    const store = createDirectoryStore(path);
    await store.write(keyAt(2, 2), sealed);
    await store.write(keyAt(2, 1), sealed);
    expect(await store.findNewest([keyAt(2, 1).split('s0')[0] ?? ''])).toBe(keyAt(2, 2));
  });

  it('does not follow links and does not read directories', async () => {
    const store = createDirectoryStore(path);
    await mkdir(path, { recursive: true });
    await writeFile(join(root, 'secret'), 'of the runner');
    await symlink(join(root, 'secret'), join(path, keyAt(1, 1)));
    await mkdir(join(path, keyAt(1, 2)));
    const prefix = keyAt(1, 1).split('s0')[0] ?? '';
    expect(await store.findNewest([prefix])).toBeUndefined();
    expect(await store.read(keyAt(1, 1))).toBeUndefined();
    expect(await store.read(keyAt(1, 2))).toBeUndefined();
    expect(await store.write(keyAt(1, 1), sealed)).toBe(false);
    expect(await readFile(join(root, 'secret'), 'utf8')).toBe('of the runner');
  });

  it('accepts no key that could be a path', async () => {
    const store = createDirectoryStore(path);
    await mkdir(path, { recursive: true });
    await writeFile(join(root, 'deep', 'file'), 'content');
    expect(await store.read('../file')).toBeUndefined();
    expect(await store.write('../other', sealed)).toBe(false);
    expect(store.lastError?.()).toContain('not the key of a checkpoint');
    expect(await readdir(join(root, 'deep'))).toEqual(['file', 'state']);
  });

  it('reports errors of the disk', async () => {
    await writeFile(join(root, 'deep'), 'a file instead of a directory');
    const store = createDirectoryStore(path);
    expect(await store.write(keyAt(1, 1), sealed)).toBe(false);
    expect(store.lastError?.()).toContain('ENOTDIR');
    expect(await store.findNewest([keyAt(1, 1)])).toBeUndefined();
    expect(store.lastError?.()).toContain('ENOTDIR');
  });
});

describe('the key file', () => {
  it('is created once, readable only by its owner', async () => {
    expect(await readDirectoryKey(path)).toBeUndefined();
    const key = await readOrCreateDirectoryKey(path);
    expect(key).toMatch(/^[\w-]{43}$/);
    expect(await readOrCreateDirectoryKey(path)).toBe(key);
    expect(await readDirectoryKey(path)).toBe(key);
    expect(await readdir(path)).toEqual(['state.key']);
    expect(await modeOf(join(path, 'state.key'))).toBe('600');
  });

  it('is the same for jobs that start at the same time', async () => {
    const keys = await Promise.all(Array.from({ length: 8 }, () => readOrCreateDirectoryKey(path)));
    expect(new Set(keys).size).toBe(1);
  });

  it.each(['', 'short', `${'x'.repeat(43)} and more`])(
    'is refused if it has other content: %j',
    async (content) => {
      await mkdir(path, { recursive: true });
      await writeFile(join(path, 'state.key'), content);
      await expect(readOrCreateDirectoryKey(path)).rejects.toThrow(
        /state\.key` is not a key that this action created\..*Remove the file/,
      );
    },
  );

  it('is not read through a link', async () => {
    await mkdir(path, { recursive: true });
    await writeFile(join(root, 'theirs'), 'k'.repeat(43));
    await symlink(join(root, 'theirs'), join(path, 'state.key'));
    await expect(readOrCreateDirectoryKey(path)).rejects.toThrow('is not a key that this action created');
  });

  it('is an error that names the input if it cannot be created', async () => {
    await writeFile(join(root, 'deep'), '');
    await expect(readOrCreateDirectoryKey(path)).rejects.toThrow(
      /^Input `state-store`: the state key .* cannot be created: /,
    );
  });
});
