/** Creates the worktree of one parallel branch and records its first state. */
import { copyFileSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { openAgentFileFinder } from './agent-files.js';
import type { Git } from './git.js';
import { openGitStateSaver } from './git-state.js';
import { diffTrees } from './git-tree.js';
import { listIgnoredPaths } from './ignored.js';
import { listIndex } from './index-listing.js';
import { nestedIn, openInnerRepositories } from './inner-repositories.js';
import { type KeptFiles, keepFiles } from './kept-files.js';
import type { LeftOutRules } from './left-out-files.js';
import type { MergeFiles } from './merge.js';
import { openNotKept } from './not-kept.js';
import { createWorkspace, type WorkspaceComponents } from './operations.js';
import { openOwnership } from './ownership.js';
import { openPrivateGit, privateFiles } from './private-git.js';
import type { PrivateRepository } from './private-repository.js';
import type { Repository } from './repository.js';
import type { RepositoryWatch } from './repository-watch.js';
import { createSerialQueue } from './serial.js';
import type { Shell } from './shell.js';
import { openSkippedFiles } from './skipped-files.js';
import type { Snapshots } from './snapshots.js';
import { copyIndex, openStagingIndex } from './staging-index.js';
import { openStartSettings, type StartSettingsOptions } from './start-settings.js';
import type { BranchWorktrees, Workspace } from './workspace.js';

export interface BranchWorkspaceOptions {
  /** The worktree's own, from `addWorktree`. */
  readonly repository: Repository;
  readonly own: PrivateRepository;
  /** Tree of the state that the worktree starts from. */
  readonly tree: string;
  readonly shell: Shell;
  /** The directory that the shell runs in. */
  readonly privateDirectory: string;
  /** Private directory of the main workspace, which has the objects and the exclude file. */
  readonly sharedDirectory: string;
  readonly maximumFileBytes: number;
  readonly agentSettings: Omit<StartSettingsOptions, 'repository' | 'finder'>;
  readonly snapshots: Snapshots;
  readonly checkoutSettings: Workspace['checkoutSettings'];
  readonly converted: MergeFiles['converted'];
  readonly startTree: string;
  readonly branchWorktrees: BranchWorktrees;
  readonly watch: RepositoryWatch;
  readonly setUp: (workingDirectory: string) => Promise<void>;
  /** Restores HEAD, branch and index of the main worktree. */
  readonly restoreMainGitState: () => Promise<void>;
}

/** Fills the worktree, sets it up and opens the workspace on it. */
export async function openBranchWorkspace(parts: BranchWorkspaceOptions): Promise<Workspace> {
  const { repository, tree, privateDirectory } = parts;
  const files = privateFiles(privateDirectory);
  const git = openPrivateGit(parts);
  // The index of the main worktree knows which files a sparse checkout leaves out.
  copyFileSync(privateFiles(parts.sharedDirectory).index, files.index);
  const entries = await listIndex(git);
  const skipped = await openSkippedFiles(git, repository.root, entries);
  if (!skipped.isEmpty) await skipped.reveal(await changedSinceStart(git, repository, tree));
  await git.run(['read-tree', '--reset', '-u', tree]);
  await writeUsersIndex(git, repository, files.index);
  mkdirSync(repository.directory, { recursive: true });
  await parts.setUp(repository.directory);

  const rules: LeftOutRules = {
    repository,
    maximumFileBytes: parts.maximumFileBytes,
    ignoredAtStart: await listIgnoredPaths(git),
    startedAt: Date.now(),
  };
  const stagingIndex = openStagingIndex({ git, index: files.index, rules, skipped });
  stagingIndex.pinTo(tree);
  const start = await stagingIndex.update();
  const innerRepositories = openInnerRepositories({
    root: repository.root,
    entries,
    scratch: privateDirectory,
    openGitAt: (root, index) => openPrivateGit({ ...parts, repository: { root }, index }),
  });
  await innerRepositories.findChanged(nestedIn(start.leftOut));
  const ownership = openOwnership(git, files.overlayIndex, tree);
  ownership.disown(start.tree);
  const mergeFiles = {
    index: files.overlayIndex,
    scratch: privateDirectory,
    converted: parts.converted,
  };
  const runExclusive = createSerialQueue();
  return createWorkspace({
    git,
    checkoutSettings: parts.checkoutSettings,
    rules,
    stagingIndex,
    ownership,
    innerRepositories,
    notKept: await openNotKept({ git, rules, startTree: tree }),
    startSettings: openStartSettings({
      repository,
      finder: openAgentFileFinder(repository.root, parts.agentSettings.names),
      ...parts.agentSettings,
    }),
    snapshots: parts.snapshots.forWorktree({ git, ...mergeFiles }),
    saveGitState: combineSavers(
      openGitStateSaver(repository, files.indexCopy),
      parts.restoreMainGitState,
      keepFiles(() => linkFilesOf(repository)),
    ),
    leftOut: { atStart: start.leftOut, bySnapshot: new Map() },
    startTree: parts.startTree,
    branchWorktrees: parts.branchWorktrees,
    watch: parts.watch,
    files: mergeFiles,
    isPartial: parts.own.isPartial,
    runExclusive,
    // One shell for each of possibly many branches.
    reader: { git, runExclusive },
  });
}

async function changedSinceStart(git: Git, { headTree }: Repository, tree: string) {
  return (await diffTrees(git, headTree, tree)).map(({ path }) => path);
}

/** The index for the git of agents and gates: the start commit. Entries that are the same know their files. */
async function writeUsersIndex(git: Git, repository: Repository, index: string): Promise<void> {
  const usersIndex = join(repository.gitDirectory, 'index');
  copyIndex(index, usersIndex);
  await git.run(['read-tree', '--reset', repository.startCommit], { index: usersIndex });
}

/** An agent in a parallel branch can also move the branch of the main worktree: both share the repository. */
function combineSavers(
  save: WorkspaceComponents['saveGitState'],
  restoreMain: () => Promise<void>,
  linkFiles: KeptFiles,
): WorkspaceComponents['saveGitState'] {
  return async () => {
    const restore = await save();
    return async () => {
      linkFiles.restore();
      await restore();
      await restoreMain();
    };
  };
}

/** What connects the worktree with the repository, and the settings that only it would have. */
function linkFilesOf({ root, gitDirectory }: Repository): readonly string[] {
  const own = ['commondir', 'gitdir', 'config.worktree'].map((name) => join(gitDirectory, name));
  return [join(root, '.git'), ...own];
}
