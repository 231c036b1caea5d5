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
  return { saver: writer, store, clock, notices, told: () => notices.map(({ type }) => type) };
}

const plain: SealFunction = async (bound) => Buffer.from(keyOf(bound));

/** Lets everything that is ready go on. */
async function settlePending(): Promise<void> {
  for (let round = 0; round < 5; round += 1) await turn();
}

/** Whether `work` has ended once everything that is ready went on. */
async function hasEnded(work: Promise<unknown>): Promise<boolean> {
  let ended = false;
  void work.then(() => {
    ended = true;
  });
  await settlePending();
  return ended;
}

/** A gate that stays closed until opened: the service takes its time. */
function createGate(): { readonly closed: Promise<boolean>; open(answer?: boolean): void } {
  let open = (_answer?: boolean): void => {};
  const closed = new Promise<boolean>((resolve) => {
    open = (answer = true) => resolve(answer);
  });
  return { closed, open };
}

describe('a save', () => {
  it('is stored under the next key, and the run waits for it', async () => {
    const { saver: writer, store, told: noticeTypes } = setUp();
    await writer.save(plain);
    await writer.save(plain);
    expect([...store.entries.keys()]).toEqual([keyAt(2, 1), keyAt(2, 2)]);
    expect(await writer.settle(1000)).toEqual({ persisted: true, key: keyAt(2, 2) });
    expect(noticeTypes()).toEqual([]);
  });

  it('is sealed for the key under which it is stored', async () => {
    const { saver: writer, store } = setUp();
    const bound: Binding[] = [];
    await writer.save(async (binding) => {
      bound.push(binding);
      return Buffer.from('sealed');
    });
    expect(bound).toEqual([{ ...binding, sequence: 1 }]);
    expect([...store.entries.keys()]).toEqual(bound.map(keyOf));
  });

  it('goes on from the highest sequence that is known', async () => {
    const seen = keyAt(2, 4, '0badf00d');
    const store = createMemoryStore();
    store.entries.set(seen, Buffer.from('of the job before'));
    const { saver: writer, told: noticeTypes } = setUp({ seen }, store);
    await writer.save(plain);
    expect(writer.stored).toBe(keyAt(2, 5));
    expect(noticeTypes()).toEqual([]);
    const later = setUp({ seen, usedSequence: 8 }, store);
    await later.saver.save(plain);
    expect(later.saver.stored).toBe(keyAt(2, 9));
  });

  it('never uses a key twice, also after failures', async () => {
    const { saver: writer, store } = setUp();
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
  it('holds a step up for 10 s and the next ones not at all, until a save succeeds', async () => {
    const { saver: writer, store, clock, told: noticeTypes } = setUp();
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
    const again = createGate();
    store.onWrite = () => again.closed;
    const held = writer.save(plain);
    expect(await hasEnded(held)).toBe(false);
    again.open();
    await held;
    expect(writer.stored).toBe(keyAt(2, 3));
  });

  it('makes only the newest of those that wait', async () => {
    const { saver: writer, store, clock } = setUp();
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

  it('books what was stored, also late, and not what came after it', async () => {
    const booked: [string, number][] = [];
    const { saver: writer, store, clock } = setUp({ onStored: (...noticeTypes) => booked.push(noticeTypes) });
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

  it('counts the look-up before the save in the 10 s', async () => {
    const { saver: writer, store, clock, told: noticeTypes } = setUp();
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

  it('leaves no timer behind when a save was quick', async () => {
    const { saver: writer, clock, told: noticeTypes } = setUp();
    await writer.save(plain);
    clock.advance(60_000);
    await settlePending();
    expect(noticeTypes()).toEqual([]);
  });
});

describe('a failing service', () => {
  it('is told once with its reason, does not hold steps up, and is told again after a success', async () => {
    const { saver: writer, store, notices } = setUp();
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

  it('leaves persisted false, with the key of what is there', async () => {
    const { saver: writer, store } = setUp();
    await writer.save(plain);
    store.onWrite = async () => false;
    await writer.save(plain);
    expect(await writer.settle(1000)).toEqual({ persisted: false, key: keyAt(2, 1) });
  });

  it('is not the only thing that fails: so does the sealing', async () => {
    const { saver: writer, notices } = setUp();
    await writer.save(() => Promise.reject(new Error('no space left')));
    expect(notices).toEqual([{ type: 'failed', reason: 'no space left' }]);
    expect(await writer.settle(1000)).toEqual({ persisted: false });
    await writer.save(plain);
    await settlePending();
    expect(await writer.settle(1000)).toEqual({ persisted: true, key: keyAt(2, 2) });
  });
});

describe('another job', () => {
  it('of a later attempt makes this one stop, also where this one stored after it', async () => {
    const { saver: writer, store, notices } = setUp();
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
    'is seen when it is attempt %i and this one has stored nothing',
    async (jobAttempt) => {
      const { saver: writer, store, notices } = setUp();
      store.entries.set(keyAt(jobAttempt, 1, '0badf00d'), Buffer.from('theirs'));
      await writer.save(plain);
      expect(notices).toEqual([{ type: 'fenced', jobAttempt }]);
    },
  );

  it('in the same attempt is a conflict when it was not there at the start', async () => {
    const { saver: writer, store, told: noticeTypes } = setUp();
    await writer.save(plain);
    store.entries.set(keyAt(2, 2, '0badf00d'), Buffer.from('theirs'));
    await writer.save(plain);
    expect(noticeTypes()).toEqual(['conflict']);
    await writer.save(plain);
    expect(store.entries.size).toBe(2);
  });

  it('of the same attempt that ended before is none, but its going on is', async () => {
    const seen = keyAt(2, 3, '0badf00d');
    const store = createMemoryStore();
    store.entries.set(seen, Buffer.from('theirs'));
    const { saver: writer, told: noticeTypes } = setUp({ seen }, store);
    await writer.save(plain);
    expect(noticeTypes()).toEqual([]);
    store.entries.set(keyAt(2, 5, '0badf00d'), Buffer.from('theirs again'));
    await writer.save(plain);
    expect(noticeTypes()).toEqual(['conflict']);
  });

  it('of the same attempt that ended before is none either where the first look-up went wrong', async () => {
    const { saver: writer, store, told: noticeTypes } = setUp({ hasLookupFailed: true });
    store.entries.set(keyAt(2, 3, '0badf00d'), Buffer.from('theirs'));
    await writer.save(plain);
    expect([noticeTypes(), writer.stored]).toEqual([[], keyAt(2, 4)]);
    store.entries.set(keyAt(2, 5, '0badf00d'), Buffer.from('theirs again'));
    await writer.save(plain);
    expect(noticeTypes()).toEqual(['conflict']);
  });

  it('of an earlier attempt is no matter', async () => {
    const { saver: writer, store, told: noticeTypes } = setUp();
    store.entries.set(keyAt(1, 9, '0badf00d'), Buffer.from('theirs'));
    await writer.save(plain);
    expect([noticeTypes(), writer.stored]).toEqual([[], keyAt(2, 1)]);
  });
});

describe('the end', () => {
  it('waits for a save that is still going on', async () => {
    const { saver: writer, store, clock } = setUp();
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

  it('does not wait longer than it may, neither for the save nor for the look-up', async () => {
    const { saver: writer, store, clock } = setUp();
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

  it('believes only what it finds', async () => {
    const { saver: writer, store } = setUp();
    await writer.save(plain);
    store.entries.clear();
    expect(await writer.settle(1000)).toEqual({ persisted: false, key: keyAt(2, 1) });
  });

  it('says so when what was stored is not there', async () => {
    const { saver: writer, store, told: noticeTypes } = setUp();
    await writer.save(plain);
    store.entries.clear();
    expect(await writer.settle(1000)).toEqual({ persisted: false, key: keyAt(2, 1) });
    expect(noticeTypes()).toEqual(['not-found']);
  });

  it('finds what was stored although the answer was lost', async () => {
    const booked: number[] = [];
    const { saver: writer, store } = setUp({ onStored: (_key, events) => booked.push(events) });
    store.onWrite = async (key) => {
      store.entries.set(key, Buffer.from('there'));
      return false;
    };
    await writer.save(plain, 4);
    expect(await writer.settle(1000)).toEqual({ persisted: true, key: keyAt(2, 1) });
    expect(booked).toEqual([4]);
  });

  it('is told apart when there was nothing to seal with', async () => {
    const restored = keyAt(1, 3);
    const { saver: writer, store } = setUp({ restored });
    store.entries.set(restored, Buffer.from('of the attempt before'));
    writer.markNotStored();
    expect(await writer.settle(1000)).toEqual({ persisted: false, key: restored });
  });

  it('does not claim what it cannot look up', async () => {
    const { saver: writer } = setUp({}, createMemoryStore({ unreadableReason: 'It may not be read.' }));
    await writer.save(plain);
    expect(await writer.settle(1000)).toEqual({ persisted: false, key: keyAt(2, 1) });
  });

  it('with nothing to store asks whether the restored one is still the newest', async () => {
    const restored = keyAt(1, 5);
    const { saver: writer, store } = setUp({ restored });
    expect(await writer.settle(1000)).toEqual({ persisted: false, key: restored });
    store.entries.set(restored, Buffer.from('restored'));
    expect(await writer.settle(1000)).toEqual({ persisted: true, key: restored });
    store.entries.set(keyAt(1, 6, '0badf00d'), Buffer.from('newer'));
    expect(await writer.settle(1000)).toEqual({ persisted: false, key: restored });
    expect(await setUp().saver.settle(1000)).toEqual({ persisted: false });
  });

  it('is told apart when nothing may be written', async () => {
    const restored = keyAt(1, 5);
    const store = createMemoryStore({ unwritableReason: 'It may not be written.' });
    store.entries.set(restored, Buffer.from('restored'));
    const { saver: writer, told: noticeTypes } = setUp({ restored }, store);
    expect((await writer.settle(1000)).persisted).toBe(true);
    await writer.save(plain);
    expect((await writer.settle(1000)).persisted).toBe(false);
    expect([noticeTypes(), store.calls.some((call) => call.startsWith('write'))]).toEqual([[], false]);
  });
});

describe('what is too much', () => {
  // One buffer for all: its pages are never touched, so it costs no memory.
  const huge = Buffer.alloc(1_000_000_001);

  it('is a state above 1 GB', async () => {
    const { saver: writer, store, notices } = setUp();
    await writer.save(async () => huge);
    expect([notices, store.entries.size]).toEqual([[{ type: 'too-large', bytes: 1_000_000_001 }], 0]);
    expect((await writer.settle(1000)).persisted).toBe(false);
  });
});

describe('an urgent save', () => {
  it('is sealed and kept at once, though the service hangs, and stored when it can be', async () => {
    const { saver: writer, store, clock } = setUp();
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

  it('takes the place of one that waits', async () => {
    const { saver: writer, store, clock } = setUp();
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

describe('what the user is told', () => {
  const facts = { store: 'the Actions cache', stateName: 'build' };
  it.each<readonly [SaveNotice, RegExp]>([
    [{ type: 'slow' }, /more than 10 s.*a re-run finds no checkpoint of this job attempt\.$/],
    [
      { type: 'failed', reason: 'cache write denied' },
      /in the Actions cache \(cache write denied\)\. The run goes on/,
    ],
    [{ type: 'too-large', bytes: 1_200_000_001 }, /1201 MB was not stored: more than 1 GB/],
    [{ type: 'fenced', jobAttempt: 3 }, /^Job attempt 3 .* stores nothing more\.$/],
    [{ type: 'conflict' }, /^two jobs use the state name "build" at once: set `state-name`/],
  ])('of %o', (notice, text) => {
    expect(saveNoticeText(notice, facts)).toMatch(text);
  });

  it('names what a re-run finds', () => {
    expect(saveNoticeText({ type: 'failed' }, { ...facts, stored: 'K' })).toContain(
      'goes on from the checkpoint K.',
    );
  });
});
