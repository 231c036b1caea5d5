/** All parts together: a job stores, and another machine continues from it. */

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { createCacheStore } from '../../src/checkpoint/cache-store.js';
import { sealCheckpoint } from '../../src/checkpoint/checkpoint.js';
import { newWriter } from '../../src/checkpoint/checkpoint-key.js';
import type { CheckpointStore } from '../../src/checkpoint/checkpoint-store.js';
import { CheckpointWriter, type SealFunction } from '../../src/checkpoint/checkpoint-writer.js';
import { readOrCreateDirectoryKey } from '../../src/checkpoint/directory-key.js';
import { createDirectoryStore } from '../../src/checkpoint/directory-store.js';
import { restore } from '../../src/checkpoint/restore.js';
import { chooseSecrets, type SealSecret } from '../../src/checkpoint/seal-secrets.js';
import { defined } from '../../src/optional-keys.js';
import { systemClock } from '../../src/system/clock.js';
import { startCacheProcess } from './cache-process.js';
import { binding, expectedOf } from './sample.js';

const cleanUps: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0)) await cleanUp();
});

/** Simulates one job: restores, adds its own file, stores, and returns what it restored. */
async function runJob(store: CheckpointStore, secrets: readonly SealSecret[], jobAttempt: number) {
  const restored = await restore({
    store,
    secrets,
    expected: expectedOf(binding),
    jobAttempt,
    isShared: true,
    clock: systemClock,
  });
  const entries = restored.status === 'opened' ? restored.entries : [];
  const { sequence: _, ...base } = { ...binding, jobAttempt, writer: newWriter() };
  const seen = restored.status === 'none' ? undefined : restored.seen;
  const writer = new CheckpointWriter({
    store,
    clock: systemClock,
    binding: base,
    ...defined({ seen }),
    onNotice: (notice) => expect.unreachable(notice.type),
  });
  const file = {
    path: `sessions/${entries.length}.jsonl`,
    content: Buffer.from(`job attempt ${jobAttempt}`),
  };
  const make: SealFunction = (bound) => sealCheckpoint([...entries, file], bound, secrets);
  await writer.save(make);
  const settled = await writer.settle(5_000);
  expect(settled.persisted).toBe(true);
  return { found: entries.map(({ content }) => content.toString()), key: settled.key ?? '', restored };
}

describe('with the Actions cache', () => {
  it('a job continues from what another machine stored, and skips altered checkpoints', async () => {
    const cache = await startCacheProcess();
    cleanUps.push(() => cache.close());
    const secrets = chooseSecrets({ stateKeys: ['a state key of enough length'], credentials: [] });
    const store = () => createCacheStore({ directory: cache.directory, env: cache.env, tools: cache.tools });
    const first = await runJob(store(), secrets, 1);
    await cache.moveToNewMachine();
    const second = await runJob(store(), secrets, 2);
    expect([first.found, second.found]).toEqual([[], ['job attempt 1']]);
    const [entry] = cache.service.entries().filter(({ key }) => key === first.key);
    cache.service.corrupt(second.key, () => entry?.body ?? Buffer.alloc(0));
    await cache.moveToNewMachine();
    const third = await runJob(store(), secrets, 3);
    expect(third.found).toEqual(['job attempt 1']);
    expect(third.restored).toMatchObject({
      key: first.key,
      refused: [{ key: second.key, reason: 'key-mismatch' }],
    });
  });
});

describe('with a directory', () => {
  it('jobs of one job attempt use a state one after the other, with the key file next to it', async () => {
    const path = await mkdtemp(join(tmpdir(), 'gump-round-'));
    cleanUps.push(() => rm(path, { recursive: true, force: true }));
    const play = async () => {
      const secrets = chooseSecrets({
        stateKeys: [],
        credentials: [],
        keyFile: await readOrCreateDirectoryKey(path),
      });
      return runJob(createDirectoryStore(path), secrets, 1);
    };
    const jobs = [await play(), await play(), await play()];
    expect(jobs.map(({ found }) => found.length)).toEqual([0, 1, 2]);
    expect(jobs.map(({ key }) => key.split('-')[5])).toEqual(['s000001', 's000002', 's000003']);
  });
});
