/** What only the Actions cache does: refusals, errors, foreign entries, log output. */
import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterEach, describe, expect, it } from 'vitest';
import { cacheAvailability } from '../../src/checkpoint/cache-availability.js';
import { cachedCliName, cachedName, prepareCacheClient } from '../../src/checkpoint/cache-client.js';
import { createCacheStore } from '../../src/checkpoint/cache-store.js';
import type { CheckpointStore } from '../../src/checkpoint/checkpoint-store.js';
import { cleanUpAfterTest } from '../fakes/clean-ups.js';
import { makeToken } from '../rig/cache/token.js';
import { type CacheProcess, startCacheProcess } from './cache-process.js';
import { keyAt } from './sample.js';

// Installed before the store installs its filter: what arrives here would be in the log.
const printed: string[] = [];
const write = process.stdout.write.bind(process.stdout);
process.stdout.write = ((chunk: string, ...rest: never[]) => {
  printed.push(String(chunk));
  return write(chunk, ...rest);
}) as typeof process.stdout.write;

let cache: CacheProcess | undefined;
afterEach(async () => {
  await cache?.close();
  cache = undefined;
});

async function start(
  ...grant: Parameters<typeof startCacheProcess>
): Promise<{ cache: CacheProcess; store: CheckpointStore }> {
  cache = await startCacheProcess(...grant);
  return {
    cache,
    store: createCacheStore({ directory: cache.directory, env: cache.env, tools: cache.tools }),
  };
}

const sealed = Buffer.from('sealed');

describe('a save that fails', () => {
  it('reports that the token is read-only', async () => {
    const { store } = await start({ repository: 'o/r', read: ['refs/heads/main'], isSilent: true });
    expect(await store.write(keyAt(1, 1), sealed)).toBe(false);
    expect(store.lastError?.()).toContain('cache write denied: token has no writable scopes');
  });

  it.each([
    [409, 'Conflict'],
    [429, 'Rate limited'],
    [403, 'Forbidden'],
  ])('reports the real reason of status %i', async (status, reason) => {
    const { cache, store } = await start();
    cache.service.injectFault('create', { status });
    expect(await store.write(keyAt(1, 1), sealed)).toBe(false);
    expect(store.lastError?.()).toContain(reason);
    expect(store.lastError?.()).toContain(String(status));
    expect(store.lastFailure?.()?.isTaken).toBe(status === 409 ? true : undefined);
    cache.service.clearFaults();
    expect(await store.write(keyAt(1, 2), sealed)).toBe(true);
    expect(store.lastError?.()).toBeUndefined();
  });

  it('reports that the key exists, whether an entry is stored under it or only an upload was begun', async () => {
    const { cache, store } = await start();
    const taken = { isTaken: true, message: expect.stringContaining('already exists') };
    expect(await store.write(keyAt(1, 1), sealed)).toBe(true);
    expect(await store.write(keyAt(1, 1), Buffer.from('other'))).toBe(false);
    expect(store.lastFailure?.()).toMatchObject(taken);
    cache.service.injectFault('upload', { status: 403 });
    expect(await store.write(keyAt(1, 2), sealed)).toBe(false);
    expect(store.lastFailure?.()?.isTaken).toBeUndefined();
    cache.service.clearFaults();
    expect(await store.write(keyAt(1, 2), sealed)).toBe(false);
    expect(store.lastFailure?.()).toMatchObject(taken);
    expect([await store.read(keyAt(1, 1)), await store.read(keyAt(1, 2))]).toEqual([sealed, undefined]);
  });

  it.each([
    ['create', { status: 500 }, undefined],
    ['finalize', { status: 409 }, undefined],
    ['upload', { status: 409 }, undefined],
    ['create', { status: 409, message: 'cache entry already exists' }, true],
  ] as const)('reports a refused key only if %s answers %o: %s', async (operation, fault, isTaken) => {
    const { cache, store } = await start();
    cache.service.injectFault(operation, { ...fault, times: 1 });
    const isStored = await store.write(keyAt(1, 1), sealed);
    // The client repeats a request after a status of 500.
    expect(isStored).toBe('status' in fault && fault.status === 500);
    expect(store.lastFailure?.()?.isTaken).toBe(isTaken);
  });

  it('does not know it if the refusal has no reason', async () => {
    const { cache, store } = await start();
    cache.service.injectFault('create', { reset: true });
    expect(await store.write(keyAt(1, 1), sealed)).toBe(false);
    expect(store.lastFailure?.()?.isTaken).toBeUndefined();
  });

  it('returns false if the connection breaks', async () => {
    const { cache, store } = await start();
    cache.service.injectFault('create', { reset: true });
    expect(await store.write(keyAt(1, 1), sealed)).toBe(false);
    expect(store.lastError?.()).toEqual(expect.any(String));
  });

  it('returns false if the disk refuses the file', async () => {
    const { cache, store } = await start();
    await writeFile(`${cache.directory}-is-a-file`, '');
    const elsewhere = createCacheStore({
      directory: `${cache.directory}-is-a-file`,
      env: cache.env,
      tools: cache.tools,
    });
    expect(await elsewhere.write(keyAt(1, 1), sealed)).toBe(false);
    expect(elsewhere.lastError?.()).toContain('ENOTDIR');
    expect(await store.write(keyAt(1, 1), sealed)).toBe(true);
  });
});

describe('a look-up', () => {
  it('without an answer differs from one that finds nothing', async () => {
    const { cache, store } = await start();
    cache.service.injectFault('lookup', { reset: true, times: 1 });
    expect(await store.findNewest([keyAt(1, 1)])).toBeUndefined();
    expect(store.lastError?.()).toEqual(expect.any(String));
    expect(await store.findNewest([keyAt(1, 1)])).toBeUndefined();
    expect(store.lastError?.()).toBeUndefined();
  });

  it('sends at most as many keys as the client accepts', async () => {
    const { cache, store } = await start();
    const prefixes = Array.from(
      { length: 23 },
      (_, index) => `${keyAt(1, 1).split('-a1-')[0]}-a${23 - index}-`,
    );
    await store.findNewest(prefixes);
    const requestedKeys = cache.service.requests().map(({ key, restoreKeys = [] }) => [key, ...restoreKeys]);
    expect(requestedKeys.flat()).toEqual(prefixes);
    expect(requestedKeys.map((keys) => keys.length)).toEqual([10, 10, 3]);
  });
});

describe('an entry', () => {
  it('has the same version for all tools of the machine', async () => {
    const { cache, store } = await start();
    await store.write(keyAt(1, 1), sealed);
    const directory = await cache.moveToNewMachine();
    await createCacheStore({ directory, env: cache.env, tools: cache.tools }).write(keyAt(1, 2), sealed);
    const versions = new Set(cache.service.entries().map((entry) => entry.version));
    expect(versions.size).toBe(1);
    expect(cache.service.entries()).toHaveLength(2);
  });

  it('leaves nothing behind in the client’s directory', async () => {
    const { cache, store } = await start();
    await store.write(keyAt(1, 1), sealed);
    await store.read(keyAt(1, 1));
    expect(await readdir(cache.directory)).not.toContain(cachedName);
  });

  it('is not returned if it is damaged', async () => {
    const { cache, store } = await start();
    await store.write(keyAt(1, 1), sealed);
    cache.service.corrupt(keyAt(1, 1), (body) => body.subarray(0, body.length - 12));
    expect(await store.read(keyAt(1, 1))).toBeUndefined();
    expect(store.lastError?.()).toContain('failed');
  });
});

/** A gzipped tar of regular files with these names. `tar` itself refuses some of them. */
function forgeTar(files: Readonly<Record<string, string>>): Buffer {
  const blocks = Object.entries(files).flatMap(([name, content]) => {
    const head = Buffer.alloc(512);
    head.write(name, 0);
    head.write('0000644\0', 100);
    head.write(`${content.length.toString(8).padStart(11, '0')}\0`, 124);
    head.write('00000000000\0        0ustar\x0000', 136);
    const sum = head.reduce((total, byte) => total + byte, 0);
    head.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148);
    const body = Buffer.alloc(Math.ceil(content.length / 512) * 512);
    body.write(content);
    return [head, body];
  });
  return gzipSync(Buffer.concat([...blocks, Buffer.alloc(1024)]));
}

/** A gzipped tar of what is in `folder` under the name of a checkpoint. */
function packTar(folder: string): Buffer {
  return execFileSync('/usr/bin/env', ['PATH=/usr/bin:/bin', 'tar', '-cz', '-f', '-', cachedName], {
    cwd: folder,
  });
}

describe('entries', () => {
  it('are read at the same time, and also while another one is stored', async () => {
    const { store } = await start();
    const keys = [1, 2, 3, 4].map((sequence) => keyAt(1, sequence));
    for (const key of keys) await store.write(key, Buffer.from(`content of ${key}`));
    const [written, ...read] = await Promise.all([
      store.write(keyAt(1, 5), sealed),
      ...keys.map((key) => store.read(key)),
    ]);
    expect(written).toBe(true);
    expect(read.map(String)).toEqual(keys.map((key) => `content of ${key}`));
  });
});

describe('an entry from somebody else', () => {
  async function replace(make: (folder: string) => Promise<Buffer>) {
    const { cache, store } = await start();
    await store.write(keyAt(1, 1), sealed);
    const folder = join(dirname(cache.directory), 'attacker');
    await mkdir(folder, { recursive: true });
    const body = await make(folder);
    cache.service.corrupt(keyAt(1, 1), () => body);
    return { cache, store, folder };
  }

  it('writes to no other path', async () => {
    const { cache, store, folder } = await replace(async (folder) =>
      forgeTar({
        [join(folder, 'planted')]: 'evil',
        '../evil': 'evil',
        outside: 'evil',
        [cachedName]: 'sealed by somebody',
      }),
    );
    expect(String(await store.read(keyAt(1, 1)))).toBe('sealed by somebody');
    expect(existsSync(join(folder, 'planted'))).toBe(false);
    expect(existsSync(join(dirname(cache.directory), 'evil'))).toBe(false);
    expect(existsSync(join(cache.directory, 'outside'))).toBe(false);
  });

  it('is not followed if it is a link', async () => {
    const { store } = await replace(async (folder) => {
      await writeFile(join(folder, 'secret'), 'of the runner');
      await symlink(join(folder, 'secret'), join(folder, cachedName));
      return packTar(folder);
    });
    expect(await store.read(keyAt(1, 1))).toBeUndefined();
  });

  it('is not used if it is a directory, nor anything in it', async () => {
    const { cache, store } = await replace(async (folder) => {
      await mkdir(join(folder, cachedName));
      await writeFile(join(folder, cachedName, 'evil'), 'evil');
      return packTar(folder);
    });
    expect(await store.read(keyAt(1, 1))).toBeUndefined();
    expect(existsSync(join(cache.directory, cachedName))).toBe(false);
  });
});

describe('the log', () => {
  async function linesOf(env: Readonly<Record<string, string>>): Promise<readonly string[]> {
    const { cache } = await start();
    const store = createCacheStore({
      directory: cache.directory,
      env: { ...cache.env, ...env },
      tools: cache.tools,
    });
    printed.length = 0;
    await store.write(keyAt(1, 1), sealed);
    await store.findNewest([keyAt(1, 1)]);
    await store.read(keyAt(1, 1));
    return printed
      .join('')
      .split('\n')
      .filter((line) => line !== '' && !line.startsWith('::add-mask::'));
  }

  it('contains no output of the client', async () => {
    expect(await linesOf({})).toEqual([]);
  });

  it('contains it if the job is debugged', async () => {
    const text = (await linesOf({ RUNNER_DEBUG: '1' })).join('\n');
    expect(text).toContain('[command]');
    expect(text).toContain('Cache restored successfully');
  });
});

describe('the prepared process', () => {
  it('may be prepared again, and then works as before', async () => {
    const { cache, store } = await start();
    prepareCacheClient(cache.directory, process.env);
    expect(await store.write(keyAt(1, 1), sealed)).toBe(true);
    expect(String(await store.read(keyAt(1, 1)))).toBe('sealed');
  });
});

describe('the tools of the machine', () => {
  /** A folder for PATH with these programs only. */
  async function folderOf(programs: Readonly<Record<string, string>>): Promise<string> {
    const folder = await mkdtemp(join(tmpdir(), 'gump-tools-'));
    cleanUpAfterTest(() => rm(folder, { recursive: true, force: true }));
    for (const [name, text] of Object.entries(programs))
      if (text.startsWith('/')) await symlink(text, join(folder, name));
      else await writeFile(join(folder, name), text, { mode: 0o755 });
    return folder;
  }
  const pathOf = (name: string) =>
    execFileSync('/bin/sh', ['-c', `command -v ${name}`], { encoding: 'utf8' }).trim();
  // Found before a test changes PATH.
  const system = { sh: pathOf('sh'), gzip: pathOf('gzip'), tar: pathOf('tar') };
  const busybox = ['/bin/busybox', '/usr/bin/busybox'].find(existsSync);
  // Knows only the options that every `tar` has, in one word each.
  const plainTar = () =>
    `#!/bin/sh\nfor a do case "$a" in -czf | -xzf | -tzf | -C) ;; -*) echo "tar: unrecognized option: $a" >&2; exit 1;; esac; done\nexec ${system.tar} "$@"\n`;

  it.each([
    ['a tar that knows only plain options', () => ({ ...system, tar: plainTar() })],
    ...(busybox === undefined
      ? []
      : ([['busybox (Alpine)', () => ({ sh: busybox, gzip: busybox, tar: busybox })]] as const)),
  ] as const)('may be %s, and the entries are the same', async (_name, programs) => {
    const { cache, store } = await start();
    await store.write(keyAt(1, 1), sealed);
    const folder = await folderOf(programs());
    const directory = await cache.moveToNewMachine(folder);
    const other = createCacheStore({ directory, env: cache.env, tools: cache.tools });
    expect(await other.write(keyAt(1, 2), Buffer.from('from there')), other.lastError?.()).toBe(true);
    expect(String(await other.read(keyAt(1, 1)))).toBe('sealed');
    const back = await cache.moveToNewMachine();
    const first = createCacheStore({ directory: back, env: cache.env, tools: cache.tools });
    expect(String(await first.read(keyAt(1, 2)))).toBe('from there');
  });

  it.each([
    [['tar'], '`tar` not found on PATH'],
    [['gzip'], '`gzip` not found on PATH'],
    [['tar', 'gzip'], '`gzip` and `tar` not found on PATH'],
  ])('without %j: the cache is unavailable, which is known without a request', async (without, text) => {
    const { cache } = await start();
    const programs = Object.fromEntries(Object.entries(system).filter(([name]) => !without.includes(name)));
    const directory = await cache.moveToNewMachine(await folderOf(programs));
    const store = createCacheStore({ directory, env: cache.env, tools: cache.tools });
    expect([store.unwritableReason, store.unreadableReason]).toEqual([
      expect.stringContaining(text),
      expect.stringContaining(text),
    ]);
  });

  it('are written anew before each use', async () => {
    const { cache, store } = await start();
    const tools = join(cache.directory, 'bin');
    const trace = join(cache.directory, 'trace');
    const spoil = async () => {
      for (const name of ['tar', 'gzip', 'zstd']) {
        await rm(join(tools, name), { force: true });
        await writeFile(join(tools, name), `#!/bin/sh\nid > ${trace}\n`, { mode: 0o755 });
      }
    };
    await spoil();
    expect(await store.write(keyAt(1, 1), sealed)).toBe(true);
    await spoil();
    expect(String(await store.read(keyAt(1, 1)))).toBe('sealed');
    expect(existsSync(trace)).toBe(false);
    await rm(tools, { recursive: true });
    await symlink(dirname(cache.directory), tools);
    expect(await store.write(keyAt(1, 2), sealed)).toBe(true);
  });

  it('are not used if they were replaced', async () => {
    const { cache } = await start();
    const folder = await folderOf({ ...system, tar: plainTar() });
    const directory = await cache.moveToNewMachine(folder);
    const store = createCacheStore({ directory, env: cache.env, tools: cache.tools });
    expect(await store.write(keyAt(1, 1), sealed)).toBe(true);
    await writeFile(join(folder, 'tar'), `${plainTar()}# changed\n`);
    expect(await store.write(keyAt(1, 2), sealed)).toBe(false);
    expect(store.lastError?.()).toBe(
      `the program \`tar\` (${join(folder, 'tar')}) was replaced during the run`,
    );
  });
});

describe('the availability of the cache', () => {
  const there = {
    GITHUB_SERVER_URL: 'https://github.com',
    ACTIONS_CACHE_SERVICE_V2: 'True',
    ACTIONS_RESULTS_URL: 'https://results.example/',
    ACTIONS_RUNTIME_TOKEN: 'token',
  };

  it.each([
    [{}, false, false],
    [{ ACTIONS_CACHE_MODE: 'write' }, false, false],
    [{ ACTIONS_CACHE_MODE: 'something-new' }, false, false],
    [{ ACTIONS_CACHE_MODE: 'read' }, true, false],
    [{ ACTIONS_CACHE_MODE: ' Read ' }, true, false],
    [{ ACTIONS_CACHE_MODE: 'write-only' }, false, true],
    [{ ACTIONS_CACHE_MODE: 'none' }, true, true],
    [{ ACTIONS_RESULTS_URL: '' }, true, true],
    [{ ACTIONS_RUNTIME_TOKEN: undefined }, true, true],
    [{ ACTIONS_CACHE_SERVICE_V2: undefined }, true, true],
    [{ GITHUB_SERVER_URL: 'https://git.company.example' }, true, true],
    [
      { GITHUB_SERVER_URL: 'https://git.company.example', ACTIONS_CACHE_URL: 'https://cache.example/' },
      false,
      false,
    ],
    [{ GITHUB_SERVER_URL: 'https://company.ghe.com' }, false, false],
    // nektos/act (0.2.89): version 1 of the protocol, without a token, on github.com.
    [
      {
        ACTIONS_CACHE_SERVICE_V2: undefined,
        ACTIONS_RESULTS_URL: undefined,
        ACTIONS_RUNTIME_TOKEN: undefined,
        ACTIONS_CACHE_URL: 'http://cache.example/',
      },
      false,
      false,
    ],
  ])('with %o: unwritable %s, unreadable %s', (change, unwritable, unreadable) => {
    const availability = cacheAvailability({ ...there, ...change });
    expect([
      availability.unwritableReason !== undefined,
      availability.unreadableReason !== undefined,
    ]).toEqual([unwritable, unreadable]);
  });

  it('ends with what to do', () => {
    expect(cacheAvailability({ ...there, ACTIONS_CACHE_MODE: 'read' }).unwritableReason).toContain(
      '`cache-mode: write`',
    );
    expect(cacheAvailability({}).unwritableReason).toContain('`state-store: directory:PATH`');
  });

  it.each([
    [{ read: ['refs/heads/main'] }, /written in this job: the token .*`cache-mode: write`/, undefined],
    [{ read: [], write: 'refs/heads/main' }, undefined, /read in this job: the token/],
    [{ read: ['refs/heads/main'], write: 'refs/heads/main' }, undefined, undefined],
    [{ read: ['refs/heads/main'], isSilent: true }, undefined, undefined],
  ])('depends on the token %o', (grant, unwritable, unreadable) => {
    const token = makeToken({ repository: 'o/r', ...grant });
    const availability = cacheAvailability({ ...there, ACTIONS_RUNTIME_TOKEN: token });
    expect(availability.unwritableReason ?? '').toMatch(unwritable ?? /^$/);
    expect(availability.unreadableReason ?? '').toMatch(unreadable ?? /^$/);
  });

  it('is known without a request', async () => {
    const { cache } = await start();
    const store = createCacheStore({
      directory: cache.directory,
      env: { ...cache.env, ACTIONS_CACHE_MODE: 'none' },
      tools: cache.tools,
    });
    expect(store.unwritableReason).toEqual(expect.any(String));
    expect(await store.write(keyAt(1, 1), sealed)).toBe(false);
    expect(await store.findNewest([keyAt(1, 1)])).toBeUndefined();
    expect(await store.read(keyAt(1, 1))).toBeUndefined();
    expect(cache.service.requests()).toEqual([]);
  });
});

describe('a store of CLIs', () => {
  const large = Buffer.alloc(100_000, 'text');

  it('packs without gzip, and reads what it packed on another machine, also with debug output', async () => {
    // The client then also lists what it has packed.
    process.env.RUNNER_DEBUG = '1';
    cleanUpAfterTest(() => delete process.env.RUNNER_DEBUG);
    const { cache } = await start();
    const options = { directory: cache.directory, env: cache.env, tools: cache.tools };
    const clis = createCacheStore({ ...options, name: cachedCliName });
    expect(await clis.write('gump-cli-v1-x-', large)).toBe(true);
    const [entry] = cache.service.entries();
    expect(entry?.body.includes(large)).toBe(true);
    const directory = await cache.moveToNewMachine();
    const there = createCacheStore({ directory, env: cache.env, tools: cache.tools, name: cachedCliName });
    expect(await there.read('gump-cli-v1-x-')).toEqual(large);
    expect(await readdir(directory)).not.toContain(cachedCliName);
  });

  it('and a store of checkpoints find only their own entries, and do not wait for each other', async () => {
    const { cache, store } = await start();
    const options = { directory: cache.directory, env: cache.env, tools: cache.tools };
    const clis = createCacheStore({ ...options, name: cachedCliName });
    expect(await clis.write('gump-cli-v1-x-', large)).toBe(true);
    expect(await store.write(keyAt(1, 1), sealed)).toBe(true);
    expect(await store.findNewest(['gump-'])).toBe(keyAt(1, 1));
    expect(await clis.findNewest(['gump-'])).toBe('gump-cli-v1-x-');
    const [one, other] = await Promise.all([clis.read('gump-cli-v1-x-'), store.read(keyAt(1, 1))]);
    expect([one, other]).toEqual([large, sealed]);
  });
});
