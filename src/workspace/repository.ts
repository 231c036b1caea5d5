/** Finds the repository of a directory, or reports why the run cannot use it. */
import { statSync } from 'node:fs';
import { realpath } from 'node:fs/promises';
import { resolve } from 'node:path';
import { UserError } from '../failure.js';
import { type BytePath, toBytePath } from './byte-path.js';
import { type Git, GitError } from './git.js';

export interface Repository {
  /** Top directory of the worktree, absolute, symbolic links resolved. */
  readonly root: string;
  /** The working directory, absolute, symbolic links resolved. */
  readonly directory: string;
  /** The working directory relative to the root: empty, or with a `/` at the end. */
  readonly prefix: BytePath;
  /** Directory with HEAD and index. A linked worktree has its own. */
  readonly gitDirectory: string;
  /** Directory with objects and branches. */
  readonly commonDirectory: string;
  readonly startCommit: string;
  /** Tree of the start commit. */
  readonly headTree: string;
}

/** Throws a `UserError` if the path is not a directory. */
export function requireDirectory(directory: string): void {
  const found = statSync(directory, { throwIfNoEntry: false });
  if (found === undefined) {
    throw new UserError(
      `Input \`working-directory\`: \`${directory}\` does not exist. Set it to a directory of the checkout.`,
    );
  }
  if (!found.isDirectory()) {
    throw new UserError(
      `Input \`working-directory\`: \`${directory}\` is a file. Set it to a directory of the checkout.`,
    );
  }
}

/** `git` must run in `directory`. Throws a `UserError` if this is not a worktree with a commit. */
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
      `\`${directory}\`: HEAD names no commit, and the run starts from one (${firstLine(error.stderr)}). ` +
        'Check out a branch or create a first commit.',
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
      `git does not trust the repository of \`${directory}\` because it belongs to another user (common in ` +
        `container jobs). Add a step before this one: \`git config --global --add safe.directory ${directory}\`.`,
    );
  }
  if (error.stderr.includes('must be run in a work tree')) {
    return new UserError(
      `\`${directory}\` is a bare repository or inside a \`.git\` directory, and the run needs a worktree. ` +
        'Set `working-directory` to a checkout, for example from `actions/checkout`.',
    );
  }
  if (error.stderr.includes('not a git repository')) {
    return new UserError(
      `\`${directory}\` is not in a git worktree. Run \`actions/checkout\` before this step, or set \`working-directory\`.`,
    );
  }
  return new UserError(
    `git failed in \`${directory}\`: ${firstLine(error.stderr)}. Fix the repository, or set \`working-directory\`.`,
  );
}

function firstLine(text: string): string {
  return text.trim().split('\n')[0] ?? '';
}
