/** Puts an earlier job's change into the work tree; all of it or nothing. */
import type { BytePath } from './byte-path.js';
import type { Git } from './git.js';
import { liesBehindLink, look } from './look.js';
import { type MergeFiles, mergeOnto } from './merge.js';
import type { Stage } from './stage.js';
import { diffTrees, type Placement } from './tree.js';
import type { Snapshot } from './workspace.js';

export interface Applied {
  /** Files that cannot be merged; if there is one, nothing was written. */
  readonly conflicts: readonly BytePath[];
  /** What was written. */
  readonly placements: readonly Placement[];
  /** Tree of the work tree afterwards. */
  readonly tree: string;
}

/** `stage` has the private index of the work tree at `root`. */
export async function applySnapshot(
  git: Git,
  stage: Stage,
  files: MergeFiles & { readonly root: string },
  snapshot: Snapshot,
): Promise<Applied> {
  const here = await stage.update();
  const merged = await mergeOnto(git, files, here.tree, snapshot);
  const leftOut = new Set(here.leftOut.map(({ path }) => path));
  const covered = await hidden(git, files.root, here.tree, merged.tree);
  const unsafe = merged.placements.map(({ path }) => path).filter((path) => leftOut.has(path));
  const conflicts = [...new Set([...merged.conflicts, ...covered, ...unsafe])].sort();
  if (conflicts.length > 0) return { conflicts, placements: [], tree: here.tree };
  await stage.checkOut(merged.tree, 'keep');
  return { conflicts, placements: merged.placements, tree: merged.tree };
}

/** New files in whose place something lies that git does not record: an ignored file. */
export async function hidden(git: Git, root: string, from: string, to: string): Promise<readonly BytePath[]> {
  const changes = await diffTrees(git, from, to);
  const directories = new Map<BytePath, boolean>();
  return changes
    .filter(({ before, after }) => before === undefined && after !== undefined)
    .map(({ path }) => path)
    .filter((path) => isTaken(root, path) && !liesBehindLink(path, root, directories));
}

/** A directory is for git to judge: the files in it may be about to go. */
function isTaken(root: string, path: BytePath): boolean {
  return look(path, root)?.isDirectory() === false;
}
