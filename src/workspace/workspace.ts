/**
 * The git work tree the agents write to, and its recorded states (contract 6).
 *
 * W1 The user's branch, index, config, hooks and `.gitignore` stay as they were; everything of ours lies in
 *    a private object directory and a private index.
 * W2 A snapshot is self-contained: the change base → commit can be applied where only the start commit is.
 * W3 Files that lay untracked in the start tree are in no snapshot's change unless a step changed them.
 */

/**
 * A recorded state of the work tree, as commit ids. `base` is the start commit, or a commit on top of it
 * holding the start-tree form of files that differed from the start commit and were then changed by a step.
 */
export interface Snapshot {
  readonly base: string;
  readonly commit: string;
}

export interface RecordedSnapshot extends Snapshot {
  /**
   * What steps made and was left out (paths from the repository root): files that are too large to keep or
   * cannot be read, and, with a `/` at the end, repositories within this one.
   */
  readonly leftOut: readonly string[];
  /** Whether anything differs from the last recorded (or disowned) state of the tree. */
  readonly changed: boolean;
}

export interface FileChange {
  /** From the working directory where the file lies in it, else from the repository root with a leading `/`. */
  readonly path: string;
  readonly kind: 'added' | 'modified' | 'deleted';
}

/** One parallel unit's work tree: a linked worktree of the repository, HEAD detached at the start commit. */
export interface BranchWorktree {
  /** As the main one, for this work tree; snapshots of the one mean the same in the other. */
  readonly workspace: Workspace;
  /** Removes the work tree and what git knows of it. The workspace is of no use afterwards. */
  close(): Promise<void>;
}

/** What became of several units' changes. */
export type WorktreeMergeResult =
  | { readonly status: 'merged'; readonly snapshot: Snapshot }
  | {
      readonly status: 'conflict';
      /** Shown as the paths of a `Change`, sorted. */
      readonly files: readonly string[];
      /** The unit that could not be merged, and the last of the earlier ones that it clashes with. */
      readonly units: readonly [later: string, earlier: string];
    }
  | {
      /** It would overwrite files of the main work tree that no snapshot holds: ignored or left out ones. */
      readonly status: 'occupied';
      readonly files: readonly string[];
    };

export interface BranchWorktrees {
  /** Throws a UserError where git is older than 2.38, which cannot merge: to be asked before an agent starts. */
  requireMergeSupport(): Promise<void>;
  /**
   * A work tree at `directory` that holds the state `from`, its changes uncommitted; ignored files are not
   * there. `directory` is absolute and apart from the repository; what lies there is removed first.
   * `setUp` gets the unit's working directory and brings what git does not have; what it writes belongs to no
   * step. Where it throws, the unit is removed again.
   */
  open(
    directory: string,
    from: Snapshot,
    setUp?: (workingDirectory: string) => Promise<void>,
  ): Promise<BranchWorktree>;
  /**
   * The units' changes since `base` put together in the order given, by git's own three-way merge of whole
   * trees. Nothing is written to a work tree: `reset` of the main one takes the result in.
   */
  merge(
    base: Snapshot,
    units: readonly { readonly name: string; readonly snapshot: Snapshot }[],
    message: string,
  ): Promise<WorktreeMergeResult>;
}

export interface Workspace {
  /** Top of the repository, absolute, symbolic links resolved. */
  readonly root: string;
  /** The working directory, absolute, symbolic links resolved; in `root` or the same. */
  readonly directory: string;
  /** Commit that HEAD names when the run starts. */
  readonly startCommit: string;
  /** Id of the start tree without `.gump/**`: what S11 compares. */
  readonly startTree: string;
  /** The state in which nothing was changed yet. */
  readonly startSnapshot: Snapshot;

  /** Records the work tree as it is now, without ignored files, `.gump/out` and dropped credential files. */
  record(message: string): Promise<RecordedSnapshot>;
  /**
   * What changed since the last `record` was not written by a step (gates wrote it): it stays in the work
   * tree and belongs to no snapshot.
   */
  disown(): Promise<void>;
  /** What differs from `from` to `to`. */
  changes(from: Snapshot, to: Snapshot): Promise<readonly FileChange[]>;
  /** The same as a patch that `git apply` takes (binary files too). */
  patch(from: Snapshot, to: Snapshot): Promise<string>;
  /**
   * Puts the steps' files back to what they were at `snapshot`; ignored files stay, and so does what no
   * step wrote.
   */
  reset(snapshot: Snapshot): Promise<void>;

  /** Whether the checkout knows this commit: the changes of a run that began there can be told only then. */
  hasCommit(commit: string): Promise<boolean>;
  /** The objects of these snapshots that the start commit does not have, as one pack. Empty where there are none. */
  pack(snapshots: readonly Snapshot[]): Promise<Buffer>;
  /** Takes the objects of an earlier job in. */
  unpack(pack: Buffer): Promise<void>;
  /**
   * Puts an earlier job's change into this work tree, merging with what lies here now. Returns the files
   * that cannot be merged; if there is one, nothing was written.
   */
  apply(snapshot: Snapshot): Promise<readonly string[]>;

  /** Work trees next to this one. Those of a unit are the main one's. */
  readonly branchWorktrees: BranchWorktrees;

  /** Notes HEAD, branch and index; the function returned puts them back where an agent moved them. */
  saveGitState(): Promise<() => Promise<void>>;
  /** Top-level names that lie here but are ignored by git (`node_modules`, `dist`), sorted. */
  listIgnoredNames(): Promise<readonly string[]>;
  /** Whether files in the directory at this absolute path, there or not, are the run's to record or to remove. */
  isRecordedDirectory(directory: string): Promise<boolean>;
  /** Removes `.gump/out` and makes it anew, empty. */
  emptyOutput(): Promise<void>;
  /** Removes `.gump/out`, and `.gump` when that leaves it empty. */
  removeOutput(): Promise<void>;
}
