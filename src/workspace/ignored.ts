/** Finds the files and directories that git ignores. */
import { readdirSync, realpathSync } from 'node:fs';
import { basename, dirname, join, relative } from 'node:path';
import { type BytePath, bytePathToText, bytesOf, splitRecords, toBytePath } from './byte-path.js';
import { isExcluded } from './exclude-rules.js';
import type { Git } from './git.js';
import type { Repository } from './repository.js';

/**
 * Top-level names in the working directory that git ignores (`node_modules`, `dist`), sorted, without `.gump` and
 * excluded credential files. Costs one directory listing and one process, regardless of the number of files.
 */
export async function listIgnoredNames(git: Git, repository: Repository): Promise<readonly string[]> {
  const { directory, prefix } = repository;
  const names = readdirSync(directory, { encoding: 'buffer' }).map((name) => name.toString('latin1'));
  const candidates = names.filter(
    (name) => name !== '.git' && name !== '.gump' && !isExcluded(prefix + name, prefix),
  );
  const input = bytesOf(candidates.map((name) => `${prefix}${name}\0`).join(''));
  const { stdout } = await git.run(['check-ignore', '-z', '--stdin'], { input, accept: [0, 1] });
  return splitRecords(stdout)
    .map((path) => bytePathToText(path.slice(prefix.length)))
    .sort();
}

/** All paths that are ignored now. A directory that is ignored completely is one path with a `/` at the end. */
export async function listIgnoredPaths(git: Git): Promise<ReadonlySet<BytePath>> {
  const args = ['ls-files', '-z', '--others', '--ignored', '--exclude-standard', '--directory'];
  const { stdout } = await git.run(args);
  return new Set(splitRecords(stdout));
}

/**
 * Whether a new file in this directory would be recorded (the directory is in the worktree and not ignored) or
 * removed (it is in `.gump/out`).
 */
export async function isRecordedDirectory(
  git: Git,
  repository: Repository,
  directory: string,
): Promise<boolean> {
  const inside = relative(repository.root, resolveLinks(directory));
  if (inside === '..' || inside.startsWith('../')) return false;
  // Check a file in the directory: a directory that does not exist yet matches no rule that ends in `/`.
  const path = toBytePath(join(inside, 'gump'));
  if (isExcluded(path, repository.prefix)) return true;
  // Status 128: the path is in a submodule.
  const { status } = await git.run(['check-ignore', '-z', '--stdin'], {
    input: bytesOf(`${path}\0`),
    accept: [0, 1, 128],
  });
  return status !== 0;
}

/** The path without symbolic links, as far as it exists. */
export function resolveLinks(path: string): string {
  try {
    return realpathSync(path);
  } catch {
    const parent = dirname(path);
    return parent === path ? path : join(resolveLinks(parent), basename(path));
  }
}
