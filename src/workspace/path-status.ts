/** Looks at what lies in the work tree, where git (2.39) does not see by itself what took the place of a file. */
import { existsSync, lstatSync, type Stats } from 'node:fs';
import { absolutePath, type BytePath } from './byte-path.js';

/** What lies at the path; a link is not followed. */
export function statPath(path: BytePath, root: string): Stats | undefined {
  try {
    return lstatSync(absolutePath(root, path));
  } catch {
    return undefined; // `throwIfNoEntry: false` would still throw ENOTDIR (Node 24)
  }
}

/** A file that became a directory; update-index would refuse it. A submodule is a directory with a `.git`. */
export function isDirectoryNow(path: BytePath, root: string): boolean {
  if (statPath(path, root)?.isDirectory() !== true) return false;
  return !existsSync(absolutePath(root, `${path}/.git`));
}

/**
 * A file whose directory became a symbolic link: git looks through it when it lists, and not when it adds.
 * `known` remembers directories over several calls.
 */
export function isBehindLink(path: BytePath, root: string, known: Map<BytePath, boolean>): boolean {
  const end = path.lastIndexOf('/');
  if (end === -1) return false;
  const directory = path.slice(0, end);
  const before = known.get(directory);
  if (before !== undefined) return before;
  const isBehind =
    statPath(directory, root)?.isSymbolicLink() === true || isBehindLink(directory, root, known);
  known.set(directory, isBehind);
  return isBehind;
}
