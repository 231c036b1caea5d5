/**
 * Tells what steps wrote from what gates wrote. Two trees are kept: `seen`, the work tree when it was last looked
 * at, and `owned`, the same without what was disowned. A path belongs to whoever wrote it last: a step that
 * changes a file which a gate had formatted takes the file as it then is.
 */
import type { Git } from './git.js';
import { applyUpdates, diffTrees, type TreeUpdate } from './git-tree.js';

export interface Ownership {
  /** A step wrote what changed since the last look. Returns the tree of what is owned now. */
  own(seen: string): Promise<{ readonly tree: string; readonly changed: boolean }>;
  /** No step wrote what changed since the last look. */
  disown(seen: string): void;
  /** What the work tree must be so that the owned files are those of `tree` and the others stay. */
  workTreeFor(tree: string): Promise<string>;
  /** The work tree was made into `seen` with `tree` being what is owned. */
  recordReset(tree: string, seen: string): void;
  /** `placements` were put into the work tree, which became `seen`, and are owned. Returns what is owned now. */
  recordApplied(placements: readonly TreeUpdate[], seen: string): Promise<string>;
}

/** `index` names a file that may be overwritten. */
export function openOwnership(git: Git, index: string, startTree: string): Ownership {
  let owned = startTree;
  let seen = startTree;
  const take = async (placements: readonly TreeUpdate[], now: string): Promise<string> => {
    owned = owned === seen ? now : await applyUpdates(git, index, owned, placements);
    seen = now;
    return owned;
  };
  return {
    async own(now) {
      const changed = now !== seen;
      const written = owned === seen ? [] : await diffTrees(git, seen, now);
      return {
        tree: await take(
          written.map(({ path, after }) => ({ path, entry: after })),
          now,
        ),
        changed,
      };
    },
    disown(now) {
      seen = now;
    },
    async workTreeFor(tree) {
      const foreign = await diffTrees(git, owned, seen);
      if (foreign.length === 0) return tree;
      const moving = new Set((await diffTrees(git, owned, tree)).map(({ path }) => path));
      const staying = foreign.filter(({ path }) => !moving.has(path));
      return applyUpdates(
        git,
        index,
        tree,
        staying.map(({ path, after }) => ({ path, entry: after })),
      );
    },
    recordReset(tree, now) {
      owned = tree;
      seen = now;
    },
    recordApplied: take,
  };
}
