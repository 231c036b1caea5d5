/** Reading before anybody asks: the same answers, and none of them twice. */
import { setImmediate as turn } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { type Binding, keyOf } from '../../src/checkpoint/binding.js';
import { attemptPrefixes } from '../../src/checkpoint/checkpoint-key.js';
import { readEarly } from '../../src/checkpoint/early-reads.js';
import { restore } from '../../src/checkpoint/restore.js';
import { openBinding, seal } from '../../src/checkpoint/seal.js';
import { createFakeClock } from '../fakes/clock.js';
import { createMemoryStore, type MemoryStore } from './memory-store.js';
import { binding, credential, expectedOf, stateKey } from './sample.js';
import { sealingSecrets, storeChain } from './stored-chain.js';

const clock = createFakeClock({ sleeping: 'waits' });

function requestOf(store: MemoryStore, change: Partial<Parameters<typeof readEarly>[0]> = {}) {
  const { key: _key, ...expected } = expectedOf(binding);
  return { store, secrets: sealingSecrets, expected, jobAttempt: 3, isShared: false, ...change };
}

async function storeOf(count: number, bound: Binding = binding) {
  const store = createMemoryStore();
  const { entries } = await storeChain(count, bound);
  for (const [key, sealed] of entries) store.entries.set(key, sealed);
  return { store, keys: [...entries.keys()] };
}

/** Until no call begins another one. */
async function settle(): Promise<void> {
  for (let turns = 0; turns < 20; turns += 1) await turn();
}

it('has read the newest checkpoint with its whole chain before it is opened, and each entry once', async () => {
  const { store, keys } = await storeOf(4);
  const request = requestOf(store);
  const early = readEarly(request);
  await settle();
  const read = ['newest', ...[...keys.slice(3), ...keys.slice(0, 3)].map((key) => `read ${key}`)];
  expect(store.calls).toEqual(read);
  const restored = await restore({ ...request, store: early, clock });
  expect(restored).toMatchObject({ status: 'opened', key: keys[3], refused: [] });
  expect(store.calls).toEqual(read);
});

it('reads no more than the newest entry if no secret authenticates its list', async () => {
  const { store, keys } = await storeOf(3);
  readEarly(requestOf(store, { secrets: [stateKey] }));
  await settle();
  expect(store.calls).toEqual(['newest', `read ${keys[2]}`]);
});

it('only looks up if the newest checkpoint is of this job attempt', async () => {
  const { store, keys } = await storeOf(1, { ...binding, jobAttempt: 3 });
  const request = requestOf(store);
  const early = readEarly(request);
  await settle();
  expect(store.calls).toEqual(['newest']);
  expect(await restore({ ...request, store: early, clock })).toEqual({ status: 'none', seen: keys[0] });
  readEarly(requestOf(store, { isShared: true }));
  await settle();
  expect(store.calls).toContain(`read ${keys[0]}`);
});

it('gives each answer once, and then asks the store', async () => {
  const { store, keys } = await storeOf(1);
  const request = requestOf(store);
  const early = readEarly(request);
  const prefixes = attemptPrefixes(request.expected, 3);
  expect(await early.findNewest(prefixes.slice(1))).toBe(keys[0]);
  expect(await early.findNewest(prefixes)).toBe(keys[0]);
  await settle();
  store.entries.clear();
  expect(await early.read(keys[0] ?? '')).toBeDefined();
  expect(await early.read(keys[0] ?? '')).toBeUndefined();
  expect(await early.findNewest(prefixes)).toBeUndefined();
});

it('passes on why there was no answer, until the store is asked again', async () => {
  const { store, keys } = await storeOf(1);
  const request = requestOf(store);
  store.onLookup = async () => false;
  const early = readEarly(request);
  await settle();
  store.onLookup = async () => true;
  // Another use of the store must not hide it.
  await store.findNewest(['gump-']);
  const prefixes = attemptPrefixes(request.expected, 3);
  expect(await early.findNewest(prefixes)).toBeUndefined();
  expect(early.lastError?.()).toBe('the memory did not answer');
  expect(early.lastFailure?.()).toMatchObject({ message: 'the memory did not answer' });
  expect(await early.findNewest(prefixes)).toBe(keys[0]);
  expect(early.lastError?.()).toBeUndefined();
});

it('reports the error of a store that rejects as one without an answer', async () => {
  const { store, keys } = await storeOf(2);
  const broken = { ...store, read: () => Promise.reject(new Error('broken')) };
  const early = readEarly({ ...requestOf(store), store: broken });
  await settle();
  expect(await early.read(keys[1] ?? '')).toBeUndefined();
  expect(early.lastError?.()).toBe('broken');
});

it('believes a binding only if a secret authenticates it', () => {
  const secrets = [credential('X', 'a secret of a length')];
  const bound = { ...binding, chain: [{ key: keyOf(binding), sha256: 'a'.repeat(64) }] };
  const sealed = seal(Buffer.from('text'), bound, secrets);
  expect(openBinding(sealed, secrets)).toEqual(bound);
  expect(openBinding(sealed, sealingSecrets)).toBeUndefined();
  const forged = Buffer.from(sealed);
  forged.write('b', sealed.indexOf('a'.repeat(64)));
  expect(openBinding(forged, secrets)).toBeUndefined();
  for (const length of [0, 7, 12, 40, 100])
    expect(openBinding(sealed.subarray(0, length), secrets)).toBeUndefined();
});
