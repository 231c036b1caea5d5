/** The git worktree in which the command was started. */
import { spawnSync } from 'node:child_process';
import { realpathSync } from 'node:fs';
import { relative } from 'node:path';
import { UserError } from '../failure.js';

export interface LocalWorktree {
  readonly root: string;
  /** The path from there to the present directory. */
  readonly prefix: string;
  readonly ref: string;
  readonly commit: string;
}

/** @throws UserError outside of a worktree, and if it has no commit. */
export function findWorktree(directory: string): LocalWorktree {
  const root = git(directory, 'rev-parse', '--show-toplevel');
  if (root === undefined)
    throw new UserError(
      `${directory} is not in a git worktree. Go to your repository, or create one with \`git init\`.`,
    );
  const commit = git(directory, 'rev-parse', '--verify', '--quiet', 'HEAD^{commit}');
  if (commit === undefined)
    throw new UserError(`The repository in ${root} has no commit. Make the first commit.`);
  const ref = git(directory, 'symbolic-ref', '--quiet', 'HEAD') ?? 'HEAD';
  return { root, prefix: relative(root, realpathSync(directory)), ref, commit };
}

/** The output; `undefined` if git fails. */
function git(directory: string, ...args: readonly string[]): string | undefined {
  const { status, stdout, error } = spawnSync('git', args, { cwd: directory, encoding: 'utf8' });
  if (error !== undefined) throw new UserError(`git cannot be started (${error.message}). Install git.`);
  return status === 0 ? stdout.trim() : undefined;
}
