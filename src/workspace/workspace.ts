/**
 * The git worktree that agents write to, and its recorded states. docs/checkpoint.md describes what is stored.
 *
 * WORKSPACE1 The user's branch, index, config, hooks and `.gitignore` do not change. The action uses a private git
 *            directory and a private index, and reads only the objects of the user's repository.
 * WORKSPACE2 A snapshot is self-contained: the change base → commit can be applied to any checkout.
 * WORKSPACE3 Files that were untracked in the start tree are not part of a snapshot's change unless a step changed
 *            them.
 */
import type { CommitComparison } from './compare-commits.js';
import type { RepositoryWatch } from './repository-watch.js';

/**
 * A recorded state of the worktree, as commit ids. Both contain only the files that steps changed: `base` their
 * version in the start tree, `commit` the recorded one. If nothing changed, both are the start commit. In a state of
 * version 0.1.0, both contain all files, and `base` is the start commit or a commit on top of it.
 */
export interface Snapshot {
  readonly base: string;
  readonly commit: string;
}

export interface RecordedSnapshot extends Snapshot {
  /** Files of steps that were left out, relative to the repository root: too large or unreadable. */
  readonly leftOut: readonly string[];
  /**
   * Submodules and other repositories in the worktree that changed since the last recorded or disowned state, as paths
   * with a `/` at the end. Their changes are in no snapshot, and a reset does not undo them.
   */
  readonly unstored: readonly string[];
  /** What the step made and git does not record, each path once in a run. */
  readonly notKept: readonly NotKeptPath[];
  /** Whether anything differs from the last recorded or disowned state. */
  readonly changed: boolean;
}

export interface NotKeptPath {
  /** Relative to the repository root. A directory ends with `/`. */
  readonly path: string;
  /** `empty`: an empty directory. `ignored`: a rule that a step added to a `.gitignore` hides it. */
  readonly reason: 'empty' | 'ignored';
}

export interface FileChange {
  /** Relative to the working directory if the file is in it, otherwise to the repository root with a leading `/`. */
  readonly path: string;
  readonly kind: 'added' | 'modified' | 'deleted';
}

/** The worktree of one parallel branch: a linked worktree of the repository, HEAD detached at the start commit. */
export interface BranchWorktree {
  /** Like the main workspace, for this worktree. Snapshots are valid in both. */
  readonly workspace: Workspace;
  /** Removes the worktree and git's entry of it. The workspace cannot be used afterwards. */
  close(): Promise<void>;
}

/** What one parallel branch adds to a merge. */
export interface BranchResult {
  readonly name: string;
  readonly snapshot: Snapshot;
}

/** The names of two parallel branches whose changes conflict. Branches are merged in their declared order. */
export interface ConflictingBranches {
  /** The last of the branches merged before `later` that it conflicts with. */
  readonly earlier: string;
  /** The branch that could not be merged. */
  readonly later: string;
}

export interface BranchConflict {
  /** In the form of `FileChange.path`, sorted. */
  readonly files: readonly string[];
  readonly branches: ConflictingBranches;
}

/** The result of merging the changes of several parallel branches. */
export type BranchMergeResult =
  | { readonly status: 'merged'; readonly snapshot: Snapshot }
  | ({ readonly status: 'conflict' } & BranchConflict)
  | {
      /** The merge would overwrite files of the main worktree that are in no snapshot: ignored or left-out files. */
      readonly status: 'occupied';
      readonly files: readonly string[];
    };

export interface BranchWorktrees {
  /** Throws a `UserError` if git is older than 2.38, which cannot merge trees. Call it before an agent starts. */
  requireMergeSupport(): Promise<void>;
  /**
   * Opens a worktree at `directory` with the state `from` as uncommitted changes and without ignored files.
   * `directory` must be absolute and outside the repository; existing content is removed first. `setUp` gets the
   * working directory in the worktree and adds files that git does not have; what it writes belongs to no step. If
   * it throws, the worktree is removed.
   */
  open(
    directory: string,
    from: Snapshot,
    setUp?: (workingDirectory: string) => Promise<void>,
  ): Promise<BranchWorktree>;
  /**
   * Merges the changes of the branches since `base` in the given order, with git's three-way merge of whole trees.
   * Does not write to a worktree: use `reset` of the main workspace to apply the result.
   */
  merge(base: Snapshot, branches: readonly BranchResult[], message: string): Promise<BranchMergeResult>;
}

export interface SetAsideOptions {
  /** Also the instructions (`AGENTS.md`), not only the settings. */
  readonly withInstructions: boolean;
}

export interface SettingsSetAside {
  /** The files that agents now see as they were in the start tree, relative to the repository root, sorted. */
  readonly paths: readonly string[];
  /** Restores what was set aside. What was changed in the meantime stays. */
  putBack(): Promise<void>;
}

export interface Workspace {
  /** Top directory of the repository, absolute, symbolic links resolved. */
  readonly root: string;
  /** The working directory, absolute, symbolic links resolved: `root` or a directory in it. */
  readonly directory: string;
  /** The commit of HEAD when the run starts. */
  readonly startCommit: string;
  /** Id of the start tree without `.gump/**`; session rule S11 compares it. */
  readonly startTree: string;
  /** The state before any change. */
  readonly startSnapshot: Snapshot;

  /** Records the worktree without ignored files, `.gump/out` and excluded credential files. */
  record(message: string): Promise<RecordedSnapshot>;
  /**
   * Records the worktree while an agent is at work in it. What `record` compares with does not change. Files that are
   * set aside, and those in their place, count as they will be after `putBack`.
   */
  recordRunning(message: string): Promise<Snapshot>;
  /**
   * Records that no step wrote what changed since the last `record` (gates wrote it): it stays in the worktree and
   * belongs to no snapshot.
   */
  disown(): Promise<void>;
  /**
   * The files that changed since the last `record`, `disown`, `reset` or `apply`. They stay in the worktree and belong
   * to no snapshot.
   */
  takeUnrecorded(): Promise<readonly FileChange[]>;
  /** The files that differ between `from` and `to`. */
  changes(from: Snapshot, to: Snapshot): Promise<readonly FileChange[]>;
  /** The same difference as a patch for `git apply`, including binary files. */
  patch(from: Snapshot, to: Snapshot): Promise<string>;
  /**
   * How two commits relate. `undefined` if the checkout does not have what is needed, for example because it is shallow.
   */
  compare(base: string, head: string): Promise<CommitComparison | undefined>;
  /** The difference between two commits as a patch. `undefined` if the checkout does not have them. */
  diffOfCommits(base: string, head: string): Promise<string | undefined>;
  /**
   * Restores the files of steps to their state at `snapshot`. Ignored files and files that no step wrote stay.
   */
  reset(snapshot: Snapshot): Promise<void>;

  /** Whether everything is present that these snapshots changed, after `unpack`. */
  hasSnapshots(snapshots: readonly Snapshot[]): Promise<boolean>;
  /**
   * The files that the snapshot changes and that differ between its start tree and this one, without `.gump/**`. A
   * file that already has its changed content does not count.
   */
  findStartDifferences(snapshot: Snapshot): Promise<readonly string[]>;
  /**
   * The files that differ between the commit, or the tree, and the start tree, in the form of `FileChange.path`, sorted. This
   * includes files that cannot be recorded. Ignored and excluded files do not count. `undefined` if the checkout does
   * not have it.
   */
  startDifferences(commit: string): Promise<readonly string[] | undefined>;
  /**
   * The objects of these snapshots, as one pack. Empty if there is no change. Without those of the commits in
   * `packed`, which must be unpacked first.
   */
  pack(snapshots: readonly Snapshot[], packed?: readonly string[]): Promise<Buffer>;
  /** Adds the objects of an earlier job. */
  unpack(pack: Buffer): Promise<void>;
  /**
   * Merges the change of an earlier job into this worktree. Returns the files that cannot be merged. If there is one,
   * nothing is written.
   */
  apply(snapshot: Snapshot): Promise<readonly string[]>;

  /** What governs the user's git, noted when the workspace was opened. The same for all worktrees of the run. */
  readonly watch: RepositoryWatch;

  /** The worktrees of parallel branches. The workspace of a branch has the same ones as the main workspace. */
  readonly branchWorktrees: BranchWorktrees;

  /** The settings of git that belong to the checkout, as they were when the run started. */
  readonly checkoutSettings: readonly {
    readonly name: string;
    readonly value: string;
    readonly file: string;
  }[];
  /** Saves HEAD, branch and index. The returned function restores them if an agent has moved them. */
  saveGitState(): Promise<() => Promise<void>>;
  /**
   * Gives the worktree the settings files of agent CLIs from the start tree. Call it before an agent starts. Throws a
   * `UserError` if that is not possible: then no agent may start.
   */
  setAsideSettings(options: SetAsideOptions): Promise<SettingsSetAside>;
  /** Top-level names in the working directory that git ignores (`node_modules`, `dist`), sorted. */
  listIgnoredNames(): Promise<readonly string[]>;
  /** Whether the run records or removes files in the directory at this absolute path, which need not exist. */
  isRecordedDirectory(directory: string): Promise<boolean>;
  /** Removes `.gump/out` and creates an empty directory. */
  emptyOutput(): Promise<void>;
  /** Removes `.gump/out`, and also `.gump` if it is empty afterwards. */
  removeOutput(): Promise<void>;
}
