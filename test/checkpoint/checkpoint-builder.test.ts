import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { defaultArchiveLimits } from '../../src/checkpoint/archive.js';
import { type Binding, keyOf } from '../../src/checkpoint/binding.js';
import { Chain } from '../../src/checkpoint/chain.js';
import { openCheckpoint } from '../../src/checkpoint/checkpoint.js';
import {
  type CheckpointBuilderOptions,
  createCheckpointBuilder,
} from '../../src/checkpoint/checkpoint-builder.js';
import { type CheckpointContents, fromEntries } from '../../src/checkpoint/checkpoint-contents.js';
import type { CheckpointStore } from '../../src/checkpoint/checkpoint-store.js';
import { CheckpointWriter, type SealedCheckpoint } from '../../src/checkpoint/checkpoint-writer.js';
import { openChain } from '../../src/checkpoint/open-chain.js';
import { emptyState, type RunState, type StepState } from '../../src/journal/run-state.js';
import { openSessionCopies } from '../../src/sessions/session-copies.js';
import type { SessionRef } from '../../src/sessions/session-store.js';
import type { Snapshot } from '../../src/workspace/workspace.js';
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
  const chain = new Chain();
  const writer = new CheckpointWriter({
    store,
    clock,
    binding: base,
    onStored: (key) => chain.confirm(key),
    onNotice: () => undefined,
  });
  const builder = createCheckpointBuilder({
    checkpointWriter: writer,
    secrets: [stateKey],
    workspace: { pack: async () => Buffer.from('fresh') },
    sessionCopies: openSessionCopies({ directory: join(folder, 'sessions') }),
    chain,
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

/** A state with one attempt, which used session `a` and recorded this snapshot. */
function stateWith(snapshot: Snapshot): RunState {
  const attempt = { provider: 'claude', session: { id: 'a' }, order: 1, snapshot };
  const step = { startSnapshot: snapshot, attempts: [attempt] } as unknown as StepState;
  return { ...state, steps: new Map([['build', step]]) };
}

it('packs and reads only what the stored checkpoint does not contain', async () => {
  const packed: (readonly string[])[] = [];
  const pack = async (_all: readonly Snapshot[], before: readonly string[] = []) => {
    packed.push(before);
    return Buffer.from(`pack ${packed.length}`);
  };
  const directory = join(folder, 'sessions');
  const altered: SessionRef[] = [];
  const sessionCopies = openSessionCopies({ directory, onAltered: (session) => void altered.push(session) });
  const ref = { provider: 'claude', id: 'a' };
  await sessionCopies.replace(ref, [{ path: 'x.jsonl', content: Buffer.from('said') }]);
  const { store, builder } = setUp({ workspace: { pack }, sessionCopies });
  const [one, two, three] = ['1', '2', '3'].map((digit) => digit.repeat(40)) as [string, string, string];
  await builder.store(stateWith({ base: one, commit: two }));
  // What is not read cannot be missed.
  rmSync(directory, { recursive: true });
  await builder.store(stateWith({ base: one, commit: three }));
  expect(altered).toEqual([]);
  expect(packed).toEqual([[], [one, two]]);
  const last = { ...binding, sequence: 2 };
  const contents = await contentsOf(last, store.entries.get(keyOf(last)), store);
  expect(contents?.sessions).toEqual([{ ...ref, path: 'x.jsonl', content: Buffer.from('said') }]);
  expect(contents?.packs.map(String)).toEqual(['pack 1', 'pack 2']);
});

it('packs everything again if a commit of the stored checkpoint is not in the repository', async () => {
  const pack = async (_all: readonly Snapshot[], before: readonly string[] = []) => {
    if (before.length > 0) throw new Error('bad object');
    return Buffer.from('all');
  };
  const { store, builder, saver } = setUp({ workspace: { pack } });
  await builder.store({ ...state, steps: stateWith({ base: '1', commit: '2' }).steps });
  await builder.store({ ...state, steps: stateWith({ base: '1', commit: '3' }).steps });
  expect((await saver.settle(1000)).persisted).toBe(true);
  expect(store.entries.size).toBe(2);
});

/** The contents of an entry, and of those in `store` on which it builds. */
async function contentsOf(
  bound: Binding,
  sealed: Buffer = Buffer.alloc(0),
  store?: CheckpointStore,
): Promise<CheckpointContents | undefined> {
  const expected = expectedOf(bound);
  const opened = await openCheckpoint(sealed, [stateKey], expected);
  if (opened.status !== 'opened') throw new Error(opened.reason);
  const read = async (key: string) => store?.read(key);
  const end = { ...opened, key: expected.key, sealed };
  const chain = await openChain(end, { expected, limits: defaultArchiveLimits, read });
  return chain.status === 'opened' ? fromEntries(chain.entries) : undefined;
}
