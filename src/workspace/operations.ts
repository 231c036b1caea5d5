/** The operations of a workspace. They run one after the other because they share one index. */
import { UserError } from '../failure.js';
import { applySnapshot } from './apply.js';
import { type BytePath, bytePathToText, displayPath, toBytePath } from './byte-path.js';
import { compareCommits, diffOfCommits } from './compare-commits.js';
import { isExcluded } from './exclude-rules.js';
import type { Git } from './git.js';
import { applyUpdates, diffTrees, type TreeChange } from './git-tree.js';
import { isRecordedDirectory, listIgnoredNames } from './ignored.js';
import { type InnerRepositories, nestedIn } from './inner-repositories.js';
import type { LeftOutFile, LeftOutFiles, LeftOutReason, LeftOutRules } from './left-out-files.js';
import { isOnlyConverted, type MergeFiles } from './merge.js';
import type { NotKeptPaths } from './not-kept.js';
import { emptyOutput, removeOutput } from './output-directory.js';
import type { Ownership } from './ownership.js';
import { hasSnapshots, hasTree, packSnapshots, unpackSnapshots } from './pack.js';
import { patchBetween } from './patch.js';
import type { RepositoryWatch } from './repository-watch.js';
import { resetWorktree } from './reset.js';
import type { createSerialQueue } from './serial.js';
import type { Snapshots } from './snapshots.js';
import type { StagingIndex } from './staging-index.js';
import type { ActiveStartSettings, StartSettings } from './start-settings.js';
import type { BranchWorktrees, FileChange, RecordedSnapshot, Snapshot, Workspace } from './workspace.js';

export interface WorkspaceComponents {
  readonly git: Git;
  readonly rules: LeftOutRules;
  readonly stagingIndex: StagingIndex;
  readonly snapshots: Snapshots;
  readonly saveGitState: Workspace['saveGitState'];
  readonly startSettings: StartSettings;
  readonly ownership: Ownership;
  readonly innerRepositories: InnerRepositories;
  readonly notKept: NotKeptPaths;
  readonly leftOut: LeftOutFiles;
  readonly branchWorktrees: BranchWorktrees;
  readonly checkoutSettings: Workspace['checkoutSettings'];
  readonly watch: RepositoryWatch;
  /** The tree that a re-run compares. */
  readonly startTree: string;
  readonly files: MergeFiles;
  readonly isPartial: boolean;
  /** Queue for all work with the git of this worktree. */
  readonly runExclusive: ReturnType<typeof createSerialQueue>;
  /** For work that only reads objects, the index and ignore rules. It need not wait for other work. */
  readonly reader: WorkspaceReader;
}

export interface WorkspaceReader {
  readonly git: Git;
  /** Queue for all work with this git. */
  readonly runExclusive: ReturnType<typeof createSerialQueue>;
}

export function createWorkspace(parts: WorkspaceComponents): Workspace {
  const { git, files, snapshots, runExclusive, reader, branchWorktrees } = parts;
  const { root, directory, startCommit } = parts.rules.repository;
  const treesOf = async (from: Snapshot, to: Snapshot) =>
    [await snapshots.treeOf(from), await snapshots.treeOf(to)] as const;
  const states = stateOperations(parts);
  /** While an agent is at work. */
  let settings: ActiveStartSettings | undefined;
  const runOnState = <T>(task: () => Promise<T>): Promise<T> =>
    runExclusive(() => task().catch((error: unknown) => explainLoss(parts, error)));
  return {
    root,
    directory,
    startCommit,
    startTree: parts.startTree,
    branchWorktrees,
    checkoutSettings: parts.checkoutSettings,
    watch: parts.watch,
    startSnapshot: { base: startCommit, commit: startCommit },
    record: (message) => runOnState(() => states.record(message)),
    recordRunning: (message) => runOnState(() => states.recordRunning(message, settings)),
    disown: () => runOnState(() => states.disown()),
    takeUnrecorded: () => runOnState(() => states.takeUnrecorded()),
    reset: (snapshot) => runOnState(() => states.reset(snapshot)),
    apply: (snapshot) => runOnState(() => states.apply(snapshot)),
    changes: (from, to) =>
      runExclusive(async () => {
        const changes = await snapshots.between(...(await treesOf(from, to)));
        return changes.map((change) => toChange(change, parts.rules.repository.prefix));
      }),
    patch: (from, to) =>
      runExclusive(async () => patchBetween(git, files.scratch, ...(await treesOf(from, to)))),
    compare: (base, head) => reader.runExclusive(() => compareCommits(reader.git, base, head)),
    diffOfCommits: (base, head) => runExclusive(() => diffOfCommits(git, files.scratch, base, head)),
    startDifferences: (commit) => runExclusive(() => startDifferences(parts, commit)),
    hasSnapshots: (list) => runExclusive(() => hasSnapshots(git, list)),
    findStartDifferences: (snapshot) =>
      runExclusive(async () => {
        const { prefix } = parts.rules.repository;
        const paths = await snapshots.findStartDifferences(snapshot);
        const own = toBytePath(`${bytePathToText(prefix)}.gump/`);
        return paths.filter((path) => !path.startsWith(own)).map((path) => displayPath(path, prefix));
      }),
    pack: (list, packed) =>
      reader.runExclusive(() =>
        packSnapshots(reader.git, { startCommit, isPartial: parts.isPartial }, list, packed),
      ),
    unpack: (pack) => runExclusive(() => unpackSnapshots(git, pack)),
    saveGitState: () =>
      runOnState(async () => {
        const restore = await parts.saveGitState();
        return () => runOnState(restore);
      }),
    setAsideSettings: (options) =>
      runExclusive(async () => {
        const aside = parts.startSettings.setAside(options);
        settings = aside;
        const putBack = async (): Promise<void> => {
          settings = undefined;
          aside.putBack();
        };
        return { paths: aside.paths, putBack: () => runExclusive(putBack) };
      }),
    listIgnoredNames: () => reader.runExclusive(() => listIgnoredNames(reader.git, parts.rules.repository)),
    isRecordedDirectory: (path) => runExclusive(() => isRecordedDirectory(git, parts.rules.repository, path)),
    emptyOutput: () => runExclusive(() => emptyOutput(directory)),
    removeOutput: () => runExclusive(() => removeOutput(directory)),
  };
}

/** Without the objects of the start commit, nothing can be recorded or restored. */
async function explainLoss({ git, rules }: WorkspaceComponents, error: unknown): Promise<never> {
  const { root, startCommit } = rules.repository;
  if (await hasTree(git, startCommit)) throw error;
  throw new UserError(
    `The git repository of the checkout is damaged: commit ${startCommit} cannot be read in \`${root}\`. ` +
      'An agent or a command removed or replaced `.git`, so the work of this attempt is not recorded. Re-run the job.',
  );
}

function stateOperations({
  git,
  rules,
  stagingIndex,
  snapshots,
  ownership,
  innerRepositories,
  notKept,
  leftOut,
  files,
}: WorkspaceComponents) {
  const { root, prefix } = rules.repository;
  return {
    async record(message: string): Promise<RecordedSnapshot> {
      const staged = await stagingIndex.update();
      if (staged.difference !== undefined) snapshots.noteDifference(staged.difference);
      const { tree, changed } = await ownership.own(staged.tree);
      const snapshot = await snapshots.fromTree(tree, message);
      leftOut.bySnapshot.set(snapshot.commit, staged.leftOut);
      const unstored = await innerRepositories.findChanged(nestedIn(staged.leftOut));
      return {
        ...snapshot,
        leftOut: reportedFiles(staged.leftOut, leftOut.atStart),
        unstored: unstored.map(bytePathToText),
        notKept: await notKept.find(staged.changed),
        changed,
      };
    },
    async recordRunning(
      message: string,
      settings: Pick<ActiveStartSettings, 'isUndoneAt'> | undefined,
    ): Promise<Snapshot> {
      const staged = await stagingIndex.preview();
      const seen = settings === undefined ? [] : await diffTrees(git, ownership.seenTree(), staged.tree);
      const undone = seen.filter(({ path }) => settings?.isUndoneAt(path));
      const updates = undone.map(({ path, before }) => ({ path, entry: before }));
      const tree = await ownership.ownable(await applyUpdates(git, files.index, staged.tree, updates));
      const snapshot = await snapshots.fromTree(tree, message);
      leftOut.bySnapshot.set(snapshot.commit, staged.leftOut);
      return snapshot;
    },
    async disown(): Promise<void> {
      const staged = await stagingIndex.update();
      ownership.disown(staged.tree);
      await innerRepositories.findChanged(nestedIn(staged.leftOut));
      await notKept.skip(staged.changed);
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
      await snapshots.remember(snapshot, await ownership.recordApplied(placements, tree));
      return [];
    },
  };
}

async function startDifferences(
  { git, rules, snapshots, leftOut, files }: WorkspaceComponents,
  commit: string,
): Promise<readonly string[] | undefined> {
  const { startCommit, prefix } = rules.repository;
  // Anything else could be an option of git.
  if (!/^[0-9a-f]{40,64}$/.test(commit) || !(await hasTree(git, commit))) return undefined;
  const startTree = await snapshots.treeOf({ base: startCommit, commit: startCommit });
  const differing = await diffTrees(git, commit, startTree);
  const changes = differing.filter((change) => !isOnlyConverted(files.converted, change));
  const unrecorded = leftOut.atStart.filter(({ reason }) => reason !== 'dropped' && reason !== 'untouched');
  const paths = [...changes, ...unrecorded]
    .map(({ path }) => path)
    .filter((path) => !isExcluded(path, prefix));
  return [...new Set(paths.map((path) => displayPath(path, prefix)))].sort();
}

const unreported: ReadonlySet<LeftOutReason> = new Set(['dropped', 'untouched', 'nested']);

/** The files to report: those that a step wrote, without files that a rule excludes and files from before the run. */
function reportedFiles(leftOut: readonly LeftOutFile[], atStart: readonly LeftOutFile[]): readonly string[] {
  const known = new Set(atStart.map(({ signature }) => signature));
  return leftOut
    .filter(({ reason, signature }) => !unreported.has(reason) && !known.has(signature))
    .map(({ path }) => bytePathToText(path))
    .sort();
}

function toChange({ path, before, after }: TreeChange, prefix: BytePath): FileChange {
  const kind = before === undefined ? 'added' : after === undefined ? 'deleted' : 'modified';
  return { path: displayPath(path, prefix), kind };
}
