import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { defaultArchiveLimits } from '../../src/checkpoint/archive.js';
import type { Binding } from '../../src/checkpoint/binding.js';
import { Chain } from '../../src/checkpoint/chain.js';
import { openCheckpoint } from '../../src/checkpoint/checkpoint.js';
import {
  type CheckpointBuilderOptions,
  createCheckpointBuilder,
} from '../../src/checkpoint/checkpoint-builder.js';
import { type CheckpointContents, fromEntries } from '../../src/checkpoint/checkpoint-contents.js';
import { CheckpointWriter, type SealedCheckpoint } from '../../src/checkpoint/checkpoint-writer.js';
import { openChain } from '../../src/checkpoint/open-chain.js';
import { emptyState } from '../../src/journal/run-state.js';
import { openSessionCopies } from '../../src/sessions/session-copies.js';
import { createFakeClock } from '../fakes/clock.js';
import { createMemoryStore } from './memory-store.js';
import { binding, expectedOf, keyAt, stateKey } from './sample.js';

const { sequence: _, ...base } = binding;
const state = { ...emptyState, eventCount: 3 };
let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'gump-checkpointer-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

function setUp(more: Partial<CheckpointBuilderOptions> = {}) {
  const store = createMemoryStore();
  const clock = createFakeClock({ sleeping: 'waits' });
  const writer = new CheckpointWriter({ store, clock, binding: base, onNotice: () => undefined });
  const builder = createCheckpointBuilder({
    checkpointWriter: writer,
    secrets: [stateKey],
    workspace: { pack: async () => Buffer.from('fresh') },
    sessionCopies: openSessionCopies({ directory: join(folder, 'sessions') }),
    chain: new Chain(),
    journal: () => Buffer.from('{}\n'),
    isDisabled: false,
    ...more,
  });
  return { store, saver: writer, builder };
}

it('saves the checkpoint locally after the job is cancelled, even if a save hangs', async () => {
  const cancel = new AbortController();
  const kept: SealedCheckpoint[] = [];
  const keep = async (one: SealedCheckpoint) => void kept.push(one);
  const { store, builder } = setUp({ onCancel: { signal: cancel.signal, saveLocally: keep } });
  store.onWrite = () => new Promise(() => undefined);
  const stored = builder.store(state);
  await expect.poll(() => store.calls).toContain(`write ${keyAt(2, 1)}`);
  expect(kept).toEqual([]);
  cancel.abort();
  await stored;
  expect(kept.map(({ key }) => key)).toEqual([keyAt(2, 2)]);
  await builder.store(state);
  expect(kept).toHaveLength(2);
});

it('reports a failed local save like a failed save', async () => {
  const keep = () => Promise.reject(new Error('no space left'));
  const {
    store,
    saver: writer,
    builder,
  } = setUp({ onCancel: { signal: AbortSignal.abort(), saveLocally: keep } });
  await builder.store(state);
  expect((await writer.settle(1000)).persisted).toBe(true);
  expect(store.entries.size).toBe(1);
});

it.each([
  ['the objects', { pack: () => Promise.reject(new Error('gone')) }, []],
  ['a session', { pack: async () => Buffer.from('fresh') }, ['a']],
])('seals the fallback contents if %s cannot be read', async (_what, workspace, ids) => {
  const sessions = ids.map((id) => ({ provider: 'claude', id, path: 'x', content: Buffer.from('x') }));
  const kept: CheckpointContents = { journal: Buffer.from('kept'), packs: [Buffer.from('kept')], sessions };
  const { store, builder } = setUp({ workspace, findFallback: async () => kept });
  await builder.store(state);
  const [sealed] = store.entries.values();
  expect(await contentsOf({ ...binding, sequence: 1 }, sealed)).toEqual(kept);
});

it('reports the size of a checkpoint while agents are at work, and does not store one that is too large', async () => {
  const { store, builder } = setUp();
  const sizes: number[] = [];
  const onSealed = (bytes: number) => void sizes.push(bytes);
  await builder.store(state, { maxBytes: 10, onSealed });
  expect(store.entries.size).toBe(0);
  await builder.store(state, { maxBytes: 1_000_000, onSealed });
  const [sealed] = store.entries.values();
  expect(sizes).toEqual([sealed?.length, sealed?.length]);
});

it('stores none while agents are at work if the job is cancelled', async () => {
  const saveLocally = async () => undefined;
  const { store, builder } = setUp({ onCancel: { signal: AbortSignal.abort(), saveLocally } });
  await builder.store(state, { maxBytes: 1_000_000, onSealed: () => undefined });
  expect(store.calls).toEqual([]);
});
/** The contents of an entry that builds on no other one. */
async function contentsOf(
  bound: Binding,
  sealed: Buffer = Buffer.alloc(0),
): Promise<CheckpointContents | undefined> {
  const expected = expectedOf(bound);
  const opened = await openCheckpoint(sealed, [stateKey], expected);
  if (opened.status !== 'opened') throw new Error(opened.reason);
  const read = () => Promise.reject(new Error('it builds on another entry'));
  const end = { ...opened, key: expected.key, sealed };
  const chain = await openChain(end, { expected, limits: defaultArchiveLimits, read });
  return chain.status === 'opened' ? fromEntries(chain.entries) : undefined;
}
