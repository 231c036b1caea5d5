import { setImmediate as turn } from 'node:timers/promises';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { ArchiveEntry } from '../../src/checkpoint/archive.js';
import type { Binding } from '../../src/checkpoint/binding.js';
import { formerKeyOf, keyOf } from '../../src/checkpoint/binding.js';
import { sealCheckpoint } from '../../src/checkpoint/checkpoint.js';
import { readRecordedRun } from '../../src/checkpoint/recorded-run.js';
import { type RestoreRequest, refusedCheckpointText, restore } from '../../src/checkpoint/restore.js';
import { seal } from '../../src/checkpoint/seal.js';
import { journalVersion } from '../../src/journal/event.js';
import { createFakeClock, type FakeClock } from '../fakes/clock.js';
import { holds } from '../fakes/holds.js';
import { createMemoryStore, type MemoryStore } from './memory-store.js';
import { binding, credential, expectedOf, stateKey, toEntries } from './sample.js';
import { sealingSecrets, storeChain } from './stored-chain.js';

/** Stores a valid checkpoint whose only file contains its number, and returns its key. */
async function put(
  store: MemoryStore,
  change: Partial<Binding> = {},
  secrets = [stateKey],
  nameKey: (bound: Binding) => string = keyOf,
): Promise<string> {
  const bound = { ...binding, ...change };
  const key = nameKey(bound);
  store.entries.set(key, await sealCheckpoint([{ path: 'key', content: Buffer.from(key) }], bound, secrets));
  return key;
}

function damage(store: MemoryStore, key: string): void {
  const sealed = Buffer.from(store.entries.get(key) ?? '');
  sealed[sealed.length - 1] = (sealed.at(-1) ?? 0) ^ 1;
  store.entries.set(key, sealed);
}

function request(
  store: MemoryStore,
  jobAttempt = 3,
  clock: FakeClock = createFakeClock({ sleeping: 'waits' }),
): RestoreRequest {
  return { store, secrets: [stateKey], expected: expectedOf(binding), jobAttempt, isShared: true, clock };
}

describe('restore', () => {
  it('continues within one job attempt only if jobs share the state by its name', async () => {
    const store = createMemoryStore();
    const first = await put(store, { jobAttempt: 1, sequence: 3 });
    const own = await put(store, { jobAttempt: 2, sequence: 1 });
    expect(await restore(request(store, 2))).toMatchObject({ status: 'opened', key: own, seen: own });
    const alone = { ...request(store, 2), isShared: false };
    expect(await restore(alone)).toMatchObject({ status: 'opened', key: first, seen: own });
    expect(await restore({ ...alone, jobAttempt: 1 })).toEqual({ status: 'none', seen: first });
  });

  it('uses the newest checkpoint of the newest job attempt', async () => {
    const store = createMemoryStore();
    await put(store, { jobAttempt: 1, sequence: 9 });
    await put(store, { jobAttempt: 2, sequence: 1 });
    const key = await put(store, { jobAttempt: 2, sequence: 2 });
    await put(store, { jobAttempt: 1, sequence: 10 });
    const restored = await restore(request(store));
    expect(restored).toMatchObject({
      status: 'opened',
      key,
      refused: [],
      binding: { jobAttempt: 2, sequence: 2 },
    });
    if (restored.status !== 'opened') return;
    expect(restored.entries.map(({ content }) => content.toString())).toEqual([key]);
    expect(restored.seen).toBeUndefined();
  });

  describe('reads what version 0.1.0 stored', () => {
    const putFormer = (store: MemoryStore, change: Partial<Binding>) =>
      put(store, change, [stateKey], formerKeyOf);

    it.each([true, false])(
      'with one look-up of at most 10 keys, if the state is shared: %s',
      async (isShared) => {
        const store = createMemoryStore();
        const key = await putFormer(store, { jobAttempt: 1, sequence: 4 });
        const asked: (readonly string[])[] = [];
        const findNewest = store.findNewest.bind(store);
        store.findNewest = async (prefixes) => {
          asked.push(prefixes);
          return findNewest(prefixes);
        };
        const restored = await restore({ ...request(store, 5), isShared });
        expect(restored).toMatchObject({ status: 'opened', key, binding: { sequence: 4 }, refused: [] });
        expect(asked.map((prefixes) => prefixes.length)).toEqual([10]);
      },
    );

    it('after what this version stored in the same or a later job attempt', async () => {
      const store = createMemoryStore();
      const former = await putFormer(store, { jobAttempt: 2, sequence: 8 });
      const key = await put(store, { jobAttempt: 2, sequence: 3 });
      await putFormer(store, { jobAttempt: 1, sequence: 9 });
      expect(await restore(request(store))).toMatchObject({ status: 'opened', key });
      damage(store, key);
      expect(await restore(request(store))).toMatchObject({
        ...{ status: 'opened', key: former, refused: [{ key, reason: 'altered' }] },
      });
    });

    it('also behind entries of somebody else', async () => {
      const store = createMemoryStore();
      const key = await putFormer(store, { jobAttempt: 2, sequence: 3 });
      for (const sequence of [1, 4, 999_999])
        for (const nameKey of [keyOf, formerKeyOf])
          store.entries.set(nameKey({ ...binding, jobAttempt: 2, sequence }), Buffer.from('garbage'));
      expect(await restore(request(store))).toMatchObject({ status: 'opened', key });
    });

    it('and refuses it under the key of another writer', async () => {
      const store = createMemoryStore();
      const key = await put(store, {}, [stateKey], (bound) => formerKeyOf({ ...bound, writer: '0badf00d' }));
      expect(await restore(request(store))).toMatchObject({
        ...{ status: 'refused', refused: [{ key, reason: 'key-mismatch' }] },
      });
    });
  });

  it('returns the newest key of the current job attempt', async () => {
    const store = createMemoryStore();
    const key = await put(store, { jobAttempt: 3, sequence: 4 });
    expect(await restore(request(store))).toMatchObject({ status: 'opened', key, seen: key });
    damage(store, key);
    expect(await restore(request(store))).toMatchObject({ status: 'refused', seen: key });
  });

  it('ignores later job attempts, other runs and other states', async () => {
    const store = createMemoryStore();
    await put(store, { jobAttempt: 4 });
    await put(store, { runId: '1002' });
    await put(store, { stateName: 'other' });
    expect(await restore(request(store))).toEqual({ status: 'none' });
  });

  it('skips invalid checkpoints and returns why they were refused', async () => {
    const store = createMemoryStore();
    const good = await put(store, { jobAttempt: 1, sequence: 5 });
    const foreign = await put(store, { jobAttempt: 2, sequence: 2 }, [
      credential('X', 'another secret of length'),
    ]);
    const bad = await put(store, { jobAttempt: 2, sequence: 6 });
    damage(store, bad);
    const restored = await restore(request(store));
    expect(restored).toMatchObject({ status: 'opened', key: good });
    expect(restored.status === 'opened' && restored.refused).toEqual([
      { key: bad, reason: 'altered' },
      { key: foreign, reason: 'no-key-fits', sealedBy: ['X'] },
    ]);
  });

  it('tries older ones for a minute, however many there are', async () => {
    const store = createMemoryStore();
    const keys: string[] = [];
    for (let sequence = 1; sequence <= 30; sequence += 1) keys.unshift(await put(store, { sequence }));
    for (const key of keys.slice(0, 29)) damage(store, key);
    const restored = await restore(request(store));
    expect(restored).toMatchObject({ status: 'opened', key: keys[29] });
    expect(restored.status === 'opened' && restored.refused.map(({ key }) => key)).toEqual(keys.slice(0, 29));
    // Every read takes 10 s.
    const clock = createFakeClock({ sleeping: 'waits' });
    const read = store.read.bind(store);
    store.read = async (key) => {
      clock.advance(10_000);
      return read(key);
    };
    const late = await restore(request(store, 3, clock));
    expect(late).toMatchObject({
      status: 'unanswered',
      reason: 'after 60 s, not all of its entries have been tried',
    });
    expect(late.status === 'unanswered' && late.refused).toHaveLength(6);
  });

  describe('finds a checkpoint behind entries of somebody else', () => {
    const foreign = (store: MemoryStore, change: Partial<Binding>) =>
      void store.entries.set(keyOf({ ...binding, ...change }), Buffer.from('garbage'));

    it.each([
      ['under newer sequences', [4, 5, 6, 7]],
      ['under sequences far above', [12, 999, 123_456, 999_999]],
      ['under older sequences, written later', [1, 2]],
      ['under all of these', [1, 2, 4, 10, 300, 305, 999_999, 500_000]],
    ])('%s', async (_where, sequences) => {
      const store = createMemoryStore();
      const key = await put(store, { jobAttempt: 2, sequence: 3 });
      for (const sequence of sequences) foreign(store, { jobAttempt: 2, sequence });
      for (const sequence of [7, 999_999]) foreign(store, { jobAttempt: 3, sequence });
      const restored = await restore(request(store));
      expect(restored).toMatchObject({ status: 'opened', key });
    });

    it('under random sequences', async () => {
      await holds(
        fc.asyncProperty(
          fc.uniqueArray(fc.integer({ min: 1, max: 999_999 }), { minLength: 2, maxLength: 12 }),
          async ([own = 1, ...others]) => {
            const store = createMemoryStore();
            const half = others.length / 2;
            for (const sequence of others.slice(0, half)) foreign(store, { sequence });
            const key = await put(store, { sequence: own });
            for (const sequence of others.slice(half)) foreign(store, { sequence });
            expect(await restore(request(store))).toMatchObject({ status: 'opened', key });
          },
        ),
      );
    });
  });

  it('refuses a checkpoint that is stored under another key', async () => {
    const store = createMemoryStore();
    const good = await put(store, { sequence: 1 });
    const replayed = keyOf({ ...binding, sequence: 2 });
    store.entries.set(replayed, store.entries.get(good) ?? Buffer.alloc(0));
    const restored = await restore(request(store));
    expect(restored).toMatchObject({ key: good, refused: [{ key: replayed, reason: 'key-mismatch' }] });
  });

  it('refuses an unreadable checkpoint, and one with other content', async () => {
    const store = createMemoryStore();
    const unread = keyOf({ ...binding, sequence: 3 });
    const odd = keyOf({ ...binding, sequence: 2 });
    store.entries.set(odd, seal(Buffer.from('no archive'), { ...binding, sequence: 2 }, [stateKey]));
    store.entries.set(unread, Buffer.alloc(0));
    const read = store.read.bind(store);
    store.read = async (key) => (key === unread ? undefined : read(key));
    const restored = await restore(request(store));
    expect(restored.status === 'refused' && restored.refused).toEqual([
      { key: unread, reason: 'unreadable' },
      { key: odd, reason: 'bad-content', detail: 'not an archive of this action' },
    ]);
  });

  it('skips checkpoints whose journal cannot be used', async () => {
    const store = createMemoryStore();
    const putJournal = async (sequence: number, journal: string | undefined) => {
      const bound = { ...binding, sequence };
      const contents = { journal: Buffer.from(journal ?? ''), packs: [], sessions: [] };
      const entries = toEntries(contents).slice(journal === undefined ? 1 : 0);
      store.entries.set(keyOf(bound), await sealCheckpoint(entries, bound, [stateKey]));
      return keyOf(bound);
    };
    const started = (version: number) =>
      `${JSON.stringify({ type: 'job-started', version: journalVersion + version })}\n`;
    const good = await putJournal(1, started(0));
    for (const [sequence, journal] of [undefined, '{"type":\n', started(1)].entries())
      await putJournal(sequence + 2, journal);
    const refusal = async (entries: readonly ArchiveEntry[]) => {
      const read = readRecordedRun(entries);
      return read.status === 'refused' ? read : undefined;
    };
    const restored = await restore({ ...request(store), findRefusal: refusal });
    expect(restored).toMatchObject({
      key: good,
      refused: [{ reason: 'other-format' }, { reason: 'bad-content' }, { reason: 'bad-content' }],
    });
  });

  it('reads journals of version 2, which version 0.1.0 wrote', () => {
    const journal = Buffer.from(`${JSON.stringify({ type: 'job-started', version: 2 })}\n`);
    const entries = toEntries({ journal, packs: [], sessions: [] });
    expect(readRecordedRun(entries).status).toBe('read');
  });

  it('returns why the store cannot be read', async () => {
    const closed = createMemoryStore({ unreadableReason: 'It may not be read.' });
    expect(await restore(request(closed))).toEqual({ status: 'none', lastError: 'It may not be read.' });
  });

  describe('asks a store that does not answer', () => {
    /** Lets the time pass until `work` ends, and returns the seconds. */
    async function secondsOf(work: Promise<unknown>, clock: FakeClock): Promise<number> {
      let hasEnded = false;
      void work.finally(() => {
        hasEnded = true;
      });
      for (let seconds = 0; ; seconds += 1) {
        for (let round = 0; round < 20; round += 1) await turn();
        if (hasEnded) return seconds;
        clock.advance(1000);
      }
    }

    const answering = (answers: number) => {
      const store = createMemoryStore();
      let asked = 0;
      store.onLookup = async () => {
        asked += 1;
        return asked > answers;
      };
      return store;
    };

    it('until it answers', async () => {
      const store = answering(2);
      const key = await put(store);
      const clock = createFakeClock({ sleeping: 'waits' });
      const restored = restore(request(store, 3, clock));
      await secondsOf(restored, clock);
      expect(clock.sleeps.filter((ms) => ms < 10_000)).toEqual([2000, 4000]);
      expect(await restored).toMatchObject({ status: 'opened', key });
    });

    it.each([
      [3, 30],
      [1, 6],
    ])('in job attempt %i for at most %i s, with increasing pauses', async (jobAttempt, seconds) => {
      const store = answering(Number.POSITIVE_INFINITY);
      const clock = createFakeClock({ sleeping: 'waits' });
      const restored = restore(request(store, jobAttempt, clock));
      expect(await secondsOf(restored, clock)).toBe(seconds);
      expect(await restored).toEqual({
        status: 'unanswered',
        reason: 'the memory did not answer',
        refused: [],
      });
    });

    it('for at most a minute if it never replies', async () => {
      const store = createMemoryStore();
      store.onLookup = () => new Promise(() => undefined);
      const clock = createFakeClock({ sleeping: 'waits' });
      const restored = restore(request(store, 3, clock));
      expect(await secondsOf(restored, clock)).toBe(60);
      expect(await restored).toMatchObject({ status: 'unanswered', reason: 'no answer in 60 s' });
    });

    it('as late as it requests, and not again if that is too late', async () => {
      const store = answering(1);
      const key = await put(store);
      const clock = createFakeClock({ sleeping: 'waits' });
      const failing = (retryAfterMs: number) => () => {
        const message = store.lastError?.();
        return message === undefined ? undefined : { message, retryAfterMs };
      };
      Object.assign(store, { lastFailure: failing(17_000) });
      const restored = restore(request(store, 3, clock));
      await secondsOf(restored, clock);
      expect(clock.sleeps).toContain(17_000);
      expect(await restored).toMatchObject({ status: 'opened', key });
      const silent = answering(1);
      Object.assign(silent, { lastFailure: () => ({ message: 'too many requests', retryAfterMs: 61_000 }) });
      const late = restore(request(silent, 3, clock));
      expect(await secondsOf(late, clock)).toBe(0);
      expect(await late).toMatchObject({ status: 'unanswered', reason: 'too many requests' });
    });

    it('also for an entry that it found', async () => {
      const store = createMemoryStore();
      await put(store);
      const clock = createFakeClock({ sleeping: 'waits' });
      store.read = async () => undefined;
      Object.assign(store, {
        lastFailure: () => (store.calls.length > 0 ? { message: 'status 503' } : undefined),
        findNewest: async () => keyOf(binding),
      });
      store.calls.length = 0;
      store.read = async () => {
        store.calls.push('read');
        return undefined;
      };
      const restored = restore(request(store, 3, clock));
      await secondsOf(restored, clock);
      expect(await restored).toEqual({ status: 'unanswered', reason: 'status 503', refused: [] });
    });

    it('waits at most ten minutes for an entry that a checkpoint builds on', async () => {
      const { entries, newest } = await storeChain(3);
      const store = createMemoryStore();
      for (const [key, sealed] of entries) store.entries.set(key, sealed);
      const [first = ''] = entries.keys();
      const read = store.read.bind(store);
      store.read = (key) => (key === first ? new Promise(() => undefined) : read(key));
      const clock = createFakeClock({ sleeping: 'waits' });
      const restored = restore({ ...request(store, newest.jobAttempt, clock), secrets: sealingSecrets });
      await secondsOf(restored, clock);
      expect(await restored).toMatchObject({ status: 'unanswered', reason: 'no answer in 600 s' });
    });
  });

  it('does not take a link that was not answered for one that is missing, because another link was answered', async () => {
    const { entries } = await storeChain(3);
    const store = createMemoryStore();
    for (const [key, sealed] of entries) store.entries.set(key, sealed);
    const [first = '', second = ''] = entries.keys();
    // As in the store for the Actions cache: the failure of the last request is that of the store.
    let message: string | undefined;
    const failures = new Map([
      [first, 2],
      [second, 1],
    ]);
    Object.assign(store, { lastFailure: () => (message === undefined ? undefined : { message }) });
    store.read = async (key) => {
      const left = failures.get(key) ?? 0;
      failures.set(key, left - 1);
      message = left > 0 ? 'status 500' : undefined;
      // The file of a download that failed is removed in the meantime.
      await turn();
      return left > 0 ? undefined : entries.get(key);
    };
    const clock = createFakeClock({ sleeping: 'waits' });
    const restored = restore({ ...request(store, 3, clock), secrets: sealingSecrets });
    for (let seconds = 0; seconds < 10; seconds += 1) {
      for (let round = 0; round < 50; round += 1) await turn();
      clock.advance(1000);
    }
    expect(await restored).toMatchObject({ status: 'opened', refused: [] });
  });

  it('ends if a store returns a newer entry', async () => {
    const store = createMemoryStore();
    const key = await put(store, { sequence: 3 });
    damage(store, key);
    store.findNewest = async () => key;
    expect(await restore(request(store))).toMatchObject({ status: 'refused', refused: [{ key }] });
  });

  it('explains in a sentence why a checkpoint is refused', () => {
    expect(refusedCheckpointText({ key: 'K', reason: 'altered' })).toBe(
      'Checkpoint `K` is not used: it is damaged or was altered.',
    );
    expect(refusedCheckpointText({ key: 'K', reason: 'unreadable', detail: 'status 503' })).toContain(
      '(status 503).',
    );
  });
});
