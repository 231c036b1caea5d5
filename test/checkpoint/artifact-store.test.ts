/** What only artifacts do: deletion, late lists, other attempts, permissions, and what somebody else uploaded. */
import { readdir } from 'node:fs/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openRepositoryArtifacts } from '../../src/artifacts/repository-artifacts.js';
import { openRunArtifacts, type RunArtifacts } from '../../src/artifacts/run-artifacts.js';
import { createArtifactStore } from '../../src/checkpoint/artifact-store.js';
import { prefixesOfAttempt } from '../../src/checkpoint/checkpoint-key.js';
import type { CheckpointStore } from '../../src/checkpoint/checkpoint-store.js';
import { readEarlierArtifacts } from '../../src/checkpoint/earlier-artifacts.js';
import { openGitHubApi } from '../../src/github/github-api.js';
import { captureOutput } from '../../src/system/captured-output.js';
import { createFakeClock } from '../fakes/clock.js';
import { type GitHubServer, startGitHub } from '../rig/github/server.js';
import { makeRepository, type Repository } from '../rig/repository.js';
import { type CacheProcess, startCacheProcess } from './cache-process.js';
import { keyAt, sealedAt } from './sample.js';

let cache: CacheProcess;
let git: Repository;
let github: GitHubServer;
beforeEach(async () => {
  cache = await startCacheProcess();
  git = await makeRepository({ 'README.md': 'sample\n' });
  github = await startGitHub({ git, shelf: cache.service.shelf });
});
afterEach(async () => {
  await cache.close();
  await git.remove();
});

const runArtifacts = () => openRunArtifacts({ directory: cache.directory, isDebug: false });

function open(change: Partial<RunArtifacts> = {}): CheckpointStore {
  return createArtifactStore({
    artifacts: { ...runArtifacts(), ...change },
    clock: createFakeClock({ sleeping: 'jumps' }),
  });
}

const openEarlier = (token: string | undefined = 'ghs_x') =>
  readEarlierArtifacts({
    runId: '1001',
    artifacts: openRepositoryArtifacts(() =>
      openGitHubApi({ repository: 'octo/sample', apiUrl: github.url, token }),
    ),
  });

/** The process becomes that of another attempt of the run. */
function startAttempt(attempt: number, isFullRerun = false): void {
  const artifacts = { runId: 1001, attempt, isFullRerun, headBranch: 'main', headSha: '' };
  process.env.ACTIONS_RUNTIME_TOKEN = cache.service.token({ repository: 'o/r', read: [], artifacts });
}

const names = () => cache.service.shelf.artifacts.map(({ name }) => name);
const sealed = Buffer.from('sealed');
const scope = { stateName: 'build', runId: '1001' };

describe('the artifacts of a run', () => {
  it('contain one sealed file for seven days, and leave no file and no output behind', async () => {
    // What the store does not keep to itself would be in the log, and is in this output.
    const { output } = await captureOutput(async () => {
      expect(await open().write(keyAt(1, 1), sealed)).toBe(true);
      expect((await open().read(keyAt(1, 1)))?.equals(sealed)).toBe(true);
    }, false);
    const [artifact] = cache.service.shelf.artifacts;
    const days = (Date.parse(artifact?.expiresAt ?? '') - Date.now()) / 86_400_000;
    expect(Math.round(days)).toBe(7);
    expect(artifact?.body?.includes(sealed)).toBe(true);
    expect((await readdir(cache.directory)).filter((name) => /^[\da-f-]{36}$/.test(name))).toEqual([]);
    expect(output).toBe('');
  });

  it('ARTIFACT1: are the newest five, what they build on, and what earlier job attempts stored', async () => {
    startAttempt(1);
    await open().write(keyAt(1, 1), sealed);
    startAttempt(2);
    const store = open();
    for (let sequence = 1; sequence <= 8; sequence += 1)
      expect(await store.write(keyAt(2, sequence), sealedAt(2, sequence))).toBe(true);
    expect(names()).toEqual([keyAt(1, 1), ...[4, 5, 6, 7, 8].map((sequence) => keyAt(2, sequence))]);
  });

  it('ARTIFACT1: are deleted with the next checkpoint if that failed', async () => {
    const store = open();
    cache.service.injectFault('artifact delete', { status: 403, times: 1 });
    for (let sequence = 1; sequence <= 6; sequence += 1)
      expect(await store.write(keyAt(1, sequence), sealedAt(1, sequence))).toBe(true);
    expect(names()).toContain(keyAt(1, 1));
    await store.write(keyAt(1, 7), sealedAt(1, 7));
    expect(names()).toEqual([3, 4, 5, 6, 7].map((sequence) => keyAt(1, sequence)));
  });

  it('ARTIFACT2: are listed again if the list is late', async () => {
    const artifacts = runArtifacts();
    let lists = 0;
    const store = open({
      list: async () => {
        lists += 1;
        return lists === 1 ? [] : artifacts.list();
      },
    });
    await store.write(keyAt(1, 1), sealed);
    expect(await store.findNewest(prefixesOfAttempt(scope, 1))).toBe(keyAt(1, 1));
    expect(lists).toBe(2);
  });

  it('count by their key, not by the time of their upload, and names that are no key count last', async () => {
    const store = open();
    for (const sequence of [3, 1, 2]) await store.write(keyAt(1, sequence), sealed);
    cache.service.shelf.add({ runId: 1001, name: `${prefixesOfAttempt(scope, 1)[0]}zzz`, body: sealed });
    expect(await open().findNewest(prefixesOfAttempt(scope, 1))).toBe(keyAt(1, 3));
  });

  it('are seen by a re-run of failed jobs, and not by a re-run of all jobs', async () => {
    await open().write(keyAt(1, 1), sealed);
    startAttempt(2);
    expect(await open().findNewest(prefixesOfAttempt(scope, 1))).toBe(keyAt(1, 1));
    expect((await open().read(keyAt(1, 1)))?.equals(sealed)).toBe(true);
    startAttempt(2, true);
    expect(await open().findNewest(prefixesOfAttempt(scope, 1))).toBeUndefined();
    expect(await openEarlier().findNewest(prefixesOfAttempt(scope, 1))).toBe(keyAt(1, 1));
    expect((await openEarlier().read(keyAt(1, 1)))?.equals(sealed)).toBe(true);
  });

  it('may be passed on without a zip file', async () => {
    cache.service.shelf.add({ runId: 1001, name: keyAt(1, 1), body: sealed });
    expect((await open().read(keyAt(1, 1)))?.equals(sealed)).toBe(true);
  });
});

describe('the artifact service', () => {
  it.each([
    ['artifact create', 'isTaken', 409],
    ['artifact create', 'isAnswer', 403],
    ['artifact finalize', 'isAnswer', 400],
    ['artifact list', 'isAnswer', 401],
  ] as const)('(%s) reports %s for status %i', async (operation, kind, status) => {
    cache.service.injectFault(operation, { status });
    const store = open();
    if (operation === 'artifact list') expect(await store.findNewest(['x'])).toBeUndefined();
    else expect(await store.write(keyAt(1, 1), sealed)).toBe(false);
    expect(store.lastFailure?.()).toMatchObject({
      message: expect.stringContaining(`(${status})`),
      [kind]: true,
    });
  });

  it('did not answer if the connection breaks', async () => {
    cache.service.injectFault('artifact list', { reset: true });
    const store = open();
    expect(await store.findNewest(['x'])).toBeUndefined();
    expect(store.lastFailure?.()).toEqual({ message: expect.stringContaining('ECONNRESET') });
  });

  it('has the key if only its answer to the upload was lost', async () => {
    cache.service.injectFault('artifact finalize', { reset: true, moment: 'after', times: 1 });
    const store = open();
    expect(await store.write(keyAt(1, 1), sealed)).toBe(false);
    expect(await store.findNewest([keyAt(1, 1)])).toBe(keyAt(1, 1));
    expect((await store.read(keyAt(1, 1)))?.equals(sealed)).toBe(true);
  });
});

describe('artifacts of earlier job attempts through the REST API', () => {
  it('need the permission `actions: read`, and the reason names it', async () => {
    github.state.missingPermissions.add('actions: read');
    const store = openEarlier();
    expect(await store.findNewest(prefixesOfAttempt(scope, 1))).toBeUndefined();
    expect(store.lastFailure?.()).toMatchObject({
      message: expect.stringMatching(/status 403.*Give the job the permission `actions: read`/),
      isAnswer: true,
    });
  });

  it('need a token', async () => {
    const store = openEarlier('');
    expect(await store.findNewest(prefixesOfAttempt(scope, 1))).toBeUndefined();
    expect(store.lastFailure?.()).toMatchObject({
      message: expect.stringContaining('`github-token`'),
      isAnswer: true,
    });
  });

  it('are not known if GitHub does not answer', async () => {
    github.inject({ path: '/artifacts', status: 400 });
    const store = openEarlier();
    expect(await store.findNewest(prefixesOfAttempt(scope, 1))).toBeUndefined();
    expect(store.lastFailure?.()).toEqual({ message: expect.stringContaining('status 400') });
  });

  it('are not those that have expired', async () => {
    const { shelf } = cache.service;
    await open().write(keyAt(1, 1), sealed);
    const store = openEarlier();
    expect(await store.findNewest(prefixesOfAttempt(scope, 1))).toBe(keyAt(1, 1));
    for (const artifact of shelf.artifacts) artifact.expired = true;
    expect(await store.read(keyAt(1, 1))).toBeUndefined();
    expect(await openEarlier().findNewest(prefixesOfAttempt(scope, 1))).toBeUndefined();
  });

  it('are found on later pages', async () => {
    await open().write(keyAt(1, 1), sealed);
    for (let count = 0; count < 120; count += 1)
      cache.service.shelf.add({ runId: 1001, name: `logs-${count}`, body: sealed });
    expect(await openEarlier().findNewest(prefixesOfAttempt(scope, 1))).toBe(keyAt(1, 1));
  });
});
