/** Opens the workspace with real git: finds the repository, sets up the private files and records the start tree. */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { writeExcludes } from './exclude-rules.js';
import { type Git, openGit, openGitShell } from './git.js';
import { openObjectWriter } from './git-objects.js';
import { openGitStateSaver } from './git-state.js';
import { listIgnoredPaths } from './ignored.js';
import type { LeftOutFile, LeftOutRules } from './left-out-files.js';
import { openBranchWorktrees } from './open-branch-worktrees.js';
import { createWorkspace } from './operations.js';
import { openOwnership } from './ownership.js';
import { openPrivateGit, type PrivateFiles, privateFiles } from './private-git.js';
import { findRepository, requireDirectory } from './repository.js';
import { createSerialQueue } from './serial.js';
import type { Shell } from './shell.js';
import { openSnapshots } from './snapshots.js';
import { copyIndex, openStagingIndex } from './staging-index.js';
import { comparableTree } from './start-tree.js';
import type { Workspace } from './workspace.js';

export interface WorkspaceOptions {
  /** The working directory, absolute. */
  readonly directory: string;
  /**
   * Directory for objects, index and the input of git. It must be outside the worktree and used by this workspace
   * only. Created if missing.
   */
  readonly privateDirectory: string;
  /** The complete environment of git: at least PATH and HOME, without `GIT_DIR` and similar variables. */
  readonly env: Readonly<Record<string, string>>;
  /** Larger files are left out. Default: 100 MB. */
  readonly maximumFileBytes?: number;
}

const defaultMaximumFileBytes = 100 * 1024 * 1024;

/**
 * Opens the workspace at a directory and records its start tree. Needs git 2.30 or newer. Throws a `UserError` if git
 * is missing, or if the directory is not in a worktree, has no commit or is not trusted by git.
 */
export async function openWorkspace(options: WorkspaceOptions): Promise<Workspace> {
  const startedAt = Date.now();
  const { directory, privateDirectory, env } = options;
  requireDirectory(directory);
  mkdirSync(join(privateDirectory, 'objects'), { recursive: true, mode: 0o700 });
  const shell = openGitShell(privateDirectory, env);
  const userGit = openGit({ shell, scratch: privateDirectory, directory });
  const repository = await findRepository(userGit, directory);
  const files = privateFiles(privateDirectory);
  await writeExcludes(userGit, repository, env, files.excludes);
  copyIndex(join(repository.gitDirectory, 'index'), files.index);
  const git = openPrivateGit({ shell, repository, privateDirectory });
  const rules: LeftOutRules = {
    repository,
    maximumFileBytes: options.maximumFileBytes ?? defaultMaximumFileBytes,
    ignoredAtStart: await listIgnoredPaths(git),
    startedAt,
  };
  return recordStart({ git, userGit, files, rules, shell, env, scratch: privateDirectory });
}

interface StartOptions {
  /** git with the private index and objects. */
  readonly git: Git;
  /** git with the user's index and objects. */
  readonly userGit: Git;
  readonly files: PrivateFiles;
  readonly rules: LeftOutRules;
  readonly shell: Shell;
  readonly env: Readonly<Record<string, string>>;
  readonly scratch: string;
}

async function recordStart({
  git,
  userGit,
  files,
  rules,
  shell,
  env,
  scratch,
}: StartOptions): Promise<Workspace> {
  const { repository } = rules;
  const { headTree, startCommit } = repository;
  const stagingIndex = openStagingIndex(git, files.index, rules);
  const start = await stagingIndex.update();
  stagingIndex.pinTo(start.tree);
  const index = files.overlayIndex;
  const objects = openObjectWriter({
    directory: files.objects,
    format: headTree.length === 64 ? 'sha256' : 'sha1',
    now: Date.now,
  });
  const snapshots = openSnapshots({ git, index, scratch, startCommit, startTree: start.tree, objects });
  const main = {
    git,
    rules,
    stagingIndex,
    snapshots,
    saveGitState: openGitStateSaver(userGit, repository, files.indexCopy),
    ownership: openOwnership(git, index, start.tree),
    leftOut: { atStart: start.leftOut, bySnapshot: new Map<string, readonly LeftOutFile[]>() },
    startTree: await comparableTree(git, repository, index, start.tree),
    files: { index, scratch },
    runExclusive: createSerialQueue(),
  };
  const branchWorktrees = openBranchWorktrees({ ...main, userGit, shell, env, privateDirectory: scratch });
  return createWorkspace({ ...main, branchWorktrees });
}
