/**
 * Converts between the tree of a recorded state and its snapshot. The tree contains all recorded files of the
 * worktree, including files that were untracked in the start tree. The two commits of the snapshot contain only
 * what steps changed, on top of the start commit, and only this may leave the machine.
 */
import type { BytePath } from './byte-path.js';
import type { Git } from './git.js';
import { applyUpdates, diffTrees, type TreeChange } from './git-tree.js';
import { type MergeFiles, mergeOnto } from './merge.js';
import type { Snapshot } from './workspace.js';

export interface Snapshots {
  /** The snapshot of the state with this tree; the start commit if nothing changed. */
  fromTree(tree: string, message: string): Promise<Snapshot>;
  /** The complete tree of that state, also if an earlier job recorded it on another start tree. */
  treeOf(snapshot: Snapshot): Promise<string>;
  /** Records the tree of the worktree after the snapshot's change was applied to it. */
  remember(snapshot: Snapshot, tree: string): void;
  /** The same states for another worktree of the repository, which is used at the same time. */
  forWorktree(worktree: SnapshotWorktree): Snapshots;
}

/** The git and the files of one worktree, used by one command at a time. */
export interface SnapshotWorktree extends MergeFiles {
  readonly git: Git;
}

export interface SnapshotSources extends SnapshotWorktree {
  readonly startCommit: string;
  readonly headTree: string;
  /** The start tree, including untracked and changed files. */
  readonly startTree: string;
  /** The difference between the start commit and the start tree. */
  readonly startChanges: readonly TreeChange[];
}

/** The states recorded so far. */
interface KnownStates {
  /** Complete tree by the snapshot's commit. */
  readonly trees: Map<string, string>;
  /** Snapshot by its complete tree. */
  readonly recorded: Map<string, Snapshot>;
}

export function openSnapshots(sources: SnapshotSources): Snapshots {
  const { startCommit, startTree } = sources;
  return createSnapshots(sources, {
    trees: new Map([[startCommit, startTree]]),
    recorded: new Map([[startTree, { base: startCommit, commit: startCommit }]]),
  });
}

function createSnapshots(sources: SnapshotSources, known: KnownStates): Snapshots {
  const { git, startTree } = sources;
  const { trees, recorded } = known;
  return {
    async fromTree(tree, message) {
      const existing = recorded.get(tree);
      if (existing !== undefined) return existing;
      const snapshot = await commitChange(sources, tree, message);
      recorded.set(tree, snapshot);
      trees.set(snapshot.commit, tree);
      return snapshot;
    },
    async treeOf(snapshot) {
      const known = trees.get(snapshot.commit);
      if (known !== undefined) return known;
      const { tree } = await mergeOnto(git, sources, startTree, snapshot);
      trees.set(snapshot.commit, tree);
      return tree;
    },
    remember(snapshot, tree) {
      trees.set(snapshot.commit, tree);
    },
    forWorktree: (worktree) => createSnapshots({ ...sources, ...worktree }, known),
  };
}

async function commitChange(sources: SnapshotSources, tree: string, message: string): Promise<Snapshot> {
  const { git, startCommit, startChanges } = sources;
  if (startChanges.length === 0) {
    return { base: startCommit, commit: await commitTree(git, tree, startCommit, message) };
  }
  const changes = await diffTrees(git, sources.startTree, tree);
  const base = await commitBase(sources, new Set(changes.map(({ path }) => path)));
  const after = changes.map(({ path, after }) => ({ path, entry: after }));
  // The tree starts from the base, not from HEAD: both differ from HEAD only at paths that steps changed.
  const ours = await applyUpdates(git, sources.index, base.tree, after);
  return { base: base.commit, commit: await commitTree(git, ours, base.commit, message) };
}

interface BaseCommit {
  readonly commit: string;
  readonly tree: string;
}

/** The start commit, or a commit on top of it with the start-tree version of the files that a step changed. */
async function commitBase(sources: SnapshotSources, changed: ReadonlySet<BytePath>): Promise<BaseCommit> {
  const { git, index, headTree, startCommit } = sources;
  const touched = sources.startChanges.filter(({ path }) => changed.has(path));
  if (touched.length === 0) return { commit: startCommit, tree: headTree };
  const placements = touched.map(({ path, after }) => ({ path, entry: after }));
  const tree = await applyUpdates(git, index, headTree, placements);
  const message = 'Start tree version of files that steps changed';
  return { commit: await commitTree(git, tree, startCommit, message), tree };
}

async function commitTree(git: Git, tree: string, parent: string, message: string): Promise<string> {
  const { stdout } = await git.run(['commit-tree', tree, '-p', parent], { input: message });
  return stdout.toString('latin1').trim();
}
