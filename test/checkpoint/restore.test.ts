import { describe, expect, it } from 'vitest';
import type { ArchiveEntry } from '../../src/checkpoint/archive.js';
import type { Binding } from '../../src/checkpoint/binding.js';
import { keyOf } from '../../src/checkpoint/binding.js';
import { sealCheckpoint } from '../../src/checkpoint/checkpoint.js';
import { toEntries } from '../../src/checkpoint/checkpoint-contents.js';
import { readRecordedRun } from '../../src/checkpoint/recorded-run.js';
import { type RestoreRequest, refusedCheckpointText, restore } from '../../src/checkpoint/restore.js';
import { seal } from '../../src/checkpoint/seal.js';
import { journalVersion } from '../../src/journal/event.js';
import { createMemoryStore, type MemoryStore } from './memory-store.js';
import { binding, credential, expectedOf, stateKey } from './sample.js';

/** Stores a valid checkpoint whose only file contains its number, and returns its key. */
async function put(store: MemoryStore, change: Partial<Binding> = {}, secrets = [stateKey]): Promise<string> {
  const bound = { ...binding, ...change };
  const key = keyOf(bound);
  store.entries.set(key, await sealCheckpoint([{ path: 'key', content: Buffer.from(key) }], bound, secrets));
  return key;
}

function damage(store: MemoryStore, key: string): void {
  const sealed = Buffer.from(store.entries.get(key) ?? '');
  sealed[sealed.length - 1] = (sealed.at(-1) ?? 0) ^ 1;
  store.entries.set(key, sealed);
}

function request(store: MemoryStore, jobAttempt = 3): RestoreRequest {
  return { store, secrets: [stateKey], expected: expectedOf(binding), jobAttempt };
}

describe('restore', () => {
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
      { key: foreign, reason: 'no-key-fits' },
    ]);
  });

  it('tries three older ones after the newest, and no more', async () => {
    const store = createMemoryStore();
    const keys: string[] = [];
    for (const sequence of [1, 2, 3, 4, 5]) keys.unshift(await put(store, { sequence }));
    for (const key of keys.slice(0, 4)) damage(store, key);
    const restored = await restore(request(store));
    expect(restored.status === 'refused' && restored.refused.map(({ key }) => key)).toEqual(keys.slice(0, 4));
    await put(store, { sequence: 2 });
    expect(await restore(request(store))).toMatchObject({ status: 'opened', key: keys[3] });
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
      const contents = { journal: Buffer.from(journal ?? ''), pack: Buffer.alloc(0), sessions: [] };
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

  it('distinguishes "no checkpoint", "no answer" and "unreadable"', async () => {
    const silent = createMemoryStore();
    silent.onLookup = async () => false;
    expect(await restore(request(silent))).toEqual({
      status: 'none',
      lastError: 'the memory did not answer',
    });
    const closed = createMemoryStore({ unreadableReason: 'It may not be read.' });
    expect(await restore(request(closed))).toEqual({ status: 'none', lastError: 'It may not be read.' });
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
