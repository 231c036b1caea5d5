/**
 * Separates what steps wrote from what gates wrote. Keeps two trees: `seen` is the worktree at the last check, and
 * `owned` is the same without the disowned changes. The last writer of a path owns it: if a step changes a file
 * that a gate has formatted, the step owns the whole file.
 */
import type { Git } from './git.js';
import { applyUpdates, diffTrees, type TreeUpdate } from './git-tree.js';

export interface Ownership {
  /** Records that a step wrote what changed since the last check. Returns the tree of all owned files. */
  own(seen: string): Promise<{ readonly tree: string; readonly changed: boolean }>;
  /** The tree that `own` would return. */
  ownable(seen: string): Promise<string>;
  /** The worktree at the last check. */
  seenTree(): string;
  /** Records that no step wrote what changed since the last check. */
  disown(seen: string): void;
  /** The worktree in which the owned files are those of `tree` and the other files stay. */
  workTreeFor(tree: string): Promise<string>;
  /** Records that the worktree was reset to `seen`, of which `tree` is owned. */
  recordReset(tree: string, seen: string): void;
  /**
   * Records that `placements` were written to the worktree, which became `seen`, and that they are owned. Returns the
   * tree of all owned files.
   */
  recordApplied(placements: readonly TreeUpdate[], seen: string): Promise<string>;
}

/** `index` is the path of a file that may be overwritten. */
export function openOwnership(git: Git, index: string, startTree: string): Ownership {
  let owned = startTree;
  let seen = startTree;
  const take = async (placements: readonly TreeUpdate[], now: string): Promise<string> => {
    owned = owned === seen ? now : await applyUpdates(git, index, owned, placements);
    seen = now;
    return owned;
  };
  /** Not needed if every file is owned. */
  const writtenSince = async (now: string): Promise<readonly TreeUpdate[]> =>
    owned === seen
      ? []
      : (await diffTrees(git, seen, now)).map(({ path, after }) => ({ path, entry: after }));
  return {
    async own(now) {
      const changed = now !== seen;
      return { tree: await take(await writtenSince(now), now), changed };
    },
    ownable: async (now) => (owned === seen ? now : applyUpdates(git, index, owned, await writtenSince(now))),
    seenTree: () => seen,
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
