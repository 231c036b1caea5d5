/** Finds the repository that a directory lies in, and says plainly why one cannot be worked with. */
import { statSync } from 'node:fs';
import { realpath } from 'node:fs/promises';
import { resolve } from 'node:path';
import { UserError } from '../failure.js';
import { type BytePath, toBytePath } from './byte-path.js';
import { type Git, GitError } from './git.js';

export interface Repository {
  /** Top of the work tree, absolute, symbolic links resolved. */
  readonly root: string;
  /** The working directory, the same way. */
  readonly directory: string;
  /** The working directory from the root: empty, or with a `/` at its end. */
  readonly prefix: BytePath;
  /** Where HEAD and index lie; of a linked worktree its own. */
  readonly gitDirectory: string;
  /** Where objects and branches lie. */
  readonly commonDirectory: string;
  readonly startCommit: string;
  /** Tree of the start commit. */
  readonly headTree: string;
}

/** Throws a UserError where the path is no directory. */
export function requireDirectory(directory: string): void {
  const found = statSync(directory, { throwIfNoEntry: false });
  if (found === undefined) {
    throw new UserError(
      `The working directory ${directory} does not exist: check the input working-directory.`,
    );
  }
  if (!found.isDirectory()) {
    throw new UserError(`The working directory ${directory} is a file: check the input working-directory.`);
  }
}

/** `git` runs in `directory`. Throws a UserError for whatever is not a work tree with a commit. */
export async function findRepository(git: Git, directory: string): Promise<Repository> {
  const lines = await findPaths(git, directory);
  const [root = '', gitDirectory = '', commonDirectory = '', prefix = ''] = lines;
  const [startCommit = '', headTree = ''] = await readHead(git, directory);
  return {
    root,
    directory: await realpath(directory),
    prefix: toBytePath(prefix),
    gitDirectory,
    commonDirectory: resolve(directory, commonDirectory),
    startCommit,
    headTree,
  };
}

async function findPaths(git: Git, directory: string): Promise<readonly string[]> {
  const args = ['rev-parse', '--show-toplevel', '--absolute-git-dir', '--git-common-dir', '--show-prefix'];
  try {
    return await linesOf(git, args);
  } catch (error) {
    throw error instanceof GitError ? toUserError(error, directory) : error;
  }
}

async function readHead(git: Git, directory: string): Promise<readonly string[]> {
  try {
    return await linesOf(git, ['rev-parse', 'HEAD^{commit}', 'HEAD^{tree}']);
  } catch (error) {
    if (!(error instanceof GitError)) throw error;
    throw new UserError(
      `The repository of ${directory} has no commit that HEAD names, and the run needs one to start from: ` +
        `check out a branch or make a first commit. (${firstLine(error.stderr)})`,
    );
  }
}

async function linesOf(git: Git, args: readonly string[]): Promise<readonly string[]> {
  const { stdout } = await git.run(args);
  return stdout.toString('utf8').split('\n');
}

function toUserError(error: GitError, directory: string): Error {
  if (error.stderr.includes('dubious ownership')) {
    return new UserError(
      `git does not trust the repository of ${directory}, because it belongs to another user (usual in a ` +
        `container job). Add a step before this one: git config --global --add safe.directory ${directory}`,
    );
  }
  if (error.stderr.includes('must be run in a work tree')) {
    return new UserError(
      `${directory} is a bare repository or lies in a .git directory; the run needs a work tree: ` +
        'set working-directory to a checkout (actions/checkout makes one).',
    );
  }
  if (error.stderr.includes('not a git repository')) {
    return new UserError(
      `${directory} is not in a git work tree: run actions/checkout before this step, or set working-directory.`,
    );
  }
  return new UserError(`git cannot work with ${directory}: ${firstLine(error.stderr)}`);
}

function firstLine(text: string): string {
  return text.trim().split('\n')[0] ?? '';
}
