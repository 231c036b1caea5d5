import { setImmediate as turn } from 'node:timers/promises';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Binding, keyOf } from '../../src/checkpoint/binding.js';
import { attemptPrefixes } from '../../src/checkpoint/checkpoint-key.js';
import {
  CheckpointWriter,
  type CheckpointWriterOptions,
  type SealFunction,
} from '../../src/checkpoint/checkpoint-writer.js';
import { type SaveNotice, saveNoticeText } from '../../src/checkpoint/save-notice.js';
import { readBinding } from '../../src/checkpoint/seal.js';
import { createFakeClock } from '../fakes/clock.js';
import { holds } from '../fakes/holds.js';
import { createMemoryStore, type MemoryStore } from './memory-store.js';
import { binding, keyAt, sealedAt } from './sample.js';

const { sequence: _, ...base } = binding;

function setUp(options: Partial<CheckpointWriterOptions> = {}, store: MemoryStore = createMemoryStore()) {
  const clock = createFakeClock({ sleeping: 'waits' });
  const notices: SaveNotice[] = [];
  const writer = new CheckpointWriter({
    store,
    clock,
    binding: base,
    onNotice: (notice) => notices.push(notice),
    ...options,
  });
  return { writer, store, clock, notices, noticeTypes: () => notices.map(({ type }) => type) };
}

const plain: SealFunction = async (bound) => sealedAt(bound.jobAttempt, bound.sequence, bound.writer);
const { writer: writerId } = binding;

/** Lets everything that is ready continue. */
async function settlePending(): Promise<void> {
  for (let round = 0; round < 5; round += 1) await turn();
}

/** Whether `work` has ended after everything that is ready has continued. */
async function hasEnded(work: Promise<unknown>): Promise<boolean> {
  let ended = false;
  void work.then(() => {
    ended = true;
  });
  await settlePending();
  return ended;
}

/** A promise that resolves on `open`, to simulate a slow service. */
function createGate(): { readonly closed: Promise<boolean>; open(answer?: boolean): void } {
  let open = (_answer?: boolean): void => {};
  const closed = new Promise<boolean>((resolve) => {
    open = (answer = true) => resolve(answer);
  });
  return { closed, open };
}

describe('a save', () => {
  it('is stored under the next key, and the run waits for it', async () => {
    const { writer, store, noticeTypes } = setUp();
    await writer.save(plain);
    await writer.save(plain);
    expect([...store.entries.keys()]).toEqual([keyAt(2, 1), keyAt(2, 2)]);
    expect(await writer.settle(1000)).toEqual({ persisted: true, key: keyAt(2, 2) });
    expect(noticeTypes()).toEqual([]);
  });

  it('is persisted only if the store has each entry that it builds on', async () => {
    for (const isLost of [false, true]) {
      const { writer, store } = setUp({ keysOf: (key) => [keyAt(2, 1), keyAt(2, 2), key] });
      for (let count = 0; count < 3; count += 1) await writer.save(plain);
      if (isLost) store.entries.delete(keyAt(2, 2));
      expect(await writer.settle(1000)).toEqual({ persisted: !isLost, key: keyAt(2, 3) });
    }
  });

  it('is sealed for the key under which it is stored', async () => {
    const { writer, store } = setUp();
    const bound: Binding[] = [];
    await writer.save(async (binding) => {
      bound.push(binding);
      return Buffer.from('sealed');
    });
    expect(bound).toEqual([{ ...binding, sequence: 1 }]);
    expect([...store.entries.keys()]).toEqual(bound.map(keyOf));
  });

  it('continues after the highest known sequence', async () => {
    const seen = keyAt(2, 4);
    const store = createMemoryStore();
    store.entries.set(seen, sealedAt(2, 4));
    const { writer, noticeTypes } = setUp({ seen }, store);
    await writer.save(plain);
    expect(writer.stored).toBe(keyAt(2, 5));
    expect(noticeTypes()).toEqual([]);
    const later = setUp({ seen, usedSequence: 8 }, store);
    await later.writer.save(plain);
    expect(later.writer.stored).toBe(keyAt(2, 9));
  });

  it('never uses a key twice, also after failures', async () => {
    const { writer, store } = setUp();
    store.onWrite = async () => false;
    for (let round = 0; round < 3; round += 1) {
      await writer.save(plain);
      await settlePending();
    }
    store.onWrite = async () => true;
    await writer.save(plain);
    await settlePending();
    const writes = store.calls.filter((call) => call.startsWith('write'));
    expect(new Set(writes).size).toBe(4);
    expect(writer.stored).toBe(keyAt(2, 4));
  });
});

describe('a slow service', () => {
  it('delays a step by 10 s, and later steps not at all until a save succeeds', async () => {
    const { writer, store, clock, noticeTypes } = setUp();
    const slow = createGate();
    store.onWrite = () => slow.closed;
    const first = writer.save(plain);
    await settlePending();
    clock.advance(9_999);
    expect(await hasEnded(first)).toBe(false);
    clock.advance(1);
    expect(await hasEnded(first)).toBe(true);
    expect(noticeTypes()).toEqual(['slow']);
    expect(await hasEnded(writer.save(plain))).toBe(true);
    expect(store.calls.filter((call) => call.startsWith('write'))).toHaveLength(1);
    slow.open();
    await settlePending();
    expect([...store.entries.keys()]).toEqual([keyAt(2, 1), keyAt(2, 2)]);
    const secondGate = createGate();
    store.onWrite = () => secondGate.closed;
    const held = writer.save(plain);
    expect(await hasEnded(held)).toBe(false);
    secondGate.open();
    await held;
    expect(writer.stored).toBe(keyAt(2, 3));
  });

  it('does only the newest of the waiting saves', async () => {
    const { writer, store, clock } = setUp();
    const slow = createGate();
    store.onWrite = () => slow.closed;
    const made: string[] = [];
    const make =
      (name: string): SealFunction =>
      async () => {
        made.push(name);
        return Buffer.from(name);
      };
    const first = writer.save(make('first'));
    await settlePending();
    clock.advance(10_000);
    await first;
    for (const name of ['second', 'third', 'fourth']) await writer.save(make(name));
    slow.open();
    await settlePending();
    expect(made).toEqual(['first', 'fourth']);
    expect([...store.entries.values()].map(String)).toEqual(['first', 'fourth']);
  });

  it('while agents are at work replaces no other one that runs or waits', async () => {
    const gate = createGate();
    const { writer, store } = setUp();
    store.onWrite = () => gate.closed;
    const running = writer.save(plain, 1);
    const waiting = writer.save(plain, 2);
    await writer.save(plain, 3, 1_000_000);
    gate.open();
    await Promise.all([running, waiting]);
    expect([...store.entries.keys()]).toEqual([keyAt(2, 1), keyAt(2, 2)]);
    expect(writer.storedEvents).toBe(2);
    await writer.save(plain, 3, 1_000_000);
    expect(writer.storedEvents).toBe(3);
  });

  it('records what was stored, even late, but nothing newer', async () => {
    const booked: [string, number][] = [];
    const { writer, store, clock } = setUp({ onStored: (...noticeTypes) => booked.push(noticeTypes) });
    const gates = [createGate(), createGate()] as const;
    store.onWrite = () => gates[store.entries.size === 0 ? 0 : 1].closed;
    const first = writer.save(plain, 5);
    await settlePending();
    clock.advance(10_000);
    await first;
    await writer.save(plain, 9);
    gates[0].open();
    await settlePending();
    expect(booked).toEqual([[keyAt(2, 1), 5]]);
    gates[1].open();
    await settlePending();
    expect(booked.at(-1)).toEqual([keyAt(2, 2), 9]);
  });

  it('includes a look-up before the save in the 10 s', async () => {
    const { writer, store, clock, noticeTypes } = setUp({ hasLookupFailed: true });
    const slow = createGate();
    store.onLookup = () => slow.closed;
    const save = writer.save(plain);
    await settlePending();
    clock.advance(10_000);
    await save;
    expect(noticeTypes()).toEqual(['slow']);
    slow.open();
    await settlePending();
    expect(writer.stored).toBe(keyAt(2, 1));
  });

  it('leaves no timer behind after a fast save', async () => {
    const { writer, clock, noticeTypes } = setUp();
    await writer.save(plain);
    clock.advance(60_000);
    await settlePending();
    expect(noticeTypes()).toEqual([]);
  });
});

describe('a failing service', () => {
  it('is reported once with its reason, delays no step, and is reported again after a success', async () => {
    const { writer, store, notices } = setUp();
    store.onWrite = async () => false;
    await writer.save(plain);
    const slow = createGate();
    store.onWrite = () => slow.closed;
    expect(await hasEnded(writer.save(plain))).toBe(true);
    slow.open(false);
    await settlePending();
    expect(notices).toEqual([{ type: 'failed', reason: 'the memory refused it' }]);
    store.onWrite = async () => true;
    await writer.save(plain);
    await settlePending();
    store.onWrite = async () => false;
    await writer.save(plain);
    expect(notices).toHaveLength(2);
  });

  it('leaves persisted false, with the key of the stored checkpoint', async () => {
    const { writer, store } = setUp();
    await writer.save(plain);
    store.onWrite = async () => false;
    await writer.save(plain);
    expect(await writer.settle(1000)).toEqual({ persisted: false, key: keyAt(2, 1) });
  });

  it('is not the only error: sealing can fail too', async () => {
    const { writer, notices } = setUp();
    await writer.save(() => Promise.reject(new Error('no space left')));
    expect(notices).toEqual([{ type: 'failed', reason: 'no space left' }]);
    expect(await writer.settle(1000)).toEqual({ persisted: false });
    await writer.save(plain);
    await settlePending();
    expect(await writer.settle(1000)).toEqual({ persisted: true, key: keyAt(2, 2) });
  });
});

describe('the requests of a save', () => {
  const lookUps = (store: MemoryStore) => store.calls.filter((call) => call === 'newest').length;

  it('contain no look-up, and the end needs one', async () => {
    const { writer, store } = setUp();
    for (let save = 0; save < 20; save += 1) await writer.save(plain);
    expect(store.calls).toEqual(Array.from({ length: 20 }, (_, index) => `write ${keyAt(2, index + 1)}`));
    expect(await writer.settle(1000)).toEqual({ persisted: true, key: keyAt(2, 20) });
    expect(lookUps(store)).toBe(1);
  });

  it('contain a look-up after a gap, and at most once a minute', async () => {
    const { writer, store, clock } = setUp();
    store.onWrite = async () => false;
    await writer.save(plain);
    store.onWrite = async () => true;
    await writer.save(plain);
    await settlePending();
    expect([lookUps(store), writer.stored]).toEqual([1, keyAt(2, 2)]);
    await writer.save(plain);
    clock.advance(59_999);
    await writer.save(plain);
    expect(lookUps(store)).toBe(1);
    clock.advance(1);
    await writer.save(plain);
    await writer.save(plain);
    expect(lookUps(store)).toBe(2);
  });

  it('contain a look-up for the first one of `post`, unless the last one of `main` is stored', async () => {
    const store = createMemoryStore();
    for (const sequence of [1, 2]) store.entries.set(keyAt(2, sequence), sealedAt(2, sequence, writerId));
    for (const usedSequence of [2, 3]) {
      const { writer } = setUp({ restored: keyAt(2, 2), usedSequence }, store);
      await writer.save(plain);
      expect([writer.stored, lookUps(store)]).toEqual([keyAt(2, usedSequence + 1), usedSequence - 2]);
    }
  });
});

describe('a later job attempt', () => {
  it('stops this one a minute later, even if this one stored after it', async () => {
    const { writer, store, notices, clock } = setUp();
    await writer.save(plain);
    store.entries.set(keyAt(3, 1), sealedAt(3, 1));
    await writer.save(plain);
    clock.advance(60_000);
    await writer.save(plain);
    await writer.save(plain);
    await settlePending();
    expect(notices).toEqual([{ type: 'fenced', jobAttempt: 3 }]);
    expect(store.calls.filter((call) => call.startsWith('write'))).toHaveLength(2);
    expect(await writer.settle(1000)).toMatchObject({ persisted: false });
  });

  it.each([3, 10])('is found at the end if it is job attempt %i', async (jobAttempt) => {
    const { writer, store, notices } = setUp();
    await writer.save(plain);
    store.entries.set(keyAt(jobAttempt, 1), sealedAt(jobAttempt, 1));
    await writer.save(plain);
    expect(await writer.settle(1000)).toEqual({ persisted: false, key: keyAt(2, 2) });
    expect(notices).toEqual([{ type: 'fenced', jobAttempt }]);
  });

  it.each([10, 11, 50])(
    'is found before the first save if it is job attempt %i, a minute after the start',
    async (jobAttempt) => {
      const { writer, store, notices, clock } = setUp();
      store.entries.set(keyAt(jobAttempt, 1), sealedAt(jobAttempt, 1));
      clock.advance(60_000);
      await writer.save(plain);
      expect(notices).toEqual([{ type: 'fenced', jobAttempt }]);
    },
  );

  it('is no reason to wait: a restore prefers it to what this one stores', async () => {
    const { writer, store } = setUp();
    store.entries.set(keyAt(3, 1), sealedAt(3, 1));
    await writer.save(plain);
    expect(await store.findNewest(attemptPrefixes({ stateName: 'build', runId: '1001' }, 4))).toBe(
      keyAt(3, 1),
    );
  });

  it('may also be an earlier one, which has no effect', async () => {
    const { writer, store, noticeTypes, clock } = setUp();
    store.entries.set(keyAt(1, 9), sealedAt(1, 9));
    clock.advance(60_000);
    await writer.save(plain);
    expect([noticeTypes(), writer.stored]).toEqual([[], keyAt(2, 1)]);
  });
});

describe('another job of the same job attempt', () => {
  it('is a conflict at the next save if it stores under the next number', async () => {
    const { writer, store, noticeTypes } = setUp();
    await writer.save(plain);
    store.entries.set(keyAt(2, 2), sealedAt(2, 2));
    await writer.save(plain);
    expect(noticeTypes()).toEqual(['conflict']);
    await writer.save(plain);
    expect(store.entries.size).toBe(2);
    expect((await writer.settle(1000)).persisted).toBe(false);
  });

  it('that ended earlier is no conflict, unless it continues', async () => {
    const seen = keyAt(2, 3);
    const store = createMemoryStore();
    for (const sequence of [1, 2, 3]) store.entries.set(keyAt(2, sequence), sealedAt(2, sequence));
    const { writer, noticeTypes } = setUp({ seen }, store);
    await writer.save(plain);
    expect([noticeTypes(), writer.stored]).toEqual([[], keyAt(2, 4)]);
    store.entries.set(keyAt(2, 5), sealedAt(2, 5));
    await writer.save(plain);
    expect(noticeTypes()).toEqual(['conflict']);
  });

  it('that ended earlier is no conflict even if the first look-up failed', async () => {
    const { writer, store, noticeTypes } = setUp({ hasLookupFailed: true });
    store.entries.set(keyAt(2, 3), sealedAt(2, 3));
    await writer.save(plain);
    expect([noticeTypes(), writer.stored]).toEqual([[], keyAt(2, 4)]);
    store.entries.set(keyAt(2, 5), sealedAt(2, 5));
    await writer.save(plain);
    expect(noticeTypes()).toEqual(['conflict']);
  });

  it('that ended earlier is no conflict even if no look-up has an answer so far', async () => {
    const { writer, store, noticeTypes } = setUp({ hasLookupFailed: true });
    store.entries.set(keyAt(2, 1), sealedAt(2, 1));
    store.onLookup = async () => false;
    await writer.save(plain);
    expect(noticeTypes()).toEqual(['failed']);
    store.onLookup = async () => true;
    await writer.save(plain);
    await settlePending();
    expect([noticeTypes(), writer.stored]).toEqual([['failed'], keyAt(2, 2)]);
  });

  it('is noticed at the end if it stored after this one', async () => {
    const { writer, store, noticeTypes } = setUp();
    await writer.save(plain);
    store.entries.set(keyAt(2, 2), sealedAt(2, 2));
    expect(await writer.settle(1000)).toEqual({ persisted: false, key: keyAt(2, 1) });
    expect(noticeTypes()).toEqual(['conflict']);
  });

  it('that was storing under the number of a failed save is noticed at the next save', async () => {
    const { writer, store, noticeTypes } = setUp();
    await writer.save(plain);
    store.onWrite = async () => false;
    await writer.save(plain);
    store.entries.set(keyAt(2, 2), sealedAt(2, 2));
    store.onWrite = async () => true;
    await writer.save(plain);
    await settlePending();
    expect([noticeTypes(), store.entries.size]).toEqual([['failed', 'conflict'], 2]);
  });

  it('is noticed at the end under the number of a failed save', async () => {
    const { writer, store, noticeTypes } = setUp();
    store.onWrite = async () => false;
    await writer.save(plain);
    store.entries.set(keyAt(2, 1), sealedAt(2, 1));
    expect(await writer.settle(1000)).toEqual({ persisted: false });
    expect(noticeTypes()).toEqual(['failed', 'conflict']);
  });

  it('is noticed by at least one of the two at its next save or at its end, in any order and with failed saves', async () => {
    const step = fc.record({ first: fc.boolean(), fails: fc.boolean() });
    await holds(
      fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 12 }), async (steps) => {
        const store = createMemoryStore();
        const jobs = [setUp({}, store), setUp({ binding: { ...base, writer: '0badf00d' } }, store)] as const;
        const stored = new Set<number>();
        const play = async (job: 0 | 1, isFailing: boolean) => {
          store.onWrite = async () => !isFailing;
          const before = store.entries.size;
          await jobs[job].writer.save(plain);
          await settlePending();
          if (store.entries.size > before) stored.add(job);
        };
        for (const { first, fails } of steps) await play(first ? 0 : 1, fails);
        const hasBothStored = stored.size === 2;
        await play(0, false);
        await play(1, false);
        for (const { writer } of jobs) await writer.settle(1000);
        const conflicts = jobs.filter(({ noticeTypes }) => noticeTypes().includes('conflict'));
        expect(conflicts.length).toBeGreaterThanOrEqual(hasBothStored ? 1 : 0);
        // Nothing of either job was overwritten: every entry is stored under its own key.
        for (const [key, sealed] of store.entries) expect(keyOf(readBinding(sealed) ?? binding)).toBe(key);
      }),
    );
  });
});

describe('a key that is taken', () => {
  it('by this very save, whose answer was lost, is stored', async () => {
    const { writer, store, noticeTypes } = setUp();
    const write = store.write.bind(store);
    store.write = async (key, sealed) => {
      await write(key, sealed);
      return write(key, sealed);
    };
    await writer.save(plain);
    expect([noticeTypes(), writer.stored]).toEqual([[], keyAt(2, 1)]);
  });

  it.each([
    ['nothing that can be read', undefined],
    ['something that is no checkpoint', Buffer.from('garbage')],
    ['a checkpoint of another key', sealedAt(2, 9)],
  ])('by %s is a failed save', async (_what, content) => {
    const { writer, store, notices } = setUp();
    store.entries.set(keyAt(2, 1), content ?? Buffer.alloc(0));
    if (content === undefined) store.read = async () => undefined;
    await writer.save(plain);
    expect(notices).toEqual([{ type: 'failed', reason: 'the memory has this key' }]);
    await writer.save(plain);
    await settlePending();
    expect(writer.stored).toBe(keyAt(2, 2));
    expect(await writer.settle(1000)).toEqual({ persisted: true, key: keyAt(2, 2) });
  });
});

describe('the end', () => {
  it('waits for a running save', async () => {
    const { writer, store, clock } = setUp();
    const slow = createGate();
    store.onWrite = () => slow.closed;
    const save = writer.save(plain);
    await settlePending();
    clock.advance(10_000);
    await save;
    const settled = writer.settle(60_000);
    expect(await hasEnded(settled)).toBe(false);
    slow.open();
    expect(await settled).toEqual({ persisted: true, key: keyAt(2, 1) });
  });

  it('waits no longer than allowed, neither for the save nor for the look-up', async () => {
    const { writer, store, clock } = setUp();
    const slow = createGate();
    store.onWrite = () => slow.closed;
    const save = writer.save(plain);
    await settlePending();
    clock.advance(10_000);
    await save;
    const settled = writer.settle(5_000);
    await settlePending();
    clock.advance(5_000);
    expect(await settled).toEqual({ persisted: false });
    slow.open();
    await settlePending();
    store.onLookup = () => createGate().closed;
    const lookedUp = writer.settle(5_000);
    await settlePending();
    clock.advance(5_000);
    expect(await lookedUp).toEqual({ persisted: false, key: keyAt(2, 1) });
  });

  it('waits only 10 s for a service that does not answer at all', async () => {
    const { writer, store, clock } = setUp();
    store.onLookup = () => createGate().closed;
    store.onWrite = () => createGate().closed;
    const save = writer.save(plain);
    await settlePending();
    clock.advance(10_000);
    await save;
    const settled = writer.settle(60_000);
    await settlePending();
    clock.advance(10_000);
    expect(await settled).toEqual({ persisted: false });
  });

  it('trusts only what it finds', async () => {
    const { writer, store } = setUp();
    await writer.save(plain);
    store.entries.clear();
    expect(await writer.settle(1000)).toEqual({ persisted: false, key: keyAt(2, 1) });
  });

  it('reports a stored checkpoint that is not found', async () => {
    const { writer, store, noticeTypes } = setUp();
    await writer.save(plain);
    store.entries.clear();
    expect(await writer.settle(1000)).toEqual({ persisted: false, key: keyAt(2, 1) });
    expect(noticeTypes()).toEqual(['not-found']);
  });

  it('finds a stored checkpoint although the response was lost', async () => {
    const booked: number[] = [];
    const sealed = sealedAt(2, 1, writerId);
    const { writer, store } = setUp({ onStored: (_key, events) => booked.push(events) });
    store.onWrite = async (key) => {
      store.entries.set(key, sealed);
      return false;
    };
    await writer.save(async () => sealed, 4);
    expect(await writer.settle(1000)).toEqual({ persisted: true, key: keyAt(2, 1) });
    expect(booked).toEqual([4]);
  });

  it('is not persisted without a secret', async () => {
    const restored = keyAt(1, 3);
    const { writer, store } = setUp({ restored });
    store.entries.set(restored, Buffer.from('of the attempt before'));
    writer.markNotStored();
    expect(await writer.settle(1000)).toEqual({ persisted: false, key: restored });
  });

  it('is not persisted if it cannot be looked up', async () => {
    const { writer } = setUp({}, createMemoryStore({ unreadableReason: 'It may not be read.' }));
    await writer.save(plain);
    expect(await writer.settle(1000)).toEqual({ persisted: false, key: keyAt(2, 1) });
  });

  it('with nothing to store checks whether the restored one is still the newest', async () => {
    const restored = keyAt(1, 5);
    const { writer, store } = setUp({ restored });
    expect(await writer.settle(1000)).toEqual({ persisted: false, key: restored });
    store.entries.set(restored, Buffer.from('restored'));
    expect(await writer.settle(1000)).toEqual({ persisted: true, key: restored });
    store.entries.set(keyAt(1, 6), Buffer.from('newer'));
    expect(await writer.settle(1000)).toEqual({ persisted: false, key: restored });
    expect(await setUp().writer.settle(1000)).toEqual({ persisted: false });
  });

  it('is not persisted if the store cannot be written', async () => {
    const restored = keyAt(1, 5);
    const store = createMemoryStore({ unwritableReason: 'It may not be written.' });
    store.entries.set(restored, Buffer.from('restored'));
    const { writer, noticeTypes } = setUp({ restored }, store);
    expect((await writer.settle(1000)).persisted).toBe(true);
    await writer.save(plain);
    expect((await writer.settle(1000)).persisted).toBe(false);
    expect([noticeTypes(), store.calls.some((call) => call.startsWith('write'))]).toEqual([[], false]);
  });
});

describe('the size limit', () => {
  // One buffer for all tests: nothing touches its pages, so it uses no memory.
  const huge = Buffer.alloc(1_000_000_001);

  it('refuses a state above 1 GB', async () => {
    const { writer, store, notices } = setUp();
    await writer.save(async () => huge);
    expect([notices, store.entries.size]).toEqual([[{ type: 'too-large', bytes: 1_000_000_001 }], 0]);
    expect((await writer.settle(1000)).persisted).toBe(false);
  });
});

describe('a save on cancellation', () => {
  it('is sealed and saved locally at once although the service hangs, and stored later', async () => {
    const { writer, store, clock } = setUp();
    const slow = createGate();
    store.onWrite = () => slow.closed;
    const save = writer.save(plain);
    await settlePending();
    clock.advance(10_000);
    await save;
    const kept: string[] = [];
    await writer.saveOnCancel(plain, async ({ key }) => {
      kept.push(key);
    });
    expect(kept).toEqual([keyAt(2, 2)]);
    slow.open();
    expect(await writer.settle(5_000)).toEqual({ persisted: true, key: keyAt(2, 2) });
    expect(writer.usedSequence).toBe(2);
  });

  it('replaces a waiting save', async () => {
    const { writer, store, clock } = setUp();
    const slow = createGate();
    store.onWrite = () => slow.closed;
    const save = writer.save(plain);
    await settlePending();
    clock.advance(10_000);
    await save;
    await writer.save(() => Promise.reject(new Error('not to be made')));
    await writer.saveOnCancel(plain, async () => {});
    slow.open();
    await settlePending();
    expect(writer.stored).toBe(keyAt(2, 2));
  });
});

describe('the messages', () => {
  const facts = { store: 'the Actions cache', stateName: 'build' };
  it.each<readonly [SaveNotice, RegExp]>([
    [{ type: 'slow' }, /more than 10 s.*a re-run finds no checkpoint of this job attempt\.$/],
    [
      { type: 'failed', reason: 'cache write denied' },
      /in the Actions cache \(cache write denied\)\. The run continues/,
    ],
    [{ type: 'too-large', bytes: 1_200_000_001 }, /not stored: it has 1201 MB, and the limit is 1 GB/],
    [{ type: 'fenced', jobAttempt: 3 }, /^Job attempt 3 .* stores nothing more\.$/],
    [{ type: 'conflict' }, /^Two jobs use the state name "build" at the same time\..*different `state-name`/],
  ])('for %o', (notice, text) => {
    expect(saveNoticeText(notice, facts)).toMatch(text);
  });

  it('name the checkpoint that a re-run uses', () => {
    expect(saveNoticeText({ type: 'failed' }, { ...facts, stored: 'K' })).toContain(
      'continues from checkpoint `K`.',
    );
  });
});
