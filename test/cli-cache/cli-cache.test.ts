/** Finding and storing CLIs in a store: what is asked, and what happens if it fails. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { SealSecret } from '../../src/checkpoint/seal-secrets.js';
import { type CliCacheOptions, findCli, nameToStore, storeCli } from '../../src/cli-cache/cli-cache.js';
import { hashCli } from '../../src/cli-cache/read-cli.js';
import { createMemoryStore, type MemoryStore } from '../checkpoint/memory-store.js';
import { cleanUpAfterTest } from '../fakes/clean-ups.js';
import { createFakeClock } from '../fakes/clock.js';

const facts = { provider: 'codex', version: '0.169.0', platform: 'linux-x64' };
const secret = (value: string): SealSecret => ({ kind: 'credential', name: 'OPENAI_API_KEY', value });
const own = secret('sk-proj-no-real-key-0123456789abcdef');
const other = secret('sk-proj-other-key-0123456789abcdef');

const forever = () => new Promise(() => undefined);

function newFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'gump-cli-'));
  cleanUpAfterTest(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

function makeCli(content = 'start();\n') {
  const folder = newFolder();
  writeFileSync(join(folder, 'cli.js'), content);
  return folder;
}

function open(store: MemoryStore, secrets: readonly SealSecret[] = [own]): CliCacheOptions {
  return { store, secrets, repositoryId: '4242', clock: createFakeClock({ sleeping: 'waits' }) };
}

/** Stores a CLI as a job does that found `unusable`. */
async function store(options: CliCacheOptions, { content = 'start();\n', unusable = '' } = {}) {
  const folder = makeCli(content);
  const name = (await nameToStore(options, facts, unusable)) ?? '';
  return { name, result: await storeCli(options, { name, folder, hash: await hashCli(folder) }) };
}

describe('a CLI in the cache', () => {
  it('is found and unpacked', async () => {
    const options = open(createMemoryStore());
    expect(await findCli(options, facts)).toEqual({ status: 'none' });
    const { name, result } = await store(options);
    expect(result).toMatchObject({ status: 'stored' });
    const found = await findCli(options, facts);
    if (found.status !== 'found') throw new Error(found.status);
    expect(found.name).toBe(name);
    const folder = newFolder();
    await found.unpack(folder);
    expect(readFileSync(join(folder, 'cli.js'), 'utf8')).toBe('start();\n');
  });

  it('is found with each of the secrets, in one request', async () => {
    const memory = createMemoryStore();
    await store(open(memory, [other]));
    memory.calls.length = 0;
    expect(await findCli(open(memory, [own, other]), facts)).toMatchObject({ status: 'found' });
    expect(memory.calls).toHaveLength(2);
    expect(await findCli(open(memory, [own]), facts)).toEqual({ status: 'none' });
  });

  it('is replaced under the next name if it cannot be used', async () => {
    const memory = createMemoryStore();
    const options = open(memory);
    const first = await store(options);
    memory.entries.set(first.name, Buffer.from('damaged'));
    const found = await findCli(options, facts);
    expect(found).toMatchObject({ status: 'refused', name: first.name });
    const second = await store(options, { unusable: first.name });
    expect([second.name, second.result]).toMatchObject([
      first.name.replace(/1-$/, '2-'),
      { status: 'stored' },
    ]);
    expect(await findCli(options, facts)).toMatchObject({ status: 'found', name: second.name });
  });

  it('is not used if the service does not answer, or the entry cannot be read', async () => {
    const memory = createMemoryStore();
    const options = open(memory);
    const { name } = await store(options);
    memory.onLookup = async () => false;
    expect(await findCli(options, facts)).toEqual({ status: 'unanswered' });
    memory.onLookup = async () => true;
    const { read } = memory;
    Object.assign(memory, { read: async () => undefined });
    expect(await findCli(options, facts)).toMatchObject({ status: 'refused', reason: 'it cannot be read' });
    Object.assign(memory, { read });
    expect(await findCli(options, facts)).toMatchObject({ status: 'found', name });
  });

  it.each([
    ['look-up', 5000, (memory: MemoryStore) => Object.assign(memory, { onLookup: forever })],
    ['download', 60_000, (memory: MemoryStore) => Object.assign(memory, { read: forever })],
  ])('is not waited for longer than it is worth: %s', async (_, ms, hang) => {
    const memory = createMemoryStore();
    const clock = createFakeClock({ sleeping: 'waits' });
    const options = { ...open(memory), clock };
    await store(options);
    hang(memory);
    const finding = findCli(options, facts);
    while (!clock.sleeps.includes(ms)) await new Promise((resolve) => setImmediate(resolve));
    clock.advance(ms);
    expect(await finding).toEqual({ status: 'unanswered' });
  });
});

describe('storing a CLI', () => {
  it('does nothing if another job was first, before or meanwhile', async () => {
    const memory = createMemoryStore();
    const options = open(memory);
    await store(options);
    memory.calls.length = 0;
    expect((await store(options)).result).toEqual({ status: 'not-stored' });
    expect(memory.calls).toEqual(['newest']);
    memory.entries.clear();
    memory.onWrite = async () => false;
    expect((await store(options)).result).toEqual({ status: 'not-stored' });
  });

  it('does nothing if the files are not those of the hash', async () => {
    const memory = createMemoryStore();
    const options = open(memory);
    const name = (await nameToStore(options, facts, undefined)) ?? '';
    const hash = await hashCli(makeCli());
    const folder = makeCli('planted();\n');
    expect(await storeCli(options, { name, folder, hash })).toEqual({ status: 'changed' });
    expect(memory.entries.size).toBe(0);
  });
});
