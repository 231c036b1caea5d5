import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type CacheGrant, type CacheService, startCacheService } from '../rig/cache-service.js';

const execute = promisify(execFile);
const client = fileURLToPath(new URL('./cache-client.mjs', import.meta.url));
const main: CacheGrant = { repository: 'octo/sample', read: ['refs/heads/main'], write: 'refs/heads/main' };
const version = 'v';

let service: CacheService;
let folder: string;

beforeEach(async () => {
  service = await startCacheService();
  folder = await mkdtemp(join(tmpdir(), 'rig-cache-'));
});

afterEach(async () => {
  await service.close();
  await rm(folder, { recursive: true });
});

/** Runs the real client; `log` is its whole output. */
async function actionsCache(grant: CacheGrant, ...args: readonly string[]) {
  const env = {
    PATH: process.env.PATH,
    RUNNER_TEMP: folder,
    GITHUB_WORKSPACE: folder,
    ACTIONS_CACHE_SERVICE_V2: 'True',
    ACTIONS_RESULTS_URL: service.url,
    ACTIONS_RUNTIME_TOKEN: service.token(grant),
  };
  const { stdout: log } = await execute(process.execPath, [client, ...args], { env, cwd: folder });
  return { log, result: JSON.parse(log.match(/^RESULT (.*)$/m)?.[1] ?? '') };
}

async function call(method: string, body: object, grant: CacheGrant = main) {
  const response = await fetch(`${service.url}twirp/github.actions.results.api.v1.CacheService/${method}`, {
    method: 'POST',
    headers: { authorization: `Bearer ${service.token(grant)}`, 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
  return { status: response.status, body: (await response.json()) as Record<string, string> };
}

function put(key: string, body = 'body', scope = 'refs/heads/main') {
  service.add({ repository: 'octo/sample', scope, key, version }, Buffer.from(body));
}

async function find(key: string, restoreKeys: readonly string[] = [], grant = main) {
  const { body } = await call('GetCacheEntryDownloadURL', { key, restore_keys: restoreKeys, version }, grant);
  return body.matched_key;
}

describe('with the real client', () => {
  it('saves, refuses the same key again, and restores by exact key', async () => {
    await writeFile(join(folder, 'state'), 'first');
    expect((await actionsCache(main, 'save', 'k-1-', 'state')).result).toBeGreaterThan(0);
    await writeFile(join(folder, 'state'), 'second');
    const second = await actionsCache(main, 'save', 'k-1-', 'state');
    expect(second.result).toBe(-1);
    expect(second.log).toContain('Unable to reserve cache with key k-1-');
    const restored = await actionsCache(main, 'restore', 'k-1-', 'state');
    expect(restored.result).toBe('k-1-');
    expect(await readFile(join(folder, 'state'), 'utf8')).toBe('first');
  });

  it('looks up by prefix without a download, and compares the version', async () => {
    await writeFile(join(folder, 'state'), 'text');
    await actionsCache(main, 'save', 'k-a1-', 'state');
    expect((await actionsCache(main, 'lookup', 'k-', 'state')).result).toBe('k-a1-');
    expect((await actionsCache(main, 'lookup', 'k-', './state')).result).toBeNull();
    expect(service.requests().map(({ operation }) => operation)).not.toContain('download');
  });

  it('denies a read-only token with the text of GitHub', async () => {
    await writeFile(join(folder, 'state'), 'text');
    const { repository, read } = main;
    const saved = await actionsCache({ repository, read }, 'save', 'k-', 'state');
    expect(saved.result).toBe(-1);
    expect(saved.log).toContain('cache write denied: token has no writable scopes');
    const restored = await actionsCache({ repository, read: [] }, 'restore', 'k-', 'state');
    expect(restored.result).toBeNull();
    expect(restored.log).toContain('cache read denied:');
  });

  it('breaks a connection and removes a used-up fault', async () => {
    await writeFile(join(folder, 'state'), 'text');
    service.injectFault('create', { reset: true, times: 1 });
    expect((await actionsCache(main, 'save', 'k-1-', 'state')).result).toBe(-1);
    expect((await actionsCache(main, 'save', 'k-1-', 'state')).result).toBeGreaterThan(0);
    expect(service.requests().map(({ status }) => status)).toEqual(['reset', 200, 201, 200]);
  });

  it('leaves the key reserved if the upload fails', async () => {
    await writeFile(join(folder, 'state'), 'text');
    service.injectFault('upload', { status: 403 });
    expect((await actionsCache(main, 'save', 'k-1-', 'state')).result).toBe(-1);
    expect(service.entries()).toMatchObject([{ key: 'k-1-', state: 'reserved' }]);
    service.clearFaults('upload');
    expect((await actionsCache(main, 'save', 'k-1-', 'state')).result).toBe(-1);
    expect((await actionsCache(main, 'lookup', 'k-1-', 'state')).result).toBeNull();
  });

  it('serves a corrupted body, and nothing after a delete', async () => {
    await writeFile(join(folder, 'state'), 'text');
    await actionsCache(main, 'save', 'k-1-', 'state');
    service.corrupt('k-1-', (body) => body.subarray(0, 5));
    expect((await actionsCache(main, 'restore', 'k-1-', 'state')).log).toContain('Failed to restore');
    service.delete('k-1-');
    expect((await actionsCache(main, 'lookup', 'k-1-', 'state')).result).toBeNull();
  });
});

describe('matching', () => {
  it('prefers the exact key to a newer one that it is a prefix of', async () => {
    put('run-1-attempt-1');
    put('run-1-attempt-10');
    expect(await find('run-1-attempt-1')).toBe('run-1-attempt-1');
  });

  it('uses the primary key as a prefix before restore keys, which apply in order, newest entry first', async () => {
    put('b-1');
    put('a-1');
    put('a-2');
    put('c-9');
    expect(await find('a-')).toBe('a-2');
    expect(await find('x', ['b-', 'a-'])).toBe('b-1');
    expect(await find('x', ['y', 'z'])).toBeUndefined();
  });

  it('searches the scopes in the order of the token, and no others', async () => {
    put('k-2', 'theirs', 'refs/heads/other');
    put('k-1', 'base');
    const pull = {
      repository: 'octo/sample',
      read: ['refs/pull/7/merge', 'refs/heads/main'],
      write: 'refs/pull/7/merge',
    };
    expect(await find('k-', [], pull)).toBe('k-1');
    put('k-0', 'own', 'refs/pull/7/merge');
    put('k-3', 'base');
    expect(await find('k-', [], pull)).toBe('k-0');
    expect(await find('k-', [], { ...main, repository: 'octo/else' })).toBeUndefined();
  });

  it('answers 409 for a key that exists in the scope, and accepts it in another', async () => {
    put('k');
    expect((await call('CreateCacheEntry', { key: 'k', version })).status).toBe(409);
    const elsewhere = { ...main, write: 'refs/heads/other' };
    expect((await call('CreateCacheEntry', { key: 'k', version }, elsewhere)).body.ok).toBe(true);
  });
});

describe('bodies', () => {
  it('joins blocks in the order of the list', async () => {
    const { body } = await call('CreateCacheEntry', { key: 'k', version });
    const address = body.signed_upload_url ?? '';
    for (const [id, text] of [
      ['Mg==', 'world'],
      ['MQ==', 'hello '],
    ] as const) {
      await fetch(`${address}&comp=block&blockid=${encodeURIComponent(id)}`, { method: 'PUT', body: text });
    }
    const list = '<BlockList><Latest>MQ==</Latest><Latest>Mg==</Latest></BlockList>';
    const done = await fetch(`${address}&comp=blocklist`, { method: 'PUT', body: list });
    expect(done.status).toBe(201);
    await call('FinalizeCacheEntryUpload', { key: 'k', version, size_bytes: '11' });
    expect(service.entries()[0]).toMatchObject({ state: 'stored', body: Buffer.from('hello world') });
  });

  it('does not finish an upload of another size', async () => {
    const { body } = await call('CreateCacheEntry', { key: 'k', version });
    await fetch(body.signed_upload_url ?? '', { method: 'PUT', body: 'four' });
    expect((await call('FinalizeCacheEntryUpload', { key: 'k', version, size_bytes: '5' })).body.ok).toBe(
      false,
    );
  });

  it('serves HEAD and ranges, and only with the signature', async () => {
    put('k', '0123456789');
    const { body } = await call('GetCacheEntryDownloadURL', { key: 'k', version });
    const address = body.signed_download_url ?? '';
    const head = await fetch(address, { method: 'HEAD' });
    expect(head.headers.get('content-length')).toBe('10');
    const part = await fetch(address, { headers: { range: 'bytes=2-4' } });
    expect([part.status, await part.text(), part.headers.get('content-range')]).toEqual([
      206,
      '234',
      'bytes 2-4/10',
    ]);
    expect((await fetch(address, { headers: { range: 'bytes=20-' } })).status).toBe(416);
    expect((await fetch(address.replace(/sig=.*/, 'sig=guess'))).status).toBe(403);
  });
});

it('loses only the answer of a fault with `after`', async () => {
  service.injectFault('create', { status: 502, moment: 'after', times: 1 });
  expect((await call('CreateCacheEntry', { key: 'k', version })).status).toBe(502);
  expect(service.entries()).toMatchObject([{ key: 'k', state: 'reserved' }]);
});

it('refuses a token that it did not create', async () => {
  const response = await fetch(
    `${service.url}twirp/github.actions.results.api.v1.CacheService/CreateCacheEntry`,
    {
      method: 'POST',
      headers: { authorization: 'Bearer something' },
      body: JSON.stringify({ key: 'k', version }),
    },
  );
  expect(response.status).toBe(401);
});
