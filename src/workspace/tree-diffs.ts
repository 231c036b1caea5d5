/**
 * Remembers differences between trees, which never change. A step asks several times for the differences between the
 * start tree and the trees that were recorded last, and each answer of git costs a process.
 */
import type { BytePath } from './byte-path.js';
import type { Git } from './git.js';
import { diffTrees, isSameEntry, type TreeChange } from './git-tree.js';

export interface TreeDiffs {
  /** All paths at which `to` differs from `from`, sorted, as `diffTrees`. */
  between(git: Git, from: string, to: string): Promise<readonly TreeChange[]>;
  /** Adds a difference that git found. Kept only if it is one to the start tree. */
  note(difference: TreeDifference): void;
}

export interface TreeDifference {
  readonly from: string;
  readonly to: string;
  readonly changes: readonly TreeChange[];
}

type Changes = ReadonlyMap<BytePath, TreeChange>;

/** The trees of the current step and of the one before. */
const maxTrees = 8;
/** In one difference. Larger ones are not kept in memory. */
const maxChanges = 10_000;

export function openTreeDiffs(startTree: string): TreeDiffs {
  const known = new Map<string, Changes>();
  const changesTo = (tree: string): Changes | undefined => (tree === startTree ? new Map() : known.get(tree));
  const note = ({ from, to, changes }: TreeDifference): void => {
    if (from !== startTree || to === startTree || changes.length > maxChanges) return;
    known.delete(to);
    known.set(to, new Map(changes.map((change) => [change.path, change])));
    for (const oldest of known.keys()) if (known.size > maxTrees) known.delete(oldest);
  };
  return {
    note,
    async between(git, from, to) {
      const [before, after] = [changesTo(from), changesTo(to)];
      if (before !== undefined && after !== undefined) return composeChanges(before, after);
      const changes = await diffTrees(git, from, to);
      note({ from, to, changes });
      return changes;
    },
  };
}

/** The difference between two trees, of which each differs from a third one as given. */
function composeChanges(before: Changes, after: Changes): readonly TreeChange[] {
  const changes: TreeChange[] = [];
  for (const path of new Set([...before.keys(), ...after.keys()])) {
    const [one, other] = [before.get(path), after.get(path)];
    const change = {
      path,
      before: one === undefined ? other?.before : one.after,
      after: other === undefined ? one?.before : other.after,
    };
    if (!isSameEntry(change.before, change.after)) changes.push(change);
  }
  return changes.sort((a, b) => (a.path < b.path ? -1 : 1));
}
