/** What every entry store must do, tested with all four. */
import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openRepositoryArtifacts } from '../../src/artifacts/repository-artifacts.js';
import { openRunArtifacts } from '../../src/artifacts/run-artifacts.js';
import { createArtifactEntries } from '../../src/checkpoint/artifact-entries.js';
import { createCacheStore } from '../../src/checkpoint/cache-store.js';
import { createCachedEntries } from '../../src/checkpoint/cached-entries.js';
import { createDirectoryEntries } from '../../src/checkpoint/directory-entries.js';
import { type EntryStore, entryName, type ListResult } from '../../src/checkpoint/entry-store.js';
import { openGitHubApi } from '../../src/github/github-api.js';
import { startGitHub } from '../rig/github/server.js';
import { makeRepository } from '../rig/repository.js';
import { startCacheProcess } from './cache-process.js';
import { createMemoryEntries } from './memory-entries.js';

interface EntryFixture {
  /** The store as a job of this run sees it. */
  open(runId: string): EntryStore;
  close(): Promise<void>;
}

let time = 1_800_000_000_000;
function now(): number {
  time += 1000;
  return time;
}

const stores: readonly (readonly [string, () => Promise<EntryFixture>])[] = [
  ['memory', async () => ({ open: createMemoryEntries().open, close: async () => {} })],
  ['directory', directoryFixture],
  ['cache', cacheFixture],
  ['artifact', artifactFixture],
];

async function directoryFixture(): Promise<EntryFixture> {
  const path = await mkdtemp(join(tmpdir(), 'gump-entries-'));
  return {
    open: (runId) => createDirectoryEntries({ path, runId, jobAttempt: 1, now }),
    close: () => rm(path, { recursive: true, force: true }),
  };
}

async function cacheFixture(): Promise<EntryFixture> {
  const process = await startCacheProcess();
  const cache = createCacheStore(process);
  return {
    open: (runId) => createCachedEntries({ cache, runId, jobAttempt: 1, now }),
    close: () => process.close(),
  };
}

async function artifactFixture(): Promise<EntryFixture> {
  const cacheProcess = await startCacheProcess();
  const git = await makeRepository({ 'README.md': 'sample\n' });
  const github = await startGitHub({ git, shelf: cacheProcess.service.shelf });
  const repository = openRepositoryArtifacts(() =>
    openGitHubApi({ repository: 'octo/sample', apiUrl: github.url, token: 'ghs_x' }),
  );
  const run = openRunArtifacts({ directory: cacheProcess.directory, isDebug: false });
  return {
    open(runId) {
      const store = createArtifactEntries({ run, repository });
      const put: EntryStore['put'] = (name, sealed) => {
        process.env.ACTIONS_RUNTIME_TOKEN = cacheProcess.service.token({
          ...{ repository: 'octo/sample', read: [] },
          artifacts: { runId: Number(runId), attempt: 1, isFullRerun: false, headBranch: 'x', headSha: '' },
        });
        return store.put(name, sealed);
      };
      return { ...store, put };
    },
    close: async () => {
      await cacheProcess.close();
      await git.remove();
    },
  };
}

function entriesOf(result: ListResult) {
  if (result.status !== 'listed') throw new Error(`${result.status}: ${result.reason}`);
  return result.entries;
}

async function readNewest(store: EntryStore, name: string): Promise<string | undefined> {
  const [newest] = entriesOf(await store.list(name));
  const read = newest && (await store.read(newest));
  return read?.status === 'read' ? read.sealed.toString() : undefined;
}

describe.each(stores)('the %s entry store', (kind, open) => {
  let given: EntryFixture;
  const newName = () => entryName(`sessions/pr-7*${randomBytes(4).toString('hex')}`);
  beforeEach(async () => {
    given = await open();
  });
  afterEach(() => given.close());

  it('returns exactly what another run has stored, and its run', async () => {
    const name = newName();
    const sealed = randomBytes(200_000);
    expect(await given.open('11').put(name, sealed)).toEqual({ status: 'stored' });
    const other = given.open('12');
    const [entry] = entriesOf(await other.list(name));
    expect(entry).toMatchObject({ name, runId: '11', isExpired: false, isFromFork: false });
    expect(entry?.createdAt).toBeGreaterThan(0);
    const read = entry && (await other.read(entry));
    expect(read?.status === 'read' && read.sealed.equals(sealed)).toBe(true);
  });

  it('returns nothing if nothing has this name', async () => {
    const name = newName();
    await given.open('11').put(`${name}-more`, Buffer.from('x'));
    expect(await given.open('11').list(name)).toEqual({ status: 'listed', entries: [] });
  });

  it('lists the newest run first', async () => {
    const name = newName();
    for (const run of ['21', '22', '23']) await given.open(run).put(name, Buffer.from(run));
    const found = entriesOf(await given.open('24').list(name)).map(({ runId }) => runId);
    // The cache finds only the entry that was written last.
    expect(found).toEqual(kind === 'cache' ? ['23'] : ['23', '22', '21']);
    expect(await readNewest(given.open('24'), name)).toBe('23');
  });

  it('stores several entries of one run under one name', async () => {
    const name = newName();
    for (const text of ['one', 'two', 'three'])
      expect(await given.open('31').put(name, Buffer.from(text))).toEqual({ status: 'stored' });
    expect(await readNewest(given.open('32'), name)).toBe('three');
  });

  it('reports an entry that does not exist as missing', async () => {
    const name = newName();
    const gone = { id: '1', name, runId: '1', createdAt: 1, isExpired: false, isFromFork: false };
    expect(await given.open('11').read(gone)).toEqual({ status: 'missing' });
  });
});

describe('the name of an entry', () => {
  it('has only characters that artifacts, keys and files may have, and is different for each text', () => {
    const texts = ['pr-7', 'a/b', 'a_b', 'a b', 'a*b', 'ä', 'a%b', 'a~b', "'()!", 'a\\b:<>|?"'];
    const names = texts.map(entryName);
    expect(new Set(names).size).toBe(texts.length);
    for (const name of names) expect(name).toMatch(/^[\w.%-]+$/);
    expect(entryName('pr-7')).toBe('pr-7');
  });

  it.each(['', '..', 'x'.repeat(151)])('cannot be %j', (text) => {
    expect(() => entryName(text)).toThrow(RangeError);
  });
});
