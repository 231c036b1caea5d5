/** Opens the workspace over real git: finds the repository, sets up what is private and records the start. */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { writeExcludes } from './exclude-rules.js';
import { type Git, openGit, openGitShell } from './git.js';
import { openGuard } from './guard.js';
import { allIgnored } from './ignored.js';
import type { LeftOutRules } from './leftovers.js';
import { composeWorkspace } from './operations.js';
import { findRepository, type Repository, requireDirectory } from './repository.js';
import type { Shell } from './shell.js';
import { openSnapshots } from './snapshots.js';
import { copyIndex, openStage } from './stage.js';
import { comparableTree } from './start-tree.js';
import { diffTrees } from './tree.js';
import type { Workspace } from './workspace.js';

export interface WorkspaceOptions {
  /** The working directory, absolute. */
  readonly directory: string;
  /** For objects, index and what git is told: outside of the work tree, for this workspace alone; made if need be. */
  readonly privateDirectory: string;
  /** The whole environment of git: PATH and HOME at least, no `GIT_DIR` and the like. */
  readonly env: Readonly<Record<string, string>>;
  /** Larger files are left out; 100 MB unless told. */
  readonly maximumFileBytes?: number;
}

const usualMaximumFileBytes = 100 * 1024 * 1024;

/**
 * The workspace at a directory, its start state recorded. Needs git 2.30 or newer. Throws a UserError where the
 * directory is no work tree, has no commit, is not trusted by git, or git is missing.
 */
export async function openWorkspace(options: WorkspaceOptions): Promise<Workspace> {
  const startedAt = Date.now();
  const { directory, privateDirectory, env } = options;
  requireDirectory(directory);
  mkdirSync(join(privateDirectory, 'objects'), { recursive: true, mode: 0o700 });
  const shell = openGitShell(privateDirectory, env);
  const plain = openGit({ shell, scratch: privateDirectory, directory });
  const repository = await findRepository(plain, directory);
  const files = privateFiles(privateDirectory);
  await writeExcludes(plain, repository, env, files.excludes);
  copyIndex(join(repository.gitDirectory, 'index'), files.index);
  const git = openPrivateGit(shell, repository, privateDirectory);
  const rules: LeftOutRules = {
    repository,
    maximumFileBytes: options.maximumFileBytes ?? usualMaximumFileBytes,
    ignoredAtStart: await allIgnored(git),
    startedAt,
  };
  return recordStart({ git, plain, files, rules, scratch: privateDirectory });
}

interface Parts {
  /** With the private index and objects. */
  readonly git: Git;
  /** With the user's. */
  readonly plain: Git;
  readonly files: ReturnType<typeof privateFiles>;
  readonly rules: LeftOutRules;
  readonly scratch: string;
}

async function recordStart({ git, plain, files, rules, scratch }: Parts): Promise<Workspace> {
  const { repository } = rules;
  const { headTree, startCommit } = repository;
  const stage = openStage(git, files.index, rules);
  const start = await stage.update();
  stage.pinTo(start.tree);
  const index = files.overlayIndex;
  const snapshots = openSnapshots({
    git,
    index,
    scratch,
    startCommit,
    headTree,
    startTree: start.tree,
    startChanges: await diffTrees(git, headTree, start.tree),
  });
  const startTree = await comparableTree(git, repository, index, start.tree);
  const guard = openGuard(plain, repository, files.indexCopy);
  return composeWorkspace({
    git,
    rules,
    stage,
    snapshots,
    guard,
    start,
    startTree,
    files: { index, scratch },
  });
}

function privateFiles(directory: string) {
  return {
    index: join(directory, 'index'),
    overlayIndex: join(directory, 'overlay-index'),
    indexCopy: join(directory, 'users-index'),
    excludes: join(directory, 'exclude'),
  } as const;
}

/** New objects go into the private directory, known ones come from the repository: its `.git` is only read. */
export function openPrivateGit(shell: Shell, repository: Repository, privateDirectory: string): Git {
  const files = privateFiles(privateDirectory);
  return openGit({
    shell,
    scratch: privateDirectory,
    directory: repository.root,
    settings: [`core.excludesFile=${files.excludes}`, 'core.looseCompression=1'],
    variables: {
      GIT_INDEX_FILE: files.index,
      GIT_OBJECT_DIRECTORY: join(privateDirectory, 'objects'),
      GIT_ALTERNATE_OBJECT_DIRECTORIES: alternate(join(repository.commonDirectory, 'objects')),
    },
  });
}

/** The variable is a list with `:` between; a directory with one in its name must stand in quotes (git 2.11). */
function alternate(directory: string): string {
  if (!/[:"]/.test(directory)) return directory;
  return `"${directory.replaceAll(/["\\]/g, '\\$&')}"`;
}
