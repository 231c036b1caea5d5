/**
 * Updates the private index from the worktree, and the worktree from the index. The index starts as a copy of the
 * user's and is kept, because it knows which files git has already read (with 50,000 files: 140 ms instead of 596).
 *
 * git lists the changes, and this file decides which of them are recorded. (`git add -A` does both, but it reads the
 * tree again, adds large files before they can be excluded, and fails for an exclusion of an ignored path: git 2.39.)
 */
import { copyFileSync, existsSync, rmSync, statSync, utimesSync } from 'node:fs';
import { type BytePath, bytesOf, splitRecords } from './byte-path.js';
import { isExcluded } from './exclude-rules.js';
import type { Git } from './git.js';
import {
  diffIndexArgs,
  diffTrees,
  readChanges,
  readTreeId,
  type TreeChange,
  type TreeUpdate,
  updateIndex,
  writeTree,
  writeTreeArgs,
} from './git-tree.js';
import { checkLeftOut, type LeftOutFile, type LeftOutRules } from './left-out-files.js';
import { isBehindLink, isDirectoryNow } from './path-status.js';
import type { SkippedFiles } from './skipped-files.js';
import type { TreeDifference } from './tree-diffs.js';

export interface StagedTree {
  /** Tree of all recorded files of the worktree. */
  readonly tree: string;
  readonly leftOut: readonly LeftOutFile[];
  /** The paths that changed since the last update. */
  readonly changed: readonly BytePath[];
  /** The difference between the pinned tree and this one. Absent if nothing was staged. */
  readonly difference?: TreeDifference;
}

export interface StagingIndex {
  /** Updates the index from the worktree. Costs two processes if nothing changed since the last call. */
  update(): Promise<StagedTree>;
  /** What `update` would return, worked out with a copy of the index. The next `update` finds the same changes. */
  preview(): Promise<StagedTree>;
  /** Call it once, after the first update: files that are left out later keep their version of this tree. */
  pinTo(tree: string): void;
  /**
   * Writes `tree` to the worktree. `keep` needs an `update` just before. It throws before it writes anything if it
   * would overwrite a file that is not recorded. `overwrite` does not check this.
   */
  checkOutTree(tree: string, mode: 'keep' | 'overwrite'): Promise<void>;
  /** Files in the worktree that are not ignored and not in the index. */
  untracked(): Promise<readonly BytePath[]>;
}

/** Copies the user's index. `index` is the path of the private index. */
export function copyIndex(usersIndex: string, index: string): void {
  rmSync(index, { force: true });
  if (!existsSync(usersIndex)) return;
  copyFileSync(usersIndex, index);
  // A file written in the same second as the index may have changed since. git detects this by the time of the index
  // (racy-git), so a copy with a newer time would hide such a change.
  const { atime, mtimeMs } = statSync(usersIndex);
  utimesSync(index, atime, Math.floor(mtimeMs / 1000));
}

export interface StagingIndexOptions {
  readonly git: Git;
  /** Path of the private index. */
  readonly index: string;
  readonly rules: LeftOutRules;
  readonly skipped: SkippedFiles;
}

export function openStagingIndex({ git, index, rules, skipped }: StagingIndexOptions): StagingIndex {
  const { root, prefix, headTree } = rules.repository;
  let pinned = headTree;
  let last: (StagedTree & { readonly key: string }) | undefined;

  // A git that was killed together with an agent leaves its lock. Nothing else uses this index.
  const unlock = () => rmSync(`${index}.lock`, { force: true });

  const stage = async (on: Git): Promise<NonNullable<typeof last>> => {
    const listed = await changedPaths(on);
    const leftOut = listed.flatMap((path) => checkLeftOut(path, rules) ?? []);
    const names = new Set(leftOut.map(({ path }) => path));
    const changed = listed.filter((path) => !names.has(path));
    const key = [...names].join('\0');
    if (last !== undefined && changed.length === 0 && key === last.key) return { ...last, changed };
    const isFirst = last === undefined;
    await stagePaths(on, { root, paths: changed, idLength: headTree.length, force: isFirst });
    const isKeptOut = (path: BytePath) =>
      names.has(path) || names.has(`${path}/`) || isExcluded(path, prefix);
    const staged = await readStaged(on, pinned);
    const wrong = isFirst || names.size > 0 ? staged.changes.filter(({ path }) => isKeptOut(path)) : [];
    const tree = await restorePinned(on, staged.tree, wrong);
    const changes = without(staged.changes, wrong);
    return { tree, leftOut, changed, key, difference: { from: pinned, to: tree, changes } };
  };

  return {
    async update() {
      unlock();
      await skipped.revealPresent();
      const staged = await stage(git);
      const { difference, ...rest } = staged;
      if (difference !== undefined) last = rest;
      return staged;
    },
    async preview() {
      unlock();
      await skipped.revealPresent();
      const copy = `${index}-preview`;
      rmSync(`${copy}.lock`, { force: true });
      copyIndex(index, copy);
      return stage({
        run: (args, options) => git.run(args, { index: copy, ...options }),
        runBoth: (one, other) => git.runBoth(one, other, { index: copy }),
      });
    },
    pinTo(tree) {
      pinned = tree;
    },
    async checkOutTree(tree, mode) {
      unlock();
      const from = last?.tree ?? headTree;
      const changed = skipped.isEmpty ? [] : await pathsBetween(git, pinned, tree);
      await skipped.reveal(changed);
      await git.run(['read-tree', ...(mode === 'keep' ? ['-m', '-u', from] : ['--reset', '-u']), tree]);
      if (mode === 'overwrite') await skipped.hide(new Set(changed));
      last = { tree, leftOut: [], changed: [], key: '' };
    },
    async untracked() {
      const { stdout } = await git.run(['ls-files', '-z', '--others', '--exclude-standard']);
      return splitRecords(stdout);
    },
  };
}

async function pathsBetween(git: Git, from: string, to: string): Promise<readonly BytePath[]> {
  return (await diffTrees(git, from, to)).map(({ path }) => path);
}

/**
 * What git would record: new, changed and deleted files, each once, and files whose times alone changed. A nested
 * repository ends with `/`. Two processes instead of one `ls-files`: half of the time is for the status of known files,
 * which `diff-files` reads with several threads (git 2.39, `preload-index.c`), and half for the search for new ones.
 */
async function changedPaths(git: Git): Promise<readonly BytePath[]> {
  const results = await git.runBoth(
    // A submodule counts if it is at another commit. `inner-repositories.ts` looks at the files in it.
    ['diff-files', '-z', '--name-only', '--no-renames', '--ignore-submodules=dirty'],
    ['ls-files', '-z', '--others', '--exclude-standard'],
  );
  return [...new Set(results.flatMap(({ stdout }) => splitRecords(stdout)))];
}

interface StagingRequest {
  readonly root: string;
  readonly paths: readonly BytePath[];
  /** Number of hexadecimal digits of an id. */
  readonly idLength: number;
  /** Writes the index even without changes, so that git reads files with a racy timestamp only once. */
  readonly force: boolean;
}

async function stagePaths(git: Git, { root, paths, idLength, force }: StagingRequest): Promise<void> {
  const known = new Map<BytePath, boolean>();
  const isGone = (path: BytePath) => isDirectoryNow(path, root) || isBehindLink(path, root, known);
  const gone: TreeUpdate[] = paths.filter(isGone).map((path) => ({ path, entry: undefined }));
  if (gone.length > 0) await updateIndex(git, undefined, idLength, gone);
  const rest = paths.filter((path) => !isGone(path));
  const args = ['--add', '--remove', '--replace', '-z', '--stdin'];
  await git.run(['update-index', ...(force ? ['--force-write-index'] : []), ...args], {
    input: bytesOf(rest.map((path) => `${path}\0`).join('')),
  });
}

/** The tree of the index and its difference to `pinned`. */
async function readStaged(
  git: Git,
  pinned: string,
): Promise<Pick<TreeDifference, 'changes'> & { tree: string }> {
  const [written, compared] = await git.runBoth(writeTreeArgs, diffIndexArgs(pinned));
  return { tree: readTreeId(written), changes: readChanges(compared) };
}

/** Sets these paths back to their version before the change. Returns the tree. */
async function restorePinned(git: Git, tree: string, wrong: readonly TreeChange[]): Promise<string> {
  if (wrong.length === 0) return tree;
  const updates = wrong.map(({ path, before }) => ({ path, entry: before }));
  await updateIndex(git, undefined, tree.length, updates);
  return writeTree(git);
}

function without(all: readonly TreeChange[], some: readonly TreeChange[]): readonly TreeChange[] {
  return some.length === 0 ? all : all.filter((change) => !some.includes(change));
}
