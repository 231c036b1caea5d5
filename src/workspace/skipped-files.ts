/**
 * Files of a sparse checkout that are not in the worktree. git marks them in its index and does not look at them: a
 * file that a step writes at such a path would not be recorded, and a restore would not write it. So the mark of a
 * file is removed as soon as the file is there, or when a recorded tree has another version of it.
 */
import { rmSync } from 'node:fs';
import { absolutePath, type BytePath, bytesOf } from './byte-path.js';
import type { Git } from './git.js';
import type { IndexEntry } from './index-listing.js';
import { statPath } from './path-status.js';

export interface SkippedFiles {
  /** Marks nothing any more that is in the worktree. Starts no process if nothing is. */
  revealPresent(): Promise<void>;
  /** The same for these files, which are about to be written. */
  reveal(paths: readonly BytePath[]): Promise<void>;
  /** Whether there is anything to do. Without a sparse checkout there is not. */
  readonly isEmpty: boolean;
  /** Removes files that were not in the worktree at the start, except `changed`, and marks them again. */
  hide(changed: ReadonlySet<BytePath>): Promise<void>;
}

/** Folders and files that git skips. A file is `null`. */
type Folder = Map<string, Folder | null>;

/** Clears marks that hide changes of files in the worktree. `entries`: of the index of `git`. */
export async function openSkippedFiles(
  git: Git,
  root: string,
  entries: readonly IndexEntry[],
): Promise<SkippedFiles> {
  const assumed = entries.flatMap(({ path, isAssumedUnchanged }) => (isAssumedUnchanged ? [path] : []));
  await mark(git, '--no-assume-unchanged', assumed);
  const skipped = entries.flatMap(({ path, isSkipped }) => (isSkipped ? [path] : []));
  const present = skipped.filter((path) => statPath(path, root) !== undefined);
  await mark(git, '--no-skip-worktree', present);
  const isPresent = new Set(present);
  const hidden = new Set(skipped.filter((path) => !isPresent.has(path)));
  const folders = toFolders(hidden);
  const revealed = new Set<BytePath>();
  const reveal = async (paths: readonly BytePath[]): Promise<void> => {
    const found = paths.filter((path) => hidden.has(path) && !revealed.has(path));
    for (const path of found) revealed.add(path);
    await mark(git, '--no-skip-worktree', found);
  };
  return {
    isEmpty: hidden.size === 0,
    revealPresent: () => reveal(findPresent(folders, '', root)),
    reveal,
    async hide(changed) {
      const back = [...revealed].filter((path) => !changed.has(path));
      if (back.length === 0) return;
      for (const path of back) {
        rmSync(absolutePath(root, path), { force: true });
        revealed.delete(path);
      }
      await mark(git, '--skip-worktree', back);
    },
  };
}

async function mark(git: Git, option: string, paths: readonly BytePath[]): Promise<void> {
  if (paths.length === 0) return;
  const input = bytesOf(paths.map((path) => `${path}\0`).join(''));
  await git.run(['update-index', option, '-z', '--stdin'], { input });
}

function toFolders(paths: ReadonlySet<BytePath>): Folder {
  const top: Folder = new Map();
  for (const path of paths) {
    const names = path.split('/');
    let folder = top;
    for (const name of names.slice(0, -1)) {
      const next = folder.get(name) ?? new Map();
      folder.set(name, next);
      folder = next;
    }
    folder.set(names.at(-1) ?? '', null);
  }
  return top;
}

/** Looks only into folders that exist: a sparse checkout leaves out whole folders. */
function findPresent(folder: Folder, prefix: BytePath, root: string): readonly BytePath[] {
  return [...folder].flatMap(([name, inner]) => {
    const path = prefix + name;
    const found = statPath(path, root);
    if (found === undefined) return [];
    if (inner === null) return [path];
    return found.isDirectory() ? findPresent(inner, `${path}/`, root) : [];
  });
}
