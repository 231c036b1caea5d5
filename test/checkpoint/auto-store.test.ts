/** Where `state-store: auto` stores, and what it finds. */
import { describe, expect, it } from 'vitest';
import { createAutoStore, withEarlier } from '../../src/checkpoint/auto-store.js';
import { prefixesOfAttempt } from '../../src/checkpoint/checkpoint-key.js';
import type { CheckpointStore } from '../../src/checkpoint/checkpoint-store.js';
import { createMemoryStore, type MemoryStore } from './memory-store.js';
import { keyAt } from './sample.js';

const scope = { stateName: 'build', runId: '1001' };
const sealed = Buffer.from('sealed');
const ofAttempt = (attempt: number) => prefixesOfAttempt(scope, attempt);
const bothAttempts = [...ofAttempt(2), ...ofAttempt(1)];

interface Opened {
  readonly cache: MemoryStore;
  readonly artifacts: MemoryStore;
  readonly store: CheckpointStore;
  readonly changes: (string | undefined)[];
}

function open({
  cache = createMemoryStore(),
  artifacts = createMemoryStore(),
  hasEarlierJobs = false,
  isChanged = false,
}: Partial<Omit<Opened, 'store'>> & { hasEarlierJobs?: boolean; isChanged?: boolean } = {}): Opened {
  const changes: (string | undefined)[] = [];
  const onChange = (reason: string | undefined) => void changes.push(reason);
  const store = createAutoStore({ cache, artifacts, hasEarlierJobs, isChanged, onChange });
  return { cache, artifacts, store, changes };
}

function refuse(store: MemoryStore): void {
  store.onWrite = async () => false;
}

function silence(store: MemoryStore): void {
  store.onLookup = async () => false;
}

const keys = ({ cache, artifacts }: Opened) => [[...cache.entries.keys()], [...artifacts.entries.keys()]];

describe('AUTO1: a job', () => {
  it('stores in the cache, and does not ask artifacts, as long as the cache accepts', async () => {
    const opened = open();
    expect(await opened.store.findNewest(bothAttempts)).toBeUndefined();
    expect(await opened.store.write(keyAt(1, 1), sealed)).toBe(true);
    expect(await opened.store.read(keyAt(1, 1))).toEqual(sealed);
    expect(keys(opened)).toEqual([[keyAt(1, 1)], []]);
    expect(opened.artifacts.calls).toEqual([]);
    expect(opened.changes).toEqual([]);
  });

  it('stores in artifacts from the start if the cache is known to be closed', async () => {
    for (const limit of [{ unwritableReason: 'No.' }, { unreadableReason: 'No.' }]) {
      const opened = open({ cache: createMemoryStore(limit) });
      expect(await opened.store.write(keyAt(1, 1), sealed)).toBe(true);
      expect(keys(opened)).toEqual([[], [keyAt(1, 1)]]);
      expect(opened.store.unwritableReason).toBeUndefined();
      expect(opened.changes).toEqual([]);
    }
  });

  it('changes to artifacts with the checkpoint that the cache does not accept, and stays', async () => {
    const opened = open();
    await opened.store.write(keyAt(1, 1), sealed);
    refuse(opened.cache);
    expect(await opened.store.write(keyAt(1, 2), sealed)).toBe(true);
    expect(opened.store.lastError?.()).toBeUndefined();
    opened.cache.onWrite = async () => true;
    expect(await opened.store.write(keyAt(1, 3), sealed)).toBe(true);
    expect(keys(opened)).toEqual([[keyAt(1, 1)], [keyAt(1, 2), keyAt(1, 3)]]);
    expect(opened.changes).toEqual(['the memory refused it']);
  });

  it('does not change because another job has the key', async () => {
    const opened = open();
    opened.cache.entries.set(keyAt(1, 1), Buffer.from('foreign'));
    expect(await opened.store.write(keyAt(1, 1), sealed)).toBe(false);
    expect(opened.store.lastFailure?.()?.isTaken).toBe(true);
    expect(keys(opened)).toEqual([[keyAt(1, 1)], []]);
  });

  it('reports both reasons if neither accepts a checkpoint, and asks the cache again for the next', async () => {
    const opened = open();
    for (const place of [opened.cache, opened.artifacts]) refuse(place);
    expect(await opened.store.write(keyAt(1, 1), sealed)).toBe(false);
    expect(opened.store.lastError?.()).toBe('the memory refused it; artifacts: the memory refused it');
    opened.cache.onWrite = async () => true;
    expect(await opened.store.write(keyAt(1, 2), sealed)).toBe(true);
    expect(keys(opened)).toEqual([[keyAt(1, 2)], []]);
  });

  it('says why neither can be used', () => {
    const closed = { unwritableReason: 'No artifacts.', unreadableReason: 'No artifacts.' };
    const artifacts = createMemoryStore(closed);
    const { store } = open({ cache: createMemoryStore({ unwritableReason: 'No cache.' }), artifacts });
    expect(store.unwritableReason).toBe('No cache. No artifacts.');
    expect(store.unreadableReason).toBeUndefined();
    expect(open({ artifacts }).store.unwritableReason).toBeUndefined();
  });
});

describe('AUTO2: a look-up', () => {
  it('finds the newest key, wherever it is', async () => {
    for (const [inCache, inArtifacts, newest] of [
      [keyAt(1, 3), keyAt(2, 1), keyAt(2, 1)],
      [keyAt(2, 1), keyAt(1, 3), keyAt(2, 1)],
      [keyAt(1, 3), keyAt(1, 4), keyAt(1, 4)],
      [keyAt(1, 4), keyAt(1, 3), keyAt(1, 4)],
    ] as const) {
      const opened = open({ hasEarlierJobs: true });
      opened.cache.entries.set(inCache, Buffer.from('cache'));
      opened.artifacts.entries.set(inArtifacts, Buffer.from('artifacts'));
      expect(await opened.store.findNewest(bothAttempts)).toBe(newest);
      expect((await opened.store.read(newest))?.toString()).toBe(newest === inCache ? 'cache' : 'artifacts');
    }
  });

  it('reads what an entry builds on from both', async () => {
    const opened = open({ hasEarlierJobs: true });
    opened.cache.entries.set(keyAt(1, 1), Buffer.from('base'));
    opened.artifacts.entries.set(keyAt(1, 2), Buffer.from('increment'));
    expect(await opened.store.findNewest(bothAttempts)).toBe(keyAt(1, 2));
    const read = await Promise.all([keyAt(1, 1), keyAt(1, 2)].map((key) => opened.store.read(key)));
    expect(read.map(String)).toEqual(['base', 'increment']);
  });

  it('asks both in post if main has changed', async () => {
    const opened = open({ isChanged: true });
    opened.artifacts.entries.set(keyAt(1, 2), sealed);
    expect(await opened.store.findNewest(ofAttempt(1))).toBe(keyAt(1, 2));
  });
});

describe('AUTO3: a place that does not answer', () => {
  it.each(['cache', 'artifacts'] as const)('(%s) leaves unknown what is the newest', async (place) => {
    const opened = open({ hasEarlierJobs: true });
    for (const one of [opened.cache, opened.artifacts]) one.entries.set(keyAt(1, 1), sealed);
    silence(opened[place]);
    expect(await opened.store.findNewest(bothAttempts)).toBeUndefined();
    expect(opened.store.lastFailure?.()).toEqual({ message: 'the memory did not answer' });
  });

  it('does not matter for the cache after the change, if artifacts have something', async () => {
    const opened = open({ isChanged: true });
    silence(opened.cache);
    expect(await opened.store.findNewest(ofAttempt(1))).toBeUndefined();
    expect(opened.store.lastFailure?.()).toBeDefined();
    await opened.store.write(keyAt(1, 2), sealed);
    expect(await opened.store.findNewest(ofAttempt(1))).toBe(keyAt(1, 2));
    expect(opened.store.lastFailure?.()).toBeUndefined();
  });
});

describe('a store with those of earlier job attempts', () => {
  it('asks for them only if it has nothing itself', async () => {
    const [own, earlier] = [createMemoryStore(), createMemoryStore()];
    const store = withEarlier(own, earlier);
    earlier.entries.set(keyAt(1, 1), Buffer.from('earlier'));
    expect(await store.findNewest(bothAttempts)).toBe(keyAt(1, 1));
    expect((await store.read(keyAt(1, 1)))?.toString()).toBe('earlier');
    await store.write(keyAt(2, 1), sealed);
    earlier.calls.length = 0;
    expect(await store.findNewest(bothAttempts)).toBe(keyAt(2, 1));
    expect(earlier.calls).toEqual([]);
  });

  it('does not ask for them if it did not answer itself, and reports that', async () => {
    const [own, earlier] = [createMemoryStore(), createMemoryStore()];
    silence(own);
    const store = withEarlier(own, earlier);
    expect(await store.findNewest(bothAttempts)).toBeUndefined();
    expect(store.lastError?.()).toBe('the memory did not answer');
    expect(earlier.calls).toEqual([]);
  });

  it('asks once if that is refused', async () => {
    const refused = { message: 'no permission', isAnswer: true } as const;
    const earlier = { ...createMemoryStore(), lastFailure: () => refused };
    const store = withEarlier(createMemoryStore(), earlier);
    expect(await store.findNewest(bothAttempts)).toBeUndefined();
    expect(store.lastFailure?.()).toEqual(refused);
    expect(await store.findNewest(bothAttempts)).toBeUndefined();
    expect(store.lastFailure?.()).toBeUndefined();
    expect(earlier.calls).toEqual(['newest']);
  });
});
