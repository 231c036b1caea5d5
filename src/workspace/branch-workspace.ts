/** Creates the worktree of one parallel branch and records its first state. */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { openGit } from './git.js';
import { openGitStateSaver } from './git-state.js';
import { listIgnoredPaths } from './ignored.js';
import type { LeftOutRules } from './left-out-files.js';
import { createWorkspace, type WorkspaceComponents } from './operations.js';
import { openOwnership } from './ownership.js';
import { openPrivateGit, privateFiles } from './private-git.js';
import type { Repository } from './repository.js';
import { createSerialQueue } from './serial.js';
import type { Shell } from './shell.js';
import type { Snapshots } from './snapshots.js';
import { copyIndex, openStagingIndex } from './staging-index.js';
import type { BranchWorktrees, Workspace } from './workspace.js';

export interface BranchWorkspaceOptions {
  /** The worktree's own, from `addWorktree`. */
  readonly repository: Repository;
  /** Tree of the state that the worktree starts from. */
  readonly tree: string;
  readonly shell: Shell;
  /** The directory that the shell runs in. */
  readonly privateDirectory: string;
  /** Private directory of the main workspace, which has the objects and the exclude file. */
  readonly sharedDirectory: string;
  readonly maximumFileBytes: number;
  readonly snapshots: Snapshots;
  readonly startTree: string;
  readonly branchWorktrees: BranchWorktrees;
  readonly setUp: (workingDirectory: string) => Promise<void>;
  /** Restores HEAD, branch and index of the main worktree. */
  readonly restoreMainGitState: () => Promise<void>;
}

/** Fills the worktree, sets it up and opens the workspace on it. */
export async function openBranchWorkspace(parts: BranchWorkspaceOptions): Promise<Workspace> {
  const { repository, tree, shell, privateDirectory } = parts;
  const files = privateFiles(privateDirectory);
  const git = openPrivateGit(parts);
  const usersIndex = join(repository.gitDirectory, 'index');
  await git.run(['read-tree', '--reset', '-u', repository.startCommit], { index: usersIndex });
  copyIndex(usersIndex, files.index);
  if (tree !== repository.headTree) await git.run(['read-tree', '--reset', '-u', tree]);
  mkdirSync(repository.directory, { recursive: true });
  await parts.setUp(repository.directory);

  const rules: LeftOutRules = {
    repository,
    maximumFileBytes: parts.maximumFileBytes,
    ignoredAtStart: await listIgnoredPaths(git),
    startedAt: Date.now(),
  };
  const stagingIndex = openStagingIndex(git, files.index, rules);
  stagingIndex.pinTo(tree);
  const start = await stagingIndex.update();
  const ownership = openOwnership(git, files.overlayIndex, tree);
  ownership.disown(start.tree);
  const userGit = openGit({ shell, scratch: privateDirectory, directory: repository.root });
  const mergeFiles = { index: files.overlayIndex, scratch: privateDirectory };
  return createWorkspace({
    git,
    rules,
    stagingIndex,
    ownership,
    snapshots: parts.snapshots.forWorktree({ git, ...mergeFiles }),
    saveGitState: combineSavers(
      openGitStateSaver(userGit, repository, files.indexCopy),
      parts.restoreMainGitState,
    ),
    leftOut: { atStart: start.leftOut, bySnapshot: new Map() },
    startTree: parts.startTree,
    branchWorktrees: parts.branchWorktrees,
    files: mergeFiles,
    runExclusive: createSerialQueue(),
  });
}

/** An agent in a parallel branch can also move the branch of the main worktree: both share the repository. */
function combineSavers(
  save: WorkspaceComponents['saveGitState'],
  restoreMain: () => Promise<void>,
): WorkspaceComponents['saveGitState'] {
  return async () => {
    const restore = await save();
    return async () => {
      await restore();
      await restoreMain();
    };
  };
}
