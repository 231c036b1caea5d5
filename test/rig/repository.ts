/**
 * Fixture repositories: a bare repository in place of the one on GitHub, with files given as data. `machine.checkout`
 * checks it out as a job does.
 */
import { appendFile, mkdtemp, realpath, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, posix } from 'node:path';
import type { FileContent, Files } from './files.js';
import { author, feedGit, git, initRepository } from './git.js';

export interface Repository {
  /** Absolute path of the bare repository, which is `origin` of a checkout. */
  readonly path: string;
  /** The first commit. */
  readonly sha: string;
  /** Commits on top of `branch` (created from `main` if it is new) and returns the commit. */
  commit(files: Files, options?: { readonly branch?: string; readonly message?: string }): Promise<string>;
  /** Creates the branch `pull-N` with one commit, and `refs/pull/N/head` and `/merge` as on GitHub. */
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

/** Creates a repository with one commit of `files` on `main`. The caller must remove it. */
export async function makeRepository(files: Files): Promise<Repository> {
  const root = await realpath(await mkdtemp(join(tmpdir(), 'rig-repository-')));
  const path = join(root, 'origin.git');
  await initRepository(path, '--bare');
  // GitHub serves any commit that a ref reaches. A checkout of a pull request or of an older commit needs this.
  await appendFile(join(path, 'config'), '[uploadpack]\n\tallowAnySHA1InWant = true\n');
  const commit = createCommitter(path);
  const sha = await commit(files, { branch: 'main', message: 'Start' });
  return {
    path,
    sha,
    commit,
    pullRequest: (number, changes) => openPullRequest(join(root, 'source'), path, commit, number, changes),
    git: (...args) => git(path, ...args),
    remove: () => rm(root, { recursive: true, force: true }),
  };
}

/** A commit with one process, because most tests start with one. */
function createCommitter(path: string): Repository['commit'] {
  return async (files, { branch = 'main', message = 'Change' } = {}) => {
    const parent = (await tipOf(path, branch)) ?? (await tipOf(path, 'main'));
    await feedGit(path, commitStream(files, branch, message, parent), 'fast-import', '--quiet');
    return git(path, 'rev-parse', `refs/heads/${branch}`);
  };
}

function tipOf(path: string, branch: string): Promise<string | undefined> {
  return git(path, 'rev-parse', '--verify', '--quiet', `refs/heads/${branch}`).catch(() => undefined);
}

/** In the format of `git fast-import`. */
function commitStream(files: Files, branch: string, message: string, parent: string | undefined): Buffer {
  const who = `${author.name} <${author.email}> ${author.seconds} +0000`;
  const parts = [
    `commit refs/heads/${branch}\nauthor ${who}\ncommitter ${who}\n`,
    ...data(`${message}\n`),
    ...(parent === undefined ? [] : [`from ${parent}\n`]),
    ...Object.entries(files).flatMap(([file, content]) => change(file, content)),
  ];
  return Buffer.concat(parts.map((part) => Buffer.from(part)));
}

function change(file: string, content: FileContent): readonly (string | Buffer)[] {
  const name = JSON.stringify(posix.normalize(file));
  if (content === null) return [`D ${name}\n`];
  const isPlain = typeof content === 'string' || Buffer.isBuffer(content);
  return [
    `M ${isPlain ? '100644' : '100755'} inline ${name}\n`,
    ...data(isPlain ? content : content.content),
  ];
}

function data(content: string | Buffer): readonly (string | Buffer)[] {
  return [`data ${Buffer.byteLength(content)}\n`, content, '\n'];
}

async function openPullRequest(
  source: string,
  path: string,
  commit: Repository['commit'],
  number: number,
  files: Files,
): Promise<PullRequest> {
  const headRef = `pull-${number}`;
  const head = await commit(files, { branch: headRef, message: `Pull request ${number}` });
  await rm(source, { recursive: true, force: true });
  await git(path, 'clone', '--quiet', path, source);
  await git(source, 'checkout', '--quiet', '--detach', 'main');
  await git(source, 'merge', '--quiet', '--no-ff', '--message', `Merge ${head} into main`, head);
  const merge = await git(source, 'rev-parse', 'HEAD');
  for (const [name, sha] of Object.entries({ head, merge })) {
    await git(source, 'push', '--quiet', 'origin', `+${sha}:refs/pull/${number}/${name}`);
  }
  return { number, head, headRef, merge };
}
