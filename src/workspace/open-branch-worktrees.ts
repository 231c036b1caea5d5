/**
 * Work trees for units that run at the same time, and what they add up to. Each has its own index and its own
 * shell; all share the objects and what is known of snapshots. What touches the user's repository or the main
 * work tree's git goes in turn.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { findBlockedPaths } from './apply.js';
import { openBranchWorkspace } from './branch-workspace.js';
import { type BytePath, displayPath } from './byte-path.js';
import { type Git, openGitShell } from './git.js';
import { addWorktree, removeWorktree, requireSeparate } from './linked-worktrees.js';
import { mergeBranchTrees } from './merge-branches.js';
import { openMergeGit, requireMergeTree } from './merge-git.js';
import type { WorkspaceComponents } from './operations.js';
import { privateFiles } from './private-git.js';
import type { Shell } from './shell.js';
import type { BranchWorktree, BranchWorktrees, Snapshot, WorktreeMergeResult } from './workspace.js';

/** Of the main workspace. */
export interface OpenBranchWorktreesOptions
  extends Omit<WorkspaceComponents, 'branchWorktrees' | 'ownership' | 'files'> {
  /** With the user's index and objects. */
  readonly userGit: Git;
  readonly shell: Shell;
  readonly env: Readonly<Record<string, string>>;
  readonly privateDirectory: string;
}

export function openBranchWorktrees(parts: OpenBranchWorktreesOptions): BranchWorktrees {
  const { runExclusive, userGit } = parts;
  const main = shareGitState(parts);
  const requireGit = untilSucceeded(() => requireMergeTree(userGit));
  const branchWorktrees: BranchWorktrees = {
    requireMergeSupport: () => runExclusive(requireGit),
    open: async (path, from, setUp = async () => undefined) => {
      const directory = resolve(path);
      requireSeparate(parts.rules.repository.root, directory);
      await runExclusive(requireGit);
      return openBranchWorktree({ parts, main, branchWorktrees, directory, from, setUp });
    },
    merge: (base, list, message) =>
      runExclusive(async () => {
        await requireGit();
        return mergeBranches(parts, base, list, message);
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
  const { runExclusive, userGit, snapshots, rules, env } = parts;
  const { repository: home, maximumFileBytes } = rules;
  const privateDirectory = mkdtempSync(join(parts.privateDirectory, 'unit-'));
  const shell = openGitShell(privateDirectory, env);
  const remove = async () => {
    await shell.close();
    await runExclusive(async () => {
      main.release();
      removeWorktree(home.commonDirectory, directory);
    });
    rmSync(privateDirectory, { recursive: true, force: true });
  };
  try {
    const [tree, repository] = await runExclusive(async () => {
      await main.acquire();
      // Two of these commands at a time would stumble over each other's half-made entries.
      return [await snapshots.treeOf(from), await addWorktree(userGit, home, directory)];
    });
    const workspace = await openBranchWorkspace({
      repository,
      tree,
      shell,
      privateDirectory,
      sharedDirectory: parts.privateDirectory,
      maximumFileBytes,
      snapshots,
      startTree: parts.startTree,
      branchWorktrees,
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
  branches: Parameters<BranchWorktrees['merge']>[1],
  message: string,
): Promise<WorktreeMergeResult> {
  const { snapshots, rules, shell, leftOut, privateDirectory } = parts;
  const { repository } = rules;
  const shown = (paths: readonly BytePath[]) =>
    paths.map((path) => displayPath(path, repository.prefix)).sort();
  const baseTree = await snapshots.treeOf(base);
  const trees: { readonly name: string; readonly tree: string }[] = [];
  for (const { name, snapshot } of branches) trees.push({ name, tree: await snapshots.treeOf(snapshot) });

  const { objects } = privateFiles(privateDirectory);
  const git = await openMergeGit({ shell, repository, scratch: privateDirectory, objects });
  const merged = await mergeBranchTrees(git, baseTree, trees);
  if (merged.status === 'conflict') {
    return { status: 'conflict', files: shown(merged.paths), units: merged.units };
  }
  if (merged.tree === baseTree) return { status: 'merged', snapshot: base };
  const occupiedPaths = await findOccupiedPaths(parts, merged.tree);
  if (occupiedPaths.length > 0) return { status: 'occupied', files: shown(occupiedPaths) };

  const snapshot = await snapshots.fromTree(merged.tree, message);
  // What was left out at the base lies in the main work tree still; a reset must not take it for a unit's.
  const known = [snapshot, base].flatMap(({ commit }) => leftOut.bySnapshot.get(commit) ?? []);
  leftOut.bySnapshot.set(snapshot.commit, known);
  return { status: 'merged', snapshot };
}

/**
 * Files of `tree` in whose place the main work tree has one that is not recorded. A unit does not see such files,
 * so it cannot know that it overwrites one.
 */
async function findOccupiedPaths(
  { git, stagingIndex, rules }: OpenBranchWorktreesOptions,
  tree: string,
): Promise<readonly BytePath[]> {
  const here = await stagingIndex.update();
  return findBlockedPaths(git, rules.repository.root, here.tree, tree);
}

interface SharedGitState {
  acquire(): Promise<void>;
  restore(): Promise<void>;
  release(): void;
}

/** One note of the main work tree's HEAD, branch and index for as long as there are units. */
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

/** A task whose success is not asked for twice. */
function untilSucceeded(task: () => Promise<void>): () => Promise<void> {
  let isDone = false;
  return async () => {
    if (!isDone) await task();
    isDone = true;
  };
}

/** A task that is started once, however often it is called. */
function once(task: () => Promise<void>): () => Promise<void> {
  let started: Promise<void> | undefined;
  return () => {
    started ??= task();
    return started;
  };
}
