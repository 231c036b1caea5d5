/**
 * Linked worktrees, by git's own command and its files (gitrepository-layout(5)): each has a directory below
 * `worktrees` in the common directory, whose file `gitdir` names the `.git` of the work tree.
 */
import {
  chmodSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmdirSync,
  rmSync,
} from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import type { Git } from './git.js';
import { resolveLinks } from './ignored.js';
import type { Repository } from './repository.js';

/**
 * Adds a worktree at `directory` with a detached HEAD at the start commit, without index and files. What lies
 * there goes first, and so does what git knows of an earlier one, which a killed job may have left locked.
 */
export async function addWorktree(git: Git, main: Repository, directory: string): Promise<Repository> {
  removeWorktree(main.commonDirectory, directory);
  mkdirSync(dirname(directory), { recursive: true });
  await git.run(['worktree', 'add', '--quiet', '--detach', '--no-checkout', directory, main.startCommit], {
    // Relative paths would note an extension in the user's config (git 2.48).
    settings: ['worktree.useRelativePaths=false'],
  });
  const root = realpathSync(directory);
  return { ...main, root, directory: join(root, prefixOf(main)), gitDirectory: gitDirectoryOf(root) };
}

/** Removes the work tree at `directory` and what git knows of it, as far as they are there. */
export function removeWorktree(commonDirectory: string, directory: string): void {
  const place = resolveParentLinks(directory);
  removeEntries(commonDirectory, (found) => found === place || found === directory);
  removeTree(directory);
}

/** The same for all worktrees at or below `parent`, whether or not their directories are still there. */
export function removeWorktreesBelow(commonDirectory: string, parent: string): void {
  const place = resolveParentLinks(parent);
  const isBelow = (path: string) => [place, parent].some((over) => `${path}/`.startsWith(`${over}/`));
  for (const directory of removeEntries(commonDirectory, isBelow)) removeTree(directory);
}

/** Returns the directories of the worktrees that git knew. */
function removeEntries(
  commonDirectory: string,
  isSelected: (directory: string) => boolean,
): readonly string[] {
  const entries = join(commonDirectory, 'worktrees');
  const removed: string[] = [];
  for (const name of namesIn(entries)) {
    const directory = directoryOf(join(entries, name));
    if (directory === undefined || !isSelected(directory)) continue;
    rmSync(join(entries, name), { recursive: true, force: true });
    removed.push(directory);
  }
  removeEmpty(entries); // as git does
  return removed;
}

/** Work tree that an entry belongs to. `undefined`: its git was killed before it had noted one. */
function directoryOf(entry: string): string | undefined {
  try {
    const link = readFileSync(join(entry, 'gitdir'), 'utf8').replace(/\n$/, '');
    return link === '' ? undefined : dirname(resolve(entry, link));
  } catch {
    return undefined;
  }
}

function gitDirectoryOf(root: string): string {
  const text = readFileSync(join(root, '.git'), 'utf8');
  return resolve(root, text.replace(/^gitdir: /, '').replace(/\n$/, ''));
}

function prefixOf({ root, directory }: Repository): string {
  return directory.slice(root.length + 1);
}

/** Throws where the one lies in the other: what lies at `directory` is removed, whatever it is. */
export function requireSeparate(root: string, directory: string): void {
  const place = resolveParentLinks(directory);
  if (`${place}/`.startsWith(`${root}/`) || `${root}/`.startsWith(`${place}/`)) {
    throw new Error(`a unit's work tree must be apart from the repository at ${root}, unlike ${directory}`);
  }
}

/** Without symbolic links but for the last name: a link that lies there is not followed, it is removed. */
function resolveParentLinks(directory: string): string {
  return join(resolveLinks(dirname(directory)), basename(directory));
}

function removeTree(directory: string): void {
  const remove = () => rmSync(directory, { recursive: true, force: true, maxRetries: 3, retryDelay: 100 });
  try {
    remove();
  } catch {
    // Package managers make directories read-only (Go's module cache), and nothing in such a one can be removed.
    allowWriting(directory);
    remove();
  }
}

function allowWriting(directory: string): void {
  if (!lstatSync(directory).isDirectory()) return;
  chmodSync(directory, 0o700);
  for (const entry of readdirSync(directory, { withFileTypes: true })) {
    if (entry.isDirectory()) allowWriting(join(directory, entry.name));
  }
}

function namesIn(directory: string): readonly string[] {
  try {
    return readdirSync(directory);
  } catch {
    return [];
  }
}

function removeEmpty(directory: string): void {
  try {
    rmdirSync(directory);
  } catch {
    // Not there, or another worktree is known.
  }
}
