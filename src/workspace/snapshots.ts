/**
 * Recorded states. The tree of a state, as it lies in the work tree, holds everything, also what lay untracked
 * in the start tree. A snapshot's two commits hold only what steps changed, on top of the start commit: that is
 * what can leave this machine. This file turns the one into the other and back.
 */
import type { BytePath } from './byte-path.js';
import type { Git } from './git.js';
import { applyUpdates, diffTrees, type TreeChange } from './git-tree.js';
import { type MergeFiles, mergeOnto } from './merge.js';
import type { Snapshot } from './workspace.js';

export interface Snapshots {
  /** The snapshot of a state whose tree is `tree`; `start` itself where nothing was changed. */
  fromTree(tree: string, message: string): Promise<Snapshot>;
  /** The tree of everything at that state, also of one that an earlier job recorded on another start tree. */
  treeOf(snapshot: Snapshot): Promise<string>;
  /** Notes what the work tree became when the snapshot's change was put into it. */
  remember(snapshot: Snapshot, tree: string): void;
  /** The same states for another work tree of the repository, which works at the same time. */
  forWorktree(place: SnapshotWorktree): Snapshots;
}

/** What one work tree works with, one command after the other. */
export interface SnapshotWorktree extends MergeFiles {
  readonly git: Git;
}

export interface SnapshotSources extends SnapshotWorktree {
  readonly startCommit: string;
  readonly headTree: string;
  /** Tree of the start state, with what lay there untracked or changed. */
  readonly startTree: string;
  /** What the start tree has that the start commit has not. */
  readonly startChanges: readonly TreeChange[];
}

/** What is known of the states recorded so far. */
interface KnownStates {
  /** Tree of everything, by the snapshot's commit. */
  readonly trees: Map<string, string>;
  /** The other way round. */
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
      const before = recorded.get(tree);
      if (before !== undefined) return before;
      const snapshot = await commitChange(sources, tree, message);
      recorded.set(tree, snapshot);
      trees.set(snapshot.commit, tree);
      return snapshot;
    },
    async treeOf(snapshot) {
      const before = trees.get(snapshot.commit);
      if (before !== undefined) return before;
      const { tree } = await mergeOnto(git, sources, startTree, snapshot);
      trees.set(snapshot.commit, tree);
      return tree;
    },
    remember(snapshot, tree) {
      trees.set(snapshot.commit, tree);
    },
    forWorktree: (place) => createSnapshots({ ...sources, ...place }, known),
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
  // On top of the base and not of HEAD: both differ from HEAD only at paths that steps changed.
  const ours = await applyUpdates(git, sources.index, base.tree, after);
  return { base: base.commit, commit: await commitTree(git, ours, base.commit, message) };
}

interface BaseCommit {
  readonly commit: string;
  readonly tree: string;
}

/** The start commit, or the start commit with the start-tree form of those files that a step changed. */
async function commitBase(sources: SnapshotSources, changed: ReadonlySet<BytePath>): Promise<BaseCommit> {
  const { git, index, headTree, startCommit } = sources;
  const touched = sources.startChanges.filter(({ path }) => changed.has(path));
  if (touched.length === 0) return { commit: startCommit, tree: headTree };
  const placements = touched.map(({ path, after }) => ({ path, entry: after }));
  const tree = await applyUpdates(git, index, headTree, placements);
  const message = 'State before the run of files that its steps changed';
  return { commit: await commitTree(git, tree, startCommit, message), tree };
}

async function commitTree(git: Git, tree: string, parent: string, message: string): Promise<string> {
  const { stdout } = await git.run(['commit-tree', tree, '-p', parent], { input: message });
  return stdout.toString('latin1').trim();
}
