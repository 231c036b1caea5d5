/**
 * Opens the worktrees of parallel branches and merges their results. Each worktree has its own index and its own
 * shell. All share the objects and the known snapshots. Work on the user's repository or with the git of the main
 * worktree runs one task at a time.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { findBlockedPaths } from './apply.js';
import { openBranchWorkspace } from './branch-workspace.js';
import { type BytePath, displayPath } from './byte-path.js';
import { openGitShell } from './git.js';
import { addWorktree, removeWorktree, requireSeparate } from './linked-worktrees.js';
import { mergeBranchTrees } from './merge-branches.js';
import { openMergeGit, requireMergeTree } from './merge-git.js';
import type { WorkspaceComponents } from './operations.js';
import { privateFiles } from './private-git.js';
import type { PrivateRepository } from './private-repository.js';
import type { Shell } from './shell.js';
import type { StartSettingsOptions } from './start-settings.js';
import type {
  BranchMergeResult,
  BranchResult,
  BranchWorktree,
  BranchWorktrees,
  Snapshot,
} from './workspace.js';

/** The components of the main workspace. */
export interface OpenBranchWorktreesOptions
  extends Omit<
    WorkspaceComponents,
    'branchWorktrees' | 'ownership' | 'innerRepositories' | 'notKept' | 'startSettings'
  > {
  readonly agentSettings: Pick<StartSettingsOptions, 'names' | 'start'>;
  readonly own: PrivateRepository;
  readonly shell: Shell;
  readonly env: Readonly<Record<string, string>>;
  readonly privateDirectory: string;
}

export function openBranchWorktrees(parts: OpenBranchWorktreesOptions): BranchWorktrees {
  const { runExclusive, git } = parts;
  const main = shareGitState(parts);
  const requireGit = untilSucceeded(() => requireMergeTree(git));
  const branchWorktrees: BranchWorktrees = {
    requireMergeSupport: () => runExclusive(requireGit),
    open: async (path, from, setUp = async () => undefined) => {
      const directory = resolve(path);
      requireSeparate(parts.rules.repository.root, directory);
      await runExclusive(requireGit);
      return openBranchWorktree({ parts, main, branchWorktrees, directory, from, setUp });
    },
    merge: (base, branches, message) =>
      runExclusive(async () => {
        await requireGit();
        return mergeBranches(parts, base, branches, message);
      }),
  };
  return branchWorktrees;
}

interface OpenBranchRequest {
  readonly parts: OpenBranchWorktreesOptions;
  readonly main: SharedGitState;
  readonly branchWorktrees: BranchWorktrees;
  readonly directory: string;
  readonly from: Snapshot;
  readonly setUp: (workingDirectory: string) => Promise<void>;
}

async function openBranchWorktree({
  parts,
  main,
  branchWorktrees,
  directory,
  from,
  setUp,
}: OpenBranchRequest): Promise<BranchWorktree> {
  const { runExclusive, snapshots, rules, env, own } = parts;
  const { repository: mainRepository, maximumFileBytes } = rules;
  const privateDirectory = mkdtempSync(join(parts.privateDirectory, 'branch-'));
  const shell = openGitShell(privateDirectory, env);
  const remove = async () => {
    await shell.close();
    await runExclusive(async () => {
      main.release();
      removeWorktree(mainRepository.commonDirectory, directory);
    });
    rmSync(privateDirectory, { recursive: true, force: true });
  };
  try {
    const [tree, repository] = await runExclusive(async () => {
      await main.acquire();
      return [await snapshots.treeOf(from), addWorktree(mainRepository, directory)];
    });
    const workspace = await openBranchWorkspace({
      repository,
      own,
      tree,
      shell,
      privateDirectory,
      sharedDirectory: parts.privateDirectory,
      maximumFileBytes,
      agentSettings: { ...parts.agentSettings, ignoredInMain: rules.ignoredAtStart },
      snapshots,
      converted: parts.files.converted,
      startTree: parts.startTree,
      checkoutSettings: parts.checkoutSettings,
      branchWorktrees,
      watch: parts.watch,
      setUp,
      restoreMainGitState: () => runExclusive(() => main.restore()),
    });
    return { workspace, close: once(remove) };
  } catch (error) {
    await remove();
    throw error;
  }
}

async function mergeBranches(
  parts: OpenBranchWorktreesOptions,
  base: Snapshot,
  branches: readonly BranchResult[],
  message: string,
): Promise<BranchMergeResult> {
  const { snapshots, rules, shell, own, leftOut, privateDirectory } = parts;
  const { repository } = rules;
  const displayPaths = (paths: readonly BytePath[]) =>
    paths.map((path) => displayPath(path, repository.prefix)).sort();
  const baseTree = await snapshots.treeOf(base);
  const trees: { readonly name: string; readonly tree: string }[] = [];
  for (const { name, snapshot } of branches) trees.push({ name, tree: await snapshots.treeOf(snapshot) });

  const { objects } = privateFiles(privateDirectory);
  const git = await openMergeGit({ shell, repository, own, scratch: privateDirectory, objects });
  const merged = await mergeBranchTrees(git, baseTree, trees);
  if (merged.status === 'conflict') {
    return { status: 'conflict', files: displayPaths(merged.paths), branches: merged.branches };
  }
  if (merged.tree === baseTree) return { status: 'merged', snapshot: base };
  const occupiedPaths = await findOccupiedPaths(parts, merged.tree);
  if (occupiedPaths.length > 0) return { status: 'occupied', files: displayPaths(occupiedPaths) };

  const snapshot = await snapshots.fromTree(merged.tree, message);
  // Files left out at the base are still in the main worktree. A reset must not remove them as files of a branch.
  const known = [snapshot, base].flatMap(({ commit }) => leftOut.bySnapshot.get(commit) ?? []);
  leftOut.bySnapshot.set(snapshot.commit, known);
  return { status: 'merged', snapshot };
}

/**
 * Files of `tree` whose path the main worktree uses for a file that is not recorded. A parallel branch does not have
 * such files, so its agent cannot know that the merge would overwrite one.
 */
async function findOccupiedPaths(
  { git, stagingIndex, rules }: OpenBranchWorktreesOptions,
  tree: string,
): Promise<readonly BytePath[]> {
  const current = await stagingIndex.update();
  return findBlockedPaths(git, rules.repository.root, current.tree, tree);
}

interface SharedGitState {
  acquire(): Promise<void>;
  restore(): Promise<void>;
  release(): void;
}

/** One saved state of HEAD, branch and index of the main worktree, kept while parallel branches are open. */
function shareGitState({ saveGitState }: OpenBranchWorktreesOptions): SharedGitState {
  let holders = 0;
  let restore: (() => Promise<void>) | undefined;
  return {
    async acquire() {
      holders += 1;
      restore ??= await saveGitState();
    },
    async restore() {
      await restore?.();
    },
    release() {
      holders -= 1;
      if (holders === 0) restore = undefined;
    },
  };
}

/** Repeats a task on each call until it has succeeded once. */
function untilSucceeded(task: () => Promise<void>): () => Promise<void> {
  let isDone = false;
  return async () => {
    if (!isDone) await task();
    isDone = true;
  };
}

/** Starts a task on the first call only. Later calls wait for the same task. */
function once(task: () => Promise<void>): () => Promise<void> {
  let started: Promise<void> | undefined;
  return () => {
    started ??= task();
    return started;
  };
}
