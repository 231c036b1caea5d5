/**
 * Fixture repositories: a bare one that stands for the repository on GitHub, filled from files given as data.
 * Checking it out as a job does is left to `machine.checkout`.
 */
import { mkdir, mkdtemp, realpath, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Files, writeFiles } from './files.js';
import { git } from './git.js';

export interface Repository {
  /** The bare repository, absolute: what a checkout has as `origin`. */
  readonly path: string;
  /** The first commit. */
  readonly sha: string;
  /** Commits on top of `branch` (made from `main` when it is new) and returns the commit. */
  commit(files: Files, options?: { readonly branch?: string; readonly message?: string }): Promise<string>;
  /** Makes the branch `pull-N` with one commit, and `refs/pull/N/head` and `/merge` as GitHub keeps them. */
  pullRequest(number: number, files: Files): Promise<PullRequest>;
  /** Runs git in the bare repository. */
  git(...args: readonly string[]): Promise<string>;
  remove(): Promise<void>;
}

export interface PullRequest {
  readonly number: number;
  readonly head: string;
  readonly headRef: string;
  readonly merge: string;
}

/** Makes a repository with one commit of `files` on `main`. The caller removes it. */
export async function makeRepository(files: Files): Promise<Repository> {
  const root = await realpath(await mkdtemp(join(tmpdir(), 'rig-repository-')));
  const path = join(root, 'origin.git');
  const source = join(root, 'source');
  await initRepositories(path, source);
  const commit = createCommitter(source);
  const sha = await commit(files, { branch: 'main', message: 'Start' });
  return {
    path,
    sha,
    commit,
    pullRequest: (number, changes) => openPullRequest(source, commit, number, changes),
    git: (...args) => git(path, ...args),
    remove: () => rm(root, { recursive: true, force: true }),
  };
}

async function initRepositories(path: string, source: string): Promise<void> {
  await mkdir(path);
  await mkdir(source);
  await git(path, 'init', '--quiet', '--bare', '--initial-branch=main');
  // GitHub serves any commit that a ref reaches; a checkout of a pull request or of an older commit needs it.
  await git(path, 'config', 'uploadpack.allowAnySHA1InWant', 'true');
  await git(source, 'init', '--quiet', '--initial-branch=main');
  await git(source, 'remote', 'add', 'origin', path);
}

function createCommitter(source: string): Repository['commit'] {
  return async (files, { branch = 'main', message = 'Change' } = {}) => {
    await switchTo(source, branch);
    await writeFiles(source, files);
    await git(source, 'add', '--all', '--force');
    await git(source, 'commit', '--quiet', '--allow-empty', '--message', message);
    await git(source, 'push', '--quiet', 'origin', `HEAD:refs/heads/${branch}`);
    return git(source, 'rev-parse', 'HEAD');
  };
}

async function switchTo(source: string, branch: string): Promise<void> {
  const hasCommits = await git(source, 'rev-parse', '--verify', '--quiet', 'HEAD').catch(() => '');
  if (!hasCommits) return;
  const existing = await git(source, 'branch', '--list', branch);
  await git(source, 'checkout', '--quiet', ...(existing ? [branch] : ['-b', branch, 'main']));
}

async function openPullRequest(
  source: string,
  commit: Repository['commit'],
  number: number,
  files: Files,
): Promise<PullRequest> {
  const headRef = `pull-${number}`;
  const head = await commit(files, { branch: headRef, message: `Pull request ${number}` });
  await git(source, 'checkout', '--quiet', '--detach', 'main');
  await git(source, 'merge', '--quiet', '--no-ff', '--message', `Merge ${head} into main`, head);
  const merge = await git(source, 'rev-parse', 'HEAD');
  for (const [name, sha] of Object.entries({ head, merge })) {
    await git(source, 'push', '--quiet', 'origin', `${sha}:refs/pull/${number}/${name}`);
  }
  return { number, head, headRef, merge };
}
