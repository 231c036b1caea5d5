/** Artifacts of other runs through the REST API: what may be anybody's, and every answer of GitHub. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openRepositoryArtifacts } from '../../src/artifacts/repository-artifacts.js';
import { openGitHubApi } from '../../src/github/github-api.js';
import { type ArtifactShelf, createArtifactShelf } from '../rig/artifacts/artifact-shelf.js';
import { type GitHubServer, startGitHub } from '../rig/github/server.js';
import { makeRepository, type Repository } from '../rig/repository.js';

const limit = 10_000;
const name = 'gump-sessions-pr-7-abc';
const body = Buffer.from('sealed');

let git: Repository;
let github: GitHubServer;
let shelf: ArtifactShelf;
beforeEach(async () => {
  git = await makeRepository({ 'README.md': 'sample\n' });
  shelf = createArtifactShelf();
  github = await startGitHub({ git, shelf });
});
afterEach(() => git.remove());

const open = () =>
  openRepositoryArtifacts(() =>
    openGitHubApi({ repository: 'octo/sample', apiUrl: github.url, token: 'ghs_x' }),
  );

describe('a list of artifacts by name', () => {
  it('has exactly this name, the newest first, and says which are of forks or have expired', async () => {
    shelf.add({ runId: 1, name, body });
    shelf.add({ runId: 2, name: `${name}d`, body });
    shelf.add({ runId: 3, name, body, expired: true });
    shelf.add({ runId: 4, name, body, headRepositoryId: 99 });
    const list = await open().listByName(name);
    if (list.status !== 'listed') throw new Error(list.reason);
    expect(list.artifacts.map(({ runId, isExpired, isFromFork }) => [runId, isExpired, isFromFork])).toEqual([
      ['4', false, true],
      ['3', true, false],
      ['1', false, false],
    ]);
  });

  it('has at most 300', async () => {
    for (let run = 1; run <= 310; run += 1) shelf.add({ runId: run, name, body });
    const list = await open().listByName(name);
    expect(list.status === 'listed' && list.artifacts.length).toBe(300);
    expect(list.status === 'listed' && list.artifacts[0]?.runId).toBe('310');
  });

  it.each([
    [401, 'denied'],
    [403, 'denied'],
    [404, 'denied'],
    [400, 'failed'],
    [422, 'failed'],
  ] as const)('with status %i is %s', async (status, kind) => {
    github.inject({ path: '/actions/artifacts', status });
    expect(await open().listByName(name)).toEqual({
      status: kind,
      reason: expect.stringContaining(String(status)),
    });
  });
});

describe('the content of an artifact', () => {
  const download = async (bytes = 0) => {
    const [artifact] = shelf.artifacts;
    return open().download({ id: artifact?.id ?? 0, bytes }, limit);
  };

  it('is read if it is smaller than the limit', async () => {
    shelf.add({ runId: 1, name, body });
    expect(await download()).toEqual({ status: 'read', content: body });
  });

  it('is not read if it says that it is larger, and not read to its end if it only is', async () => {
    shelf.add({ runId: 1, name, body: Buffer.alloc(50_000_000) });
    expect(await download(50_000_000)).toEqual({ status: 'missing' });
    expect(github.requests().filter(({ path }) => path.endsWith('/zip'))).toEqual([]);
    expect(await download(10)).toEqual({ status: 'missing' });
  });

  it('is missing if it was deleted, and expired if it has expired', async () => {
    expect(await download()).toEqual({ status: 'missing' });
    shelf.add({ runId: 1, name, body, expired: true });
    expect(await download()).toEqual({ status: 'expired' });
  });

  it('is denied without the permission', async () => {
    shelf.add({ runId: 1, name, body });
    github.state.missingPermissions.add('actions: read');
    expect(await download()).toMatchObject({ status: 'denied' });
  });
});
