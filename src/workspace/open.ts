/** Opens the workspace with real git: finds the repository, sets up the private files and records the start tree. */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { type AgentFileFinder, type AgentFileNames, openAgentFileFinder } from './agent-files.js';
import { type ChangeCommits, openChangeCommits } from './change-commits.js';
import { type ConvertedFiles, differingFiles, stageConvertedFiles } from './converted-files.js';
import { writeExcludes } from './exclude-rules.js';
import { type Git, openGit, openGitShell } from './git.js';
import { openObjectWriter } from './git-objects.js';
import { openGitStateSaver } from './git-state.js';
import { diffTrees } from './git-tree.js';
import { headBranch } from './head-branch.js';
import { listIgnoredPaths } from './ignored.js';
import { listIndex } from './index-listing.js';
import { type InnerRepositories, nestedIn, openInnerRepositories } from './inner-repositories.js';
import type { LeftOutFile, LeftOutRules } from './left-out-files.js';
import { openMergeGit } from './merge-git.js';
import { openNotKept } from './not-kept.js';
import { openBranchWorktrees } from './open-branch-worktrees.js';
import { createWorkspace } from './operations.js';
import { openOwnership } from './ownership.js';
import { openPrivateGit, type PrivateFiles, type PrivateGitOptions, privateFiles } from './private-git.js';
import { createPrivateRepository, type PrivateRepository, saveRepository } from './private-repository.js';
import { findRepository, requireDirectory } from './repository.js';
import { type RepositoryWatch, watchRepository } from './repository-watch.js';
import { createSerialQueue } from './serial.js';
import { restoreLeftover } from './set-aside.js';
import { checkoutSettings, type GitSettings, readSettings } from './settings-copy.js';
import type { Shell } from './shell.js';
import { openSkippedFiles, type SkippedFiles } from './skipped-files.js';
import { openSnapshots } from './snapshots.js';
import { copyIndex, openStagingIndex } from './staging-index.js';
import { noteStartFiles } from './start-files.js';
import { openStartSettings, type StartSettingsOptions } from './start-settings.js';
import { cleanTree, comparableTree } from './start-tree.js';
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
  /** Names of the files from which agent CLIs read settings and instructions. Default: none. */
  readonly agentFiles?: AgentFileNames;
  /** Larger files are left out. Default: 100 MB. */
  readonly maximumFileBytes?: number;
}

/** The workspace of the checkout. */
export interface MainWorkspace extends Workspace {
  /** Commits of the run's change outside of the action. */
  readonly commits: ChangeCommits;
}

const defaultMaximumFileBytes = 100 * 1024 * 1024;

/**
 * Opens the workspace at a directory and records its start tree. Needs git 2.30 or newer. Throws a `UserError` if git
 * is missing, or if the directory is not in a worktree, has no commit or is not trusted by git.
 */
export async function openWorkspace(options: WorkspaceOptions): Promise<MainWorkspace> {
  const startedAt = Date.now();
  const { directory, privateDirectory, env } = options;
  requireDirectory(directory);
  mkdirSync(join(privateDirectory, 'objects'), { recursive: true, mode: 0o700 });
  const shell = openGitShell(privateDirectory, env);
  const userGit = openGit({ shell, scratch: privateDirectory, directory });
  const repository = await findRepository(userGit, directory);
  const names = options.agentFiles ?? { settings: [], instructions: [] };
  // What a killed job set aside comes from its steps, so it counts as their change and not as part of the start.
  const finder = openAgentFileFinder(repository.root, names);
  const agentSettings = { names, start: noteStartFiles(repository.root, finder) };
  restoreLeftover(repository, true);
  const rootGit = openGit({ shell, scratch: privateDirectory, directory: repository.root });
  const settings = await readSettings(rootGit, repository.root);
  const files = privateFiles(privateDirectory);
  writeExcludes(settings, repository, env, files.excludes);
  const own = createPrivateRepository({ repository, settings, directory: privateDirectory });
  saveRepository(privateDirectory, repository, own);
  copyIndex(join(repository.gitDirectory, 'index'), files.index);
  const git = openPrivateGit({ shell, repository, own, privateDirectory });
  const { maximumFileBytes = defaultMaximumFileBytes } = options;
  const entries = await listIndex(git);
  const skipped = await openSkippedFiles(git, repository.root, entries);
  const converted = await stageConvertedFiles({
    userGit: rootGit,
    git,
    entries,
    index: files.index,
    settings,
    repository,
    env,
    maximumFileBytes,
  });
  const rules: LeftOutRules = {
    repository,
    maximumFileBytes,
    ignoredAtStart: await listIgnoredPaths(git),
    startedAt,
  };
  return recordStart({
    git,
    own,
    files,
    rules,
    converted,
    settings,
    agentSettings,
    finder,
    skipped,
    innerRepositories: openInnerRepositories({
      root: repository.root,
      entries,
      scratch: privateDirectory,
      openGitAt: (root, index) =>
        openPrivateGit({ shell, repository: { root }, own, privateDirectory, index }),
    }),
    watch: watchRepository({ repository, settings, env, privateDirectory }),
    userGit: rootGit,
    readerGit: openReaderGit({ repository, own, privateDirectory }, env),
    shell,
    env,
    scratch: privateDirectory,
  });
}

/** git on the same index and objects, with a shell of its own. */
function openReaderGit(
  { privateDirectory, ...location }: Omit<PrivateGitOptions, 'shell'>,
  env: Readonly<Record<string, string>>,
): Git {
  const scratch = join(privateDirectory, 'reader');
  mkdirSync(scratch, { recursive: true, mode: 0o700 });
  return openPrivateGit({
    ...location,
    shell: openGitShell(scratch, env),
    privateDirectory: scratch,
    sharedDirectory: privateDirectory,
    index: privateFiles(privateDirectory).index,
  });
}

interface StartOptions {
  /** git with the private index and objects. */
  readonly git: Git;
  readonly own: PrivateRepository;
  readonly files: PrivateFiles;
  readonly rules: LeftOutRules;
  readonly converted: ConvertedFiles;
  readonly settings: GitSettings;
  readonly agentSettings: Pick<StartSettingsOptions, 'names' | 'start'>;
  /** Knows the folders already. */
  readonly finder: AgentFileFinder;
  readonly skipped: SkippedFiles;
  readonly innerRepositories: InnerRepositories;
  readonly watch: RepositoryWatch;
  /** git with the user's repository and settings. */
  readonly userGit: Git;
  readonly readerGit: Git;
  readonly shell: Shell;
  readonly env: Readonly<Record<string, string>>;
  readonly scratch: string;
}

async function recordStart({
  git,
  own,
  files,
  rules,
  converted,
  settings,
  agentSettings,
  finder,
  skipped,
  innerRepositories,
  watch,
  userGit,
  readerGit,
  shell,
  env,
  scratch,
}: StartOptions): Promise<MainWorkspace> {
  const { repository } = rules;
  const { headTree, startCommit } = repository;
  const stagingIndex = openStagingIndex({ git, index: files.index, rules, skipped });
  const start = await stagingIndex.update();
  stagingIndex.pinTo(start.tree);
  await innerRepositories.findChanged(nestedIn(start.leftOut));
  const index = files.overlayIndex;
  const startChanges = await diffTrees(git, headTree, start.tree);
  const differing = differingFiles(converted, settings, startChanges);
  const mergeFiles = { index, scratch, converted: new Map(differing.map((file) => [file.path, file])) };
  const objects = openObjectWriter({
    directory: files.objects,
    format: headTree.length === 64 ? 'sha256' : 'sha1',
    now: Date.now,
  });
  const snapshots = openSnapshots({ git, ...mergeFiles, startCommit, startTree: start.tree, objects });
  const main = {
    git,
    rules,
    stagingIndex,
    snapshots,
    saveGitState: openGitStateSaver(repository, files.indexCopy),
    startSettings: openStartSettings({ repository, finder, ...agentSettings }),
    ownership: openOwnership(git, index, start.tree),
    innerRepositories,
    checkoutSettings: checkoutSettings(settings, repository.root),
    notKept: await openNotKept({ git, rules, startTree: start.tree }),
    leftOut: { atStart: start.leftOut, bySnapshot: new Map<string, readonly LeftOutFile[]>() },
    startTree: await comparableTree(
      git,
      repository,
      index,
      await cleanTree(git, index, start.tree, differing),
    ),
    files: mergeFiles,
    isPartial: own.isPartial,
    watch,
    runExclusive: createSerialQueue(),
    reader: { git: readerGit, runExclusive: createSerialQueue() },
  };
  const branchWorktrees = openBranchWorktrees({
    ...main,
    agentSettings,
    own,
    shell,
    env,
    privateDirectory: scratch,
  });
  const commits = openChangeCommits({
    git,
    userGit,
    openConverter: () => openMergeGit({ shell, repository, own, scratch, objects: files.objects }),
    repository,
    index,
    scratch,
    branch: headBranch(repository),
    runExclusive: main.runExclusive,
  });
  return { ...createWorkspace({ ...main, branchWorktrees }), commits };
}
