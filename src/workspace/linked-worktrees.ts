/**
 * Adds and removes linked worktrees by git's files (gitrepository-layout(5)): each worktree has
 * an entry, a directory in `worktrees` of the common directory. The file `gitdir` of the entry contains the path of
 * the `.git` file of the worktree.
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
  writeFileSync,
} from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import { resolveLinks } from './ignored.js';
import type { Repository } from './repository.js';

/**
 * Adds a worktree at `directory` with a detached HEAD at the start commit, without index and files. Removes what is
 * at `directory` and git's entry of an earlier worktree there, which a killed job may have left locked. Writes the
 * files itself, because `git worktree add` would follow the settings of the repository.
 */
export function addWorktree(main: Repository, directory: string): Repository {
  removeWorktree(main.commonDirectory, directory);
  mkdirSync(directory, { recursive: true });
  const root = realpathSync(directory);
  const gitDirectory = createEntry(join(main.commonDirectory, 'worktrees'), basename(root));
  // In this order: an entry with a path belongs to a worktree and is removed with it.
  writeFileSync(join(gitDirectory, 'gitdir'), `${join(root, '.git')}\n`);
  writeFileSync(join(gitDirectory, 'HEAD'), `${main.startCommit}\n`);
  writeFileSync(join(gitDirectory, 'commondir'), '../..\n');
  writeFileSync(join(root, '.git'), `gitdir: ${gitDirectory}\n`);
  return { ...main, root, directory: join(root, prefixOf(main)), gitDirectory };
}

/** A new directory with this name, or with a number after it. */
function createEntry(entries: string, name: string): string {
  mkdirSync(entries, { recursive: true });
  for (let number = 0; ; number += 1) {
    const entry = join(entries, number === 0 ? name : `${name}${number}`);
    try {
      mkdirSync(entry);
      return entry;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    }
  }
}

/** Removes the worktree at `directory` and git's entry of it, if they exist. */
export function removeWorktree(commonDirectory: string, directory: string): void {
  const resolved = resolveParentLinks(directory);
  removeEntries(commonDirectory, (found) => found === resolved || found === directory);
  removeTree(directory);
}

/** Removes all worktrees at or below `parent`, whether or not their directories still exist. */
export function removeWorktreesBelow(commonDirectory: string, parent: string): void {
  const resolved = resolveParentLinks(parent);
  const isBelow = (path: string) => [resolved, parent].some((above) => `${path}/`.startsWith(`${above}/`));
  for (const directory of removeEntries(commonDirectory, isBelow)) removeTree(directory);
}

/** Returns the directories of the worktrees whose entries were removed. */
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
  removeEmpty(entries); // git does the same
  return removed;
}

/** Worktree that an entry belongs to. `undefined` if git was killed before it wrote the path. */
function directoryOf(entry: string): string | undefined {
  try {
    const link = readFileSync(join(entry, 'gitdir'), 'utf8').replace(/\n$/, '');
    return link === '' ? undefined : dirname(resolve(entry, link));
  } catch {
    return undefined;
  }
}

function prefixOf({ root, directory }: Repository): string {
  return directory.slice(root.length + 1);
}

/** Throws if one is inside the other, because whatever is at `directory` is removed. */
export function requireSeparate(root: string, directory: string): void {
  const resolved = resolveParentLinks(directory);
  if (`${resolved}/`.startsWith(`${root}/`) || `${root}/`.startsWith(`${resolved}/`)) {
    throw new Error(
      `the worktree of a parallel branch must be outside the repository at ${root}, but its path is ${directory}`,
    );
  }
}

/** Resolves symbolic links except in the last name: a link at that path is removed, not followed. */
function resolveParentLinks(directory: string): string {
  return join(resolveLinks(dirname(directory)), basename(directory));
}

function removeTree(directory: string): void {
  const remove = () => rmSync(directory, { recursive: true, force: true, maxRetries: 3, retryDelay: 100 });
  try {
    remove();
  } catch {
    // Package managers make directories read-only (Go's module cache), and files in them cannot be removed.
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
    // It does not exist, or it contains the entry of another worktree.
  }
}
