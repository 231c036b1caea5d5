/** Applies the change of an earlier job to the worktree: all of it or nothing. */
import type { BytePath } from './byte-path.js';
import type { Git } from './git.js';
import { diffTrees, type TreeUpdate } from './git-tree.js';
import { type MergeFiles, mergeOnto } from './merge.js';
import { isBehindLink, statPath } from './path-status.js';
import type { StagingIndex } from './staging-index.js';
import type { Snapshot } from './workspace.js';

export interface ApplyResult {
  /** Files that cannot be merged. If there is one, nothing is written. */
  readonly conflicts: readonly BytePath[];
  readonly placements: readonly TreeUpdate[];
  /** Tree of the worktree afterwards. */
  readonly tree: string;
}

export async function applySnapshot(
  git: Git,
  stagingIndex: StagingIndex,
  files: MergeFiles & { readonly root: string },
  snapshot: Snapshot,
): Promise<ApplyResult> {
  const current = await stagingIndex.update();
  const merged = await mergeOnto(git, files, current.tree, snapshot);
  const leftOut = new Set(current.leftOut.map(({ path }) => path));
  const blocked = await findBlockedPaths(git, files.root, current.tree, merged.tree);
  const unsafe = merged.updates.map(({ path }) => path).filter((path) => leftOut.has(path));
  const conflicts = [...new Set([...merged.conflicts, ...blocked, ...unsafe])].sort();
  if (conflicts.length > 0) return { conflicts, placements: [], tree: current.tree };
  await stagingIndex.checkOutTree(merged.tree, 'keep');
  return { conflicts, placements: merged.updates, tree: merged.tree };
}

/** New files whose path is already used by a file that git does not record: an ignored one. */
export async function findBlockedPaths(
  git: Git,
  root: string,
  from: string,
  to: string,
): Promise<readonly BytePath[]> {
  const changes = await diffTrees(git, from, to);
  const directories = new Map<BytePath, boolean>();
  return changes
    .filter(({ before, after }) => before === undefined && after !== undefined)
    .map(({ path }) => path)
    .filter((path) => isTaken(root, path) && !isBehindLink(path, root, directories));
}

/** A directory does not count: git checks it, because the change may remove the files in it. */
function isTaken(root: string, path: BytePath): boolean {
  return statPath(path, root)?.isDirectory() === false;
}
