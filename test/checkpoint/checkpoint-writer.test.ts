import { setImmediate as turn } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { type Binding, keyOf } from '../../src/checkpoint/binding.js';
import {
  CheckpointWriter,
  type CheckpointWriterOptions,
  type SealFunction,
} from '../../src/checkpoint/checkpoint-writer.js';
import { type SaveNotice, saveNoticeText } from '../../src/checkpoint/save-notice.js';
import { createFakeClock } from '../fakes/clock.js';
import { createMemoryStore, type MemoryStore } from './memory-store.js';
import { binding, keyAt } from './sample.js';

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

const plain: SealFunction = async (bound) => Buffer.from(keyOf(bound));

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
    const seen = keyAt(2, 4, '0badf00d');
    const store = createMemoryStore();
    store.entries.set(seen, Buffer.from('of the job before'));
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

  it('includes the look-up before the save in the 10 s', async () => {
    const { writer, store, clock, noticeTypes } = setUp();
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

describe('another job', () => {
  it('of a later job attempt stops this one, even if this one stored after it', async () => {
    const { writer, store, notices } = setUp();
    await writer.save(plain);
    store.entries.set(keyAt(3, 1, '0badf00d'), Buffer.from('theirs'));
    store.entries.set(keyAt(2, 2), Buffer.from('ours, stored in between'));
    await writer.save(plain);
    await writer.save(plain);
    await settlePending();
    expect(notices).toEqual([{ type: 'fenced', jobAttempt: 3 }]);
    expect(store.calls.filter((call) => call.startsWith('write'))).toHaveLength(1);
    expect(await writer.settle(1000)).toMatchObject({ persisted: false });
  });

  it.each([10, 11, 50])(
    'is found if it is job attempt %i and this one has stored nothing',
    async (jobAttempt) => {
      const { writer, store, notices } = setUp();
      store.entries.set(keyAt(jobAttempt, 1, '0badf00d'), Buffer.from('theirs'));
      await writer.save(plain);
      expect(notices).toEqual([{ type: 'fenced', jobAttempt }]);
    },
  );

  it('in the same job attempt is a conflict if it started after this one', async () => {
    const { writer, store, noticeTypes } = setUp();
    await writer.save(plain);
    store.entries.set(keyAt(2, 2, '0badf00d'), Buffer.from('theirs'));
    await writer.save(plain);
    expect(noticeTypes()).toEqual(['conflict']);
    await writer.save(plain);
    expect(store.entries.size).toBe(2);
  });

  it('of the same job attempt that ended earlier is no conflict, unless it continues', async () => {
    const seen = keyAt(2, 3, '0badf00d');
    const store = createMemoryStore();
    store.entries.set(seen, Buffer.from('theirs'));
    const { writer, noticeTypes } = setUp({ seen }, store);
    await writer.save(plain);
    expect(noticeTypes()).toEqual([]);
    store.entries.set(keyAt(2, 5, '0badf00d'), Buffer.from('theirs again'));
    await writer.save(plain);
    expect(noticeTypes()).toEqual(['conflict']);
  });

  it('of the same job attempt that ended earlier is no conflict even if the first look-up failed', async () => {
    const { writer, store, noticeTypes } = setUp({ hasLookupFailed: true });
    store.entries.set(keyAt(2, 3, '0badf00d'), Buffer.from('theirs'));
    await writer.save(plain);
    expect([noticeTypes(), writer.stored]).toEqual([[], keyAt(2, 4)]);
    store.entries.set(keyAt(2, 5, '0badf00d'), Buffer.from('theirs again'));
    await writer.save(plain);
    expect(noticeTypes()).toEqual(['conflict']);
  });

  it('of an earlier job attempt has no effect', async () => {
    const { writer, store, noticeTypes } = setUp();
    store.entries.set(keyAt(1, 9, '0badf00d'), Buffer.from('theirs'));
    await writer.save(plain);
    expect([noticeTypes(), writer.stored]).toEqual([[], keyAt(2, 1)]);
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

  it('waits only 10 s for a service that does not answer the look-up', async () => {
    const { writer, store, clock } = setUp();
    store.onLookup = () => createGate().closed;
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
    const { writer, store } = setUp({ onStored: (_key, events) => booked.push(events) });
    store.onWrite = async (key) => {
      store.entries.set(key, Buffer.from('there'));
      return false;
    };
    await writer.save(plain, 4);
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
    store.entries.set(keyAt(1, 6, '0badf00d'), Buffer.from('newer'));
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
