/**
 * Converts between the tree of a recorded state and its snapshot. The tree contains all recorded files of the
 * worktree, including files that were untracked in the start tree. The two commits of the snapshot contain only
 * the files that steps changed, before and after, and only this may leave the machine. They need no other commit, so
 * a re-run can use them in a checkout that has none of the old commits.
 */
import type { BytePath } from './byte-path.js';
import type { Git } from './git.js';
import type { ObjectWriter } from './git-objects.js';
import { diffTrees, isSameEntry, listTree, type TreeChange, type TreeEntry } from './git-tree.js';
import { currentEntry, type ListFiles, type MergeFiles, mergeOnto } from './merge.js';
import { openTreeDiffs, type TreeDifference, type TreeDiffs } from './tree-diffs.js';
import type { Snapshot } from './workspace.js';

export interface Snapshots {
  /** The snapshot of the state with this tree; the start commit if nothing changed. */
  fromTree(tree: string, message: string): Promise<Snapshot>;
  /** The complete tree of that state, also if an earlier job recorded it on another start tree. */
  treeOf(snapshot: Snapshot): Promise<string>;
  /** The files of the snapshot's change whose content in the start tree is neither that before nor that after it. */
  findStartDifferences(snapshot: Snapshot): Promise<readonly BytePath[]>;
  /** Records the tree of the worktree after the snapshot's change was applied to it. */
  remember(snapshot: Snapshot, tree: string): Promise<void>;
  /** The paths at which two complete trees differ. */
  between(from: string, to: string): Promise<readonly TreeChange[]>;
  /** Adds a difference between two trees that is already known. */
  noteDifference(difference: TreeDifference): void;
  /** The same states for another worktree of the repository, which is used at the same time. */
  forWorktree(worktree: SnapshotWorktree): Snapshots;
}

/** The git and the files of one worktree, used by one command at a time. */
export interface SnapshotWorktree extends MergeFiles {
  readonly git: Git;
}

export interface SnapshotSources extends SnapshotWorktree {
  readonly startCommit: string;
  /** The start tree, including untracked and changed files. */
  readonly startTree: string;
  readonly objects: ObjectWriter;
}

/** The states recorded so far. */
interface KnownStates {
  /** Complete tree by the snapshot's commit. */
  readonly trees: Map<string, string>;
  /** Snapshot by its complete tree. */
  readonly recorded: Map<string, Snapshot>;
  /**
   * Changes of restored states that the start tree already contains. Snapshots contain them, too: the start tree of a
   * later job may not have them.
   */
  readonly present: Map<BytePath, TreeChange>;
  readonly diffs: TreeDiffs;
}

export function openSnapshots(sources: SnapshotSources): Snapshots {
  const { startCommit, startTree } = sources;
  return createSnapshots(sources, {
    trees: new Map([[startCommit, startTree]]),
    recorded: new Map([[startTree, { base: startCommit, commit: startCommit }]]),
    present: new Map(),
    diffs: openTreeDiffs(startTree),
  });
}

function createSnapshots(sources: SnapshotSources, known: KnownStates): Snapshots {
  const { git, startTree } = sources;
  const { trees, recorded, present, diffs } = known;
  let startFiles: ReturnType<ListFiles> | undefined;
  const listStartFiles = () => {
    startFiles ??= listTree(git, startTree);
    return startFiles;
  };
  return {
    async fromTree(tree, message) {
      const existing = recorded.get(tree);
      if (existing !== undefined) return existing;
      const changes = new Map([
        ...present,
        ...(await diffs.between(git, startTree, tree)).map((change) => [change.path, change] as const),
      ]);
      const snapshot = commitChange(sources.objects, [...changes.values()], message);
      recorded.set(tree, snapshot);
      trees.set(snapshot.commit, tree);
      return snapshot;
    },
    async treeOf(snapshot) {
      const known = trees.get(snapshot.commit);
      if (known !== undefined) return known;
      if (snapshot.base === snapshot.commit) return startTree;
      const { tree } = await mergeOnto(git, sources, startTree, snapshot, listStartFiles);
      trees.set(snapshot.commit, tree);
      return tree;
    },
    async findStartDifferences({ base, commit }) {
      const changes = await diffTrees(git, base, commit);
      if (changes.length === 0) return [];
      const files = await listStartFiles();
      const isKnown = (change: TreeChange) => {
        const current = currentEntry(sources, change, files);
        return isSameEntry(current, change.before) || isSameEntry(current, change.after);
      };
      return changes.filter((change) => !isKnown(change)).map(({ path }) => path);
    },
    async remember(snapshot, tree) {
      trees.set(snapshot.commit, tree);
      const changes = await diffTrees(git, snapshot.base, snapshot.commit);
      if (changes.length === 0) return;
      const files = await listStartFiles();
      for (const change of changes)
        if (isSameEntry(currentEntry(sources, change, files), change.after)) present.set(change.path, change);
      if (present.size > 0) recorded.delete(startTree);
    },
    between: (from, to) => diffs.between(git, from, to),
    noteDifference: diffs.note,
    forWorktree: (worktree) => createSnapshots({ ...sources, ...worktree }, known),
  };
}

function commitChange(objects: ObjectWriter, changes: readonly TreeChange[], message: string): Snapshot {
  const base = objects.commit(
    objects.tree(filesOf(changes, 'before')),
    undefined,
    'Start tree version of files that steps changed',
  );
  return { base, commit: objects.commit(objects.tree(filesOf(changes, 'after')), base, message) };
}

function filesOf(changes: readonly TreeChange[], side: 'before' | 'after'): ReadonlyMap<string, TreeEntry> {
  return new Map(
    changes.flatMap(({ path, [side]: entry }) => (entry === undefined ? [] : [[path, entry] as const])),
  );
}
