/** Two jobs that store at the same time, with the real cache client: which of them notices, and with how many requests. */
import { afterEach, describe, expect, it } from 'vitest';
import { createCacheStore } from '../../src/checkpoint/cache-store.js';
import type { CheckpointStore } from '../../src/checkpoint/checkpoint-store.js';
import { CheckpointWriter, type SealFunction } from '../../src/checkpoint/checkpoint-writer.js';
import type { SaveNotice } from '../../src/checkpoint/save-notice.js';
import { systemClock } from '../../src/system/clock.js';
import { createFakeClock } from '../fakes/clock.js';
import { type CacheProcess, startCacheProcess } from './cache-process.js';
import { binding, keyAt, sealedAt } from './sample.js';

let cache: CacheProcess | undefined;
afterEach(async () => {
  await cache?.close();
  cache = undefined;
});

async function start(): Promise<{ readonly cache: CacheProcess; readonly store: CheckpointStore }> {
  cache = await startCacheProcess();
  const { directory, env, tools } = cache;
  return { cache, store: createCacheStore({ directory, env, tools }) };
}

const { sequence: _, ...base } = binding;
const plain: SealFunction = async (bound) => sealedAt(bound.jobAttempt, bound.sequence, bound.writer);

function startJob(
  store: CheckpointStore,
  change: { readonly writer?: string; readonly jobAttempt?: number } = {},
  clock: typeof systemClock = systemClock,
) {
  const notices: SaveNotice[] = [];
  const onNotice = (notice: SaveNotice) => void notices.push(notice);
  const writer = new CheckpointWriter({ store, clock, binding: { ...base, ...change }, onNotice });
  return { writer, types: () => notices.map(({ type }) => type) };
}

const operations = ({ service }: CacheProcess) => service.requests().map(({ operation }) => operation);
const keysOf = ({ service }: CacheProcess) => service.entries().map(({ key }) => key);
const other = '0badf00d';

describe('the requests of a checkpoint', () => {
  it('are three, and the end of a job needs one more', async () => {
    const { cache, store } = await start();
    const { writer } = startJob(store);
    for (const number of [1, 2, 3]) {
      await writer.save(plain);
      const expected = Array.from({ length: number }, () => ['create', 'upload', 'finalize']).flat();
      expect(operations(cache)).toEqual(expected);
    }
    expect(await writer.settle(5000)).toEqual({ persisted: true, key: keyAt(2, 3) });
    expect(operations(cache).slice(9)).toEqual(['lookup']);
  });
});

describe('two jobs of one job attempt', () => {
  it.each([
    ['the first one', 0],
    ['the second one', 1],
  ])('are a conflict for the one that comes second to a number: %s', async (_who, late) => {
    const { cache, store } = await start();
    const jobs = [startJob(store), startJob(store, { writer: other })] as const;
    const [second, first] = late === 0 ? jobs : [jobs[1], jobs[0]];
    await first.writer.save(plain);
    await second.writer.save(plain);
    expect([first.types(), second.types()]).toEqual([[], ['conflict']]);
    expect((await second.writer.settle(5000)).persisted).toBe(false);
    expect(await first.writer.settle(5000)).toEqual({ persisted: true, key: keyAt(2, 1) });
    expect(keysOf(cache)).toEqual([keyAt(2, 1)]);
  });

  it.each([
    ['before a request arrives', { reset: true }],
    ['with too many requests', { status: 429 }],
  ] as const)('are noticed although a save failed: %s', async (_how, fault) => {
    const { cache, store } = await start();
    const [first, second] = [startJob(store), startJob(store, { writer: other })];
    cache.service.injectFault('create', { ...fault, times: 1 });
    await first.writer.save(plain);
    await second.writer.save(plain);
    await first.writer.save(plain);
    await expect.poll(first.types).toEqual(['failed', 'conflict']);
    expect([second.types(), keysOf(cache)]).toEqual([[], [keyAt(2, 1)]]);
  });

  it('are noticed at the end by the one that stored first', async () => {
    const { store } = await start();
    const [first, second] = [startJob(store), startJob(store, { writer: other })];
    await first.writer.save(plain);
    const later = new CheckpointWriter({
      ...{ store, clock: systemClock, binding: { ...base, writer: other }, seen: keyAt(2, 1) },
      onNotice: (notice) => expect.unreachable(notice.type),
    });
    await later.save(plain);
    expect(await later.settle(5000)).toEqual({ persisted: true, key: keyAt(2, 2) });
    expect(await first.writer.settle(5000)).toEqual({ persisted: false, key: keyAt(2, 1) });
    expect([first.types(), second.types()]).toEqual([['conflict'], []]);
  });
});

describe('a key that is taken', () => {
  it('by an upload that never ended is a failed save, and the next one has another key', async () => {
    const { cache, store } = await start();
    cache.service.injectFault('upload', { status: 403, times: 1 });
    await startJob(store, { writer: other }).writer.save(plain);
    const { writer, types } = startJob(store);
    await writer.save(plain);
    expect(types()).toEqual(['failed']);
    await writer.save(plain);
    await expect.poll(() => writer.stored).toBe(keyAt(2, 2));
    expect(await writer.settle(5000)).toEqual({ persisted: true, key: keyAt(2, 2) });
  });

  it('by this job, because the service stored the entry but did not answer, is stored', async () => {
    const { cache, store } = await start();
    cache.service.injectFault('finalize', { reset: true, moment: 'after', times: 1 });
    const { writer } = startJob(store);
    await writer.save(plain);
    expect(writer.stored).toBeUndefined();
    expect(await writer.settle(5000)).toEqual({ persisted: true, key: keyAt(2, 1) });
  });
});

describe('a later job attempt', () => {
  it('stops this one before a save a minute later, and at the end', async () => {
    const { cache, store } = await start();
    const clock = createFakeClock({ sleeping: 'waits' });
    const old = startJob(store, {}, clock);
    await old.writer.save(plain);
    await startJob(store, { jobAttempt: 3, writer: other }).writer.save(plain);
    await old.writer.save(plain);
    expect([old.types(), keysOf(cache).length]).toEqual([[], 3]);
    clock.advance(60_000);
    await old.writer.save(plain);
    expect([old.types(), keysOf(cache).length]).toEqual([['fenced'], 3]);
    expect((await old.writer.settle(5000)).persisted).toBe(false);
  });

  it('is found by the look-up at the end, so this one is not persisted', async () => {
    const { store } = await start();
    const old = startJob(store);
    await old.writer.save(plain);
    await startJob(store, { jobAttempt: 3, writer: other }).writer.save(plain);
    await old.writer.save(plain);
    expect(await old.writer.settle(5000)).toEqual({ persisted: false, key: keyAt(2, 2) });
    expect(old.types()).toEqual(['fenced']);
  });
});
