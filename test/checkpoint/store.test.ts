/** What every store must do, tested with all of them. */
import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openRunArtifacts } from '../../src/artifacts/run-artifacts.js';
import { createArtifactStore } from '../../src/checkpoint/artifact-store.js';
import { createAutoStore } from '../../src/checkpoint/auto-store.js';
import { createCacheStore } from '../../src/checkpoint/cache-store.js';
import {
  attemptPrefixes,
  fencePrefixes,
  formatKey,
  hashStateName,
} from '../../src/checkpoint/checkpoint-key.js';
import type { CheckpointStore } from '../../src/checkpoint/checkpoint-store.js';
import { createDirectoryStore } from '../../src/checkpoint/directory-store.js';
import { systemClock } from '../../src/system/clock.js';
import { startCacheProcess } from './cache-process.js';
import { createMemoryStore } from './memory-store.js';

interface StoreFixture {
  /** The same store on a new machine. */
  fromOtherMachine(): Promise<CheckpointStore>;
  readonly store: CheckpointStore;
  close(): Promise<void>;
}

const stores: readonly (readonly [string, () => Promise<StoreFixture>])[] = [
  ['memory', memoryFixture],
  ['directory', directoryFixture],
  ['cache', cacheFixture],
  ['artifact', artifactFixture],
  ['auto', autoFixture],
];

async function memoryFixture(): Promise<StoreFixture> {
  const store = createMemoryStore();
  return { store, fromOtherMachine: async () => store, close: async () => {} };
}

async function directoryFixture(): Promise<StoreFixture> {
  const path = await mkdtemp(join(tmpdir(), 'gump-store-'));
  return {
    store: createDirectoryStore(join(path, 'state')),
    fromOtherMachine: async () => createDirectoryStore(join(path, 'state')),
    close: () => rm(path, { recursive: true, force: true }),
  };
}

async function cacheFixture(): Promise<StoreFixture> {
  const cache = await startCacheProcess();
  return {
    store: createCacheStore({ directory: cache.directory, env: cache.env, tools: cache.tools }),
    fromOtherMachine: async () =>
      createCacheStore({ directory: await cache.moveToNewMachine(), env: cache.env, tools: cache.tools }),
    close: () => cache.close(),
  };
}

async function artifactFixture(): Promise<StoreFixture> {
  const cache = await startCacheProcess();
  const open = (directory: string) =>
    createArtifactStore({ artifacts: openRunArtifacts({ directory, isDebug: false }), clock: systemClock });
  return {
    store: open(cache.directory),
    fromOtherMachine: async () => open(await cache.moveToNewMachine()),
    close: () => cache.close(),
  };
}

/** With a cache that refuses to be written, so that everything is in artifacts. */
async function autoFixture(): Promise<StoreFixture> {
  const cache = await startCacheProcess({ ...readOnly, isSilent: true });
  const open = (directory: string) =>
    createAutoStore({
      cache: createCacheStore({ directory, env: cache.env, tools: cache.tools }),
      artifacts: createArtifactStore({
        artifacts: openRunArtifacts({ directory, isDebug: false }),
        clock: systemClock,
      }),
      ...{ hasEarlierJobs: true, isChanged: false, onChange: () => undefined },
    });
  return {
    store: open(cache.directory),
    fromOtherMachine: async () => open(await cache.moveToNewMachine()),
    close: () => cache.close(),
  };
}

const readOnly = { repository: 'o/r', read: ['refs/heads/main'] };

/** Every test has its own run, so that tests can share a store. */
function newRun(): {
  readonly runId: string;
  at(jobAttempt: number, sequence: number): string;
} {
  const runId = String(randomBytes(4).readUInt32BE());
  return {
    runId,
    at: (jobAttempt, sequence) =>
      formatKey({ stateHash: hashStateName('build'), runId, jobAttempt, sequence }),
  };
}

describe.each(stores)('the %s store', (_, open) => {
  let given: StoreFixture;
  beforeAll(async () => {
    given = await open();
  });
  afterAll(() => given.close());

  it('returns exactly the written bytes', async () => {
    const { at } = newRun();
    const sealed = randomBytes(100_000);
    expect(await given.store.write(at(1, 1), sealed)).toBe(true);
    expect((await given.store.read(at(1, 1)))?.equals(sealed)).toBe(true);
  });

  it('returns nothing if nothing was written', async () => {
    const { at, runId } = newRun();
    expect(await given.store.findNewest(attemptPrefixes({ stateName: 'build', runId }, 2))).toBeUndefined();
    expect(await given.store.read(at(1, 1))).toBeUndefined();
    expect(given.store.lastError?.()).toBeUndefined();
  });

  it('finds the newest under the first prefix that has one', async () => {
    const { at, runId } = newRun();
    for (const key of [at(1, 1), at(1, 2), at(10, 1), at(2, 1), at(2, 2)]) {
      expect(await given.store.write(key, Buffer.from(key))).toBe(true);
    }
    const scope = { stateName: 'build', runId };
    expect(await given.store.findNewest(attemptPrefixes(scope, 1))).toBe(at(1, 2));
    expect(await given.store.findNewest(attemptPrefixes(scope, 3))).toBe(at(2, 2));
    expect(await given.store.findNewest(attemptPrefixes(scope, 12))).toBe(at(10, 1));
    expect(await given.store.findNewest(attemptPrefixes(scope, 40))).toBe(at(10, 1));
    expect(await given.store.findNewest(fencePrefixes(scope, 2))).toBe(at(10, 1));
    expect(await given.store.findNewest([at(1, 1)])).toBe(at(1, 1));
  });

  it('separates states and runs', async () => {
    const [one, other] = [newRun(), newRun()];
    await given.store.write(one.at(1, 1), Buffer.from('one'));
    expect(
      await given.store.findNewest(attemptPrefixes({ stateName: 'build', runId: other.runId }, 1)),
    ).toBeUndefined();
    expect(
      await given.store.findNewest(attemptPrefixes({ stateName: 'test', runId: one.runId }, 1)),
    ).toBeUndefined();
  });

  it('never overwrites an entry, and returns false', async () => {
    const { at } = newRun();
    expect(await given.store.write(at(1, 1), Buffer.from('first'))).toBe(true);
    expect(given.store.lastError?.()).toBeUndefined();
    expect(await given.store.write(at(1, 1), Buffer.from('second'))).toBe(false);
    expect(given.store.lastFailure?.()).toMatchObject({ message: expect.any(String), isTaken: true });
    expect((await given.store.read(at(1, 1)))?.toString()).toBe('first');
  });

  it('does not read an entry by a prefix of its key', async () => {
    const { at, runId } = newRun();
    await given.store.write(at(1, 1), Buffer.from('first'));
    expect(await given.store.read(`gump-v2-${hashStateName('build')}-${runId}-a1-`)).toBeUndefined();
  });

  it('accepts reads and writes at the same time', async () => {
    const { at } = newRun();
    const sequences = [1, 2, 3];
    const written = sequences.map((sequence) =>
      given.store.write(at(1, sequence), Buffer.from(`${sequence}`)),
    );
    expect(await Promise.all(written)).toEqual([true, true, true]);
    const read = await Promise.all(sequences.map((sequence) => given.store.read(at(1, sequence))));
    expect(read.map(String)).toEqual(['1', '2', '3']);
  });

  // Last, because the previous machine no longer exists afterwards.
  it('has the same entries on another machine', async () => {
    const { at, runId } = newRun();
    await given.store.write(at(1, 1), Buffer.from('kept'));
    const store = await given.fromOtherMachine();
    expect(await store.findNewest(attemptPrefixes({ stateName: 'build', runId }, 2))).toBe(at(1, 1));
    expect((await store.read(at(1, 1)))?.toString()).toBe('kept');
  });
});
