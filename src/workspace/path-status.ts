/** Checks paths in the worktree for replacements of files that git (2.39) does not detect. */
import { existsSync, lstatSync, type Stats } from 'node:fs';
import { absolutePath, type BytePath } from './byte-path.js';

/** The status of what is at the path. Does not follow a link. `undefined` if there is nothing. */
export function statPath(path: BytePath, root: string): Stats | undefined {
  try {
    return lstatSync(absolutePath(root, path));
  } catch {
    return undefined; // `throwIfNoEntry: false` would still throw ENOTDIR (Node 24)
  }
}

/** Whether a file became a directory, which `update-index` refuses. A directory with a `.git` is a submodule. */
export function isDirectoryNow(path: BytePath, root: string): boolean {
  if (statPath(path, root)?.isDirectory() !== true) return false;
  return !existsSync(absolutePath(root, `${path}/.git`));
}

/**
 * Whether the directory of a file became a symbolic link: git follows it when it lists files but not when it adds
 * them. `known` caches directories between calls.
 */
export function isBehindLink(path: BytePath, root: string, known: Map<BytePath, boolean>): boolean {
  const end = path.lastIndexOf('/');
  if (end === -1) return false;
  const directory = path.slice(0, end);
  const cached = known.get(directory);
  if (cached !== undefined) return cached;
  const isBehind =
    statPath(directory, root)?.isSymbolicLink() === true || isBehindLink(directory, root, known);
  known.set(directory, isBehind);
  return isBehind;
}
