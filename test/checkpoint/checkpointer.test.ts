import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { openCheckpoint } from '../../src/checkpoint/checkpoint.js';
import { type CheckpointerOptions, createCheckpointer } from '../../src/checkpoint/checkpointer.js';
import { type Contents, fromEntries } from '../../src/checkpoint/contents.js';
import { Saver, type SealedCheckpoint } from '../../src/checkpoint/saver.js';
import { emptyState } from '../../src/journal/state.js';
import { openSessionShelf } from '../../src/sessions/session-shelf.js';
import { createFakeClock } from '../fakes/clock.js';
import { createMemoryStore } from './memory-store.js';
import { binding, expectedOf, keyAt, stateKey } from './sample.js';

const { sequence: _, ...base } = binding;
const state = { ...emptyState, events: 3 };
let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'gump-checkpointer-'));
  writeFileSync(join(folder, 'journal'), '{}\n');
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

function setUp(more: Partial<CheckpointerOptions> = {}) {
  const store = createMemoryStore();
  const clock = createFakeClock({ sleeping: 'waits' });
  const saver = new Saver({ store, clock, binding: base, onNotice: () => undefined });
  const checkpointer = createCheckpointer({
    saver,
    secrets: [stateKey],
    workspace: { pack: async () => Buffer.from('fresh') },
    shelf: openSessionShelf(join(folder, 'sessions')),
    journalFile: join(folder, 'journal'),
    isOff: false,
    ...more,
  });
  return { store, saver, checkpointer };
}

it('keeps what is sealed once the job is cancelled, also where a save hangs already', async () => {
  const cancel = new AbortController();
  const kept: SealedCheckpoint[] = [];
  const keep = async (one: SealedCheckpoint) => void kept.push(one);
  const { store, checkpointer } = setUp({ urgency: { signal: cancel.signal, keep } });
  store.onWrite = () => new Promise(() => undefined);
  const stored = checkpointer.store(state);
  await expect.poll(() => store.calls).toContain(`write ${keyAt(2, 1)}`);
  expect(kept).toEqual([]);
  cancel.abort();
  await stored;
  expect(kept.map(({ key }) => key)).toEqual([keyAt(2, 2)]);
  await checkpointer.store(state);
  expect(kept).toHaveLength(2);
});

it('tells in the usual way what cannot be kept', async () => {
  const keep = () => Promise.reject(new Error('no space left'));
  const { store, saver, checkpointer } = setUp({ urgency: { signal: AbortSignal.abort(), keep } });
  await checkpointer.store(state);
  expect((await saver.settle(1000)).persisted).toBe(true);
  expect(store.entries.size).toBe(1);
});

it.each([
  ['the objects', { pack: () => Promise.reject(new Error('gone')) }, []],
  ['a session', { pack: async () => Buffer.from('fresh') }, ['a']],
])('seals what was kept where %s cannot be had any more', async (_what, workspace, ids) => {
  const sessions = ids.map((id) => ({ provider: 'claude', id, path: 'x', content: Buffer.from('x') }));
  const kept: Contents = { journal: Buffer.from('kept'), pack: Buffer.from('kept'), sessions };
  const { store, checkpointer } = setUp({ workspace, kept });
  await checkpointer.store(state);
  const [sealed] = store.entries.values();
  const opened = await openCheckpoint(
    sealed ?? Buffer.alloc(0),
    [stateKey],
    expectedOf({ ...binding, sequence: 1 }),
  );
  expect(opened.status === 'opened' && fromEntries(opened.entries)).toEqual(kept);
});
