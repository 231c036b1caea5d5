/** The operations of a workspace. They run one after the other because they share one index. */
import { applySnapshot } from './apply.js';
import { type BytePath, bytePathToText, displayPath, toBytePath } from './byte-path.js';
import type { Git } from './git.js';
import { diffTrees, type TreeChange } from './git-tree.js';
import { isRecordedDirectory, listIgnoredNames } from './ignored.js';
import type { LeftOutFile, LeftOutFiles, LeftOutRules } from './left-out-files.js';
import type { MergeFiles } from './merge.js';
import { emptyOutput, removeOutput } from './output-directory.js';
import type { Ownership } from './ownership.js';
import { hasSnapshots, packSnapshots, unpackSnapshots } from './pack.js';
import { patchBetween } from './patch.js';
import { resetWorktree } from './reset.js';
import type { createSerialQueue } from './serial.js';
import type { Snapshots } from './snapshots.js';
import type { StagingIndex } from './staging-index.js';
import type { BranchWorktrees, FileChange, RecordedSnapshot, Snapshot, Workspace } from './workspace.js';

export interface WorkspaceComponents {
  readonly git: Git;
  readonly rules: LeftOutRules;
  readonly stagingIndex: StagingIndex;
  readonly snapshots: Snapshots;
  readonly saveGitState: Workspace['saveGitState'];
  readonly ownership: Ownership;
  readonly leftOut: LeftOutFiles;
  readonly branchWorktrees: BranchWorktrees;
  /** The tree that a re-run compares. */
  readonly startTree: string;
  readonly files: MergeFiles;
  /** Queue for all work with the git of this worktree. */
  readonly runExclusive: ReturnType<typeof createSerialQueue>;
}

export function createWorkspace(parts: WorkspaceComponents): Workspace {
  const { git, files, snapshots, runExclusive, branchWorktrees } = parts;
  const { root, directory, startCommit } = parts.rules.repository;
  const treesOf = async (from: Snapshot, to: Snapshot) =>
    [await snapshots.treeOf(from), await snapshots.treeOf(to)] as const;
  const states = stateOperations(parts);
  return {
    root,
    directory,
    startCommit,
    startTree: parts.startTree,
    branchWorktrees,
    startSnapshot: { base: startCommit, commit: startCommit },
    record: (message) => runExclusive(() => states.record(message)),
    disown: () => runExclusive(() => states.disown()),
    takeUnrecorded: () => runExclusive(() => states.takeUnrecorded()),
    reset: (snapshot) => runExclusive(() => states.reset(snapshot)),
    apply: (snapshot) => runExclusive(() => states.apply(snapshot)),
    changes: (from, to) =>
      runExclusive(async () => {
        const changes = await diffTrees(git, ...(await treesOf(from, to)));
        return changes.map((change) => toChange(change, parts.rules.repository.prefix));
      }),
    patch: (from, to) =>
      runExclusive(async () => patchBetween(git, files.scratch, ...(await treesOf(from, to)))),
    hasSnapshots: (list) => runExclusive(() => hasSnapshots(git, list)),
    findStartDifferences: (snapshot) =>
      runExclusive(async () => {
        const { prefix } = parts.rules.repository;
        const paths = await snapshots.findStartDifferences(snapshot);
        const own = toBytePath(`${bytePathToText(prefix)}.gump/`);
        return paths.filter((path) => !path.startsWith(own)).map((path) => displayPath(path, prefix));
      }),
    pack: (list) => runExclusive(() => packSnapshots(git, startCommit, list)),
    unpack: (pack) => runExclusive(() => unpackSnapshots(git, pack)),
    saveGitState: () =>
      runExclusive(async () => {
        const restore = await parts.saveGitState();
        return () => runExclusive(restore);
      }),
    listIgnoredNames: () => runExclusive(() => listIgnoredNames(git, parts.rules.repository)),
    isRecordedDirectory: (path) => runExclusive(() => isRecordedDirectory(git, parts.rules.repository, path)),
    emptyOutput: () => runExclusive(() => emptyOutput(directory)),
    removeOutput: () => runExclusive(() => removeOutput(directory)),
  };
}

function stateOperations({
  git,
  rules,
  stagingIndex,
  snapshots,
  ownership,
  leftOut,
  files,
}: WorkspaceComponents) {
  const { root, prefix } = rules.repository;
  return {
    async record(message: string): Promise<RecordedSnapshot> {
      const staged = await stagingIndex.update();
      const { tree, changed } = await ownership.own(staged.tree);
      const snapshot = await snapshots.fromTree(tree, message);
      leftOut.bySnapshot.set(snapshot.commit, staged.leftOut);
      return { ...snapshot, leftOut: reportedFiles(staged.leftOut, leftOut.atStart), changed };
    },
    async disown(): Promise<void> {
      ownership.disown((await stagingIndex.update()).tree);
    },
    async takeUnrecorded(): Promise<readonly FileChange[]> {
      const before = ownership.seenTree();
      const { tree } = await stagingIndex.update();
      if (tree === before) return [];
      ownership.disown(tree);
      return (await diffTrees(git, before, tree)).map((change) => toChange(change, prefix));
    },
    async reset(snapshot: Snapshot): Promise<void> {
      const keptFiles = [...leftOut.atStart, ...(leftOut.bySnapshot.get(snapshot.commit) ?? [])];
      const tree = await snapshots.treeOf(snapshot);
      const workTree = await ownership.workTreeFor(tree);
      await resetWorktree(stagingIndex, rules, workTree, new Set(keptFiles.map(({ path }) => path)));
      ownership.recordReset(tree, workTree);
    },
    async apply(snapshot: Snapshot): Promise<readonly string[]> {
      const { conflicts, placements, tree } = await applySnapshot(
        git,
        stagingIndex,
        { ...files, root },
        snapshot,
      );
      if (conflicts.length > 0) return conflicts.map((path) => displayPath(path, prefix));
      snapshots.remember(snapshot, await ownership.recordApplied(placements, tree));
      return [];
    },
  };
}

/** The files to report: those that a step wrote, without files that a rule excludes and files from before the run. */
function reportedFiles(leftOut: readonly LeftOutFile[], atStart: readonly LeftOutFile[]): readonly string[] {
  const known = new Set(atStart.map(({ signature }) => signature));
  return leftOut
    .filter(
      ({ reason, signature }) => reason !== 'dropped' && reason !== 'untouched' && !known.has(signature),
    )
    .map(({ path }) => bytePathToText(path))
    .sort();
}

function toChange({ path, before, after }: TreeChange, prefix: BytePath): FileChange {
  const kind = before === undefined ? 'added' : after === undefined ? 'deleted' : 'modified';
  return { path: displayPath(path, prefix), kind };
}
