/**
 * Work trees for units that run at the same time, and what they add up to. Each has its own index and its own
 * shell; all share the objects and what is known of snapshots. What touches the user's repository or the main
 * work tree's git goes in turn.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { hidden } from './apply.js';
import { type BytePath, shownPath } from './byte-path.js';
import { type Git, openGitShell } from './git.js';
import { addWorktree, removeWorktree, requireApart } from './linked-worktrees.js';
import { openMergeGit, requireMergeTree } from './merge-git.js';
import { mergeUnitTrees } from './merge-units.js';
import type { WorkspaceParts } from './operations.js';
import { privateFiles } from './private-git.js';
import type { Shell } from './shell.js';
import { openUnitWorkspace } from './unit.js';
import type { Snapshot, Unit, Units, UnitsMerge } from './workspace.js';

/** Of the main workspace. */
export interface UnitsParts extends Omit<WorkspaceParts, 'units' | 'ownership' | 'files'> {
  /** With the user's index and objects. */
  readonly plain: Git;
  readonly shell: Shell;
  readonly env: Readonly<Record<string, string>>;
  readonly privateDirectory: string;
}

export function openUnits(parts: UnitsParts): Units {
  const { inTurn, plain } = parts;
  const main = heldGuard(parts);
  const requireGit = knownOnce(() => requireMergeTree(plain));
  const units: Units = {
    requireGit: () => inTurn(requireGit),
    open: async (path, from, setUp = async () => undefined) => {
      const directory = resolve(path);
      requireApart(parts.rules.repository.root, directory);
      await inTurn(requireGit);
      return openUnit({ parts, main, units, directory, from, setUp });
    },
    merge: (base, list, message) =>
      inTurn(async () => {
        await requireGit();
        return mergeUnits(parts, base, list, message);
      }),
  };
  return units;
}

interface Opening {
  readonly parts: UnitsParts;
  readonly main: HeldGuard;
  readonly units: Units;
  readonly directory: string;
  readonly from: Snapshot;
  readonly setUp: (workingDirectory: string) => Promise<void>;
}

async function openUnit({ parts, main, units, directory, from, setUp }: Opening): Promise<Unit> {
  const { inTurn, plain, snapshots, rules, env } = parts;
  const { repository: home, maximumFileBytes } = rules;
  const privateDirectory = mkdtempSync(join(parts.privateDirectory, 'unit-'));
  const shell = openGitShell(privateDirectory, env);
  const remove = async () => {
    await shell.close();
    await inTurn(async () => {
      main.drop();
      removeWorktree(home.commonDirectory, directory);
    });
    rmSync(privateDirectory, { recursive: true, force: true });
  };
  try {
    const [tree, repository] = await inTurn(async () => {
      await main.take();
      // Two of these commands at a time would stumble over each other's half-made entries.
      return [await snapshots.treeOf(from), await addWorktree(plain, home, directory)];
    });
    const workspace = await openUnitWorkspace({
      repository,
      tree,
      shell,
      privateDirectory,
      sharedDirectory: parts.privateDirectory,
      maximumFileBytes,
      snapshots,
      startTree: parts.startTree,
      units,
      setUp,
      restoreMain: () => inTurn(() => main.restore()),
    });
    return { workspace, close: once(remove) };
  } catch (error) {
    await remove();
    throw error;
  }
}

async function mergeUnits(
  parts: UnitsParts,
  base: Snapshot,
  units: Parameters<Units['merge']>[1],
  message: string,
): Promise<UnitsMerge> {
  const { snapshots, rules, shell, leftOut, privateDirectory } = parts;
  const { repository } = rules;
  const shown = (paths: readonly BytePath[]) =>
    paths.map((path) => shownPath(path, repository.prefix)).sort();
  const baseTree = await snapshots.treeOf(base);
  const trees: { readonly name: string; readonly tree: string }[] = [];
  for (const { name, snapshot } of units) trees.push({ name, tree: await snapshots.treeOf(snapshot) });

  const { objects } = privateFiles(privateDirectory);
  const git = await openMergeGit({ shell, repository, scratch: privateDirectory, objects });
  const merged = await mergeUnitTrees(git, baseTree, trees);
  if (merged.status === 'conflict') {
    return { status: 'conflict', files: shown(merged.paths), units: merged.units };
  }
  if (merged.tree === baseTree) return { status: 'merged', snapshot: base };
  const taken = await occupied(parts, merged.tree);
  if (taken.length > 0) return { status: 'occupied', files: shown(taken) };

  const snapshot = await snapshots.fromTree(merged.tree, message);
  // What was left out at the base lies in the main work tree still; a reset must not take it for a unit's.
  const known = [snapshot, base].flatMap(({ commit }) => leftOut.ofSnapshot.get(commit) ?? []);
  leftOut.ofSnapshot.set(snapshot.commit, known);
  return { status: 'merged', snapshot };
}

/**
 * Files of `tree` in whose place the main work tree has one that is not recorded. A unit does not see such files,
 * so it cannot know that it overwrites one.
 */
async function occupied({ git, stage, rules }: UnitsParts, tree: string): Promise<readonly BytePath[]> {
  const here = await stage.update();
  return hidden(git, rules.repository.root, here.tree, tree);
}

interface HeldGuard {
  take(): Promise<void>;
  restore(): Promise<void>;
  drop(): void;
}

/** One note of the main work tree's HEAD, branch and index for as long as there are units. */
function heldGuard({ guard }: UnitsParts): HeldGuard {
  let holders = 0;
  let restore: (() => Promise<void>) | undefined;
  return {
    async take() {
      holders += 1;
      restore ??= await guard();
    },
    async restore() {
      await restore?.();
    },
    drop() {
      holders -= 1;
      if (holders === 0) restore = undefined;
    },
  };
}

/** A task whose success is not asked for twice. */
function knownOnce(task: () => Promise<void>): () => Promise<void> {
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
