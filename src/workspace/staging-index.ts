/**
 * The private index: keeps it in step with the work tree, and the work tree with it. It starts as a copy of the
 * user's and is kept, because it knows which files were looked at before (at 50,000 files 140 ms against 596).
 *
 * git lists what changed, we say what of it is recorded. (`git add -A` would do both, but walks the tree again,
 * takes large files in before one can say no, and fails for an exclusion of an ignored path: git 2.39.)
 */
import { copyFileSync, existsSync, rmSync, statSync, utimesSync } from 'node:fs';
import { type BytePath, bytesOf, splitRecords } from './byte-path.js';
import { isExcluded } from './exclude-rules.js';
import type { Git } from './git.js';
import { diffTrees, type TreeUpdate, updateIndex, writeTree } from './git-tree.js';
import { checkLeftOut, type LeftOutFile, type LeftOutRules } from './left-out-files.js';
import { isBehindLink, isDirectoryNow } from './path-status.js';

export interface StagedTree {
  /** Tree of everything that lies in the work tree and is recorded. */
  readonly tree: string;
  readonly leftOut: readonly LeftOutFile[];
}

export interface StagingIndex {
  /** Takes the work tree in. Costs one process where nothing changed since the last call. */
  update(): Promise<StagedTree>;
  /** Call it once, after the first update: what is left out from now on stays as it is in this tree. */
  pinTo(tree: string): void;
  /**
   * Makes the work tree into `tree`. `keep` needs an `update` just before, and throws before anything is written
   * where that would overwrite a file that is not recorded; `overwrite` does not look.
   */
  checkOutTree(tree: string, mode: 'keep' | 'overwrite'): Promise<void>;
  /** Files that lie there, are not ignored and are not in the index. */
  untracked(): Promise<readonly BytePath[]>;
}

/** Copies the user's index. `index` is the file that git was told to use. */
export function copyIndex(usersIndex: string, index: string): void {
  rmSync(index, { force: true });
  if (!existsSync(usersIndex)) return;
  copyFileSync(usersIndex, index);
  // A file written in the same second as the index may have changed since, which git sees from the index's own
  // time (racy-git). A copy that looks younger would hide such a change.
  const { atime, mtimeMs } = statSync(usersIndex);
  utimesSync(index, atime, Math.floor(mtimeMs / 1000));
}

export function openStagingIndex(git: Git, index: string, rules: LeftOutRules): StagingIndex {
  const { root, prefix, headTree } = rules.repository;
  let pinned = headTree;
  let last: (StagedTree & { readonly key: string }) | undefined;

  // A git that was killed together with an agent leaves its lock; nobody else uses this index.
  const unlock = () => rmSync(`${index}.lock`, { force: true });

  const update = async (): Promise<StagedTree> => {
    unlock();
    const listed = await changedPaths(git);
    const left = listed.flatMap((path) => checkLeftOut(path, rules) ?? []);
    const names = new Set(left.map(({ path }) => path));
    const changed = listed.filter((path) => !names.has(path));
    const key = [...names].join('\0');
    if (last !== undefined && changed.length === 0 && key === last.key) return last;
    const isFirst = last === undefined;
    await stagePaths(git, { root, paths: changed, idLength: headTree.length, force: isFirst });
    const isKeptOut = (path: BytePath) =>
      names.has(path) || names.has(`${path}/`) || isExcluded(path, prefix);
    const tree = await writeTree(git);
    const settled = isFirst || names.size > 0 ? await restorePinned(git, pinned, tree, isKeptOut) : tree;
    last = { tree: settled, leftOut: left, key };
    return last;
  };

  return {
    update,
    pinTo(tree) {
      pinned = tree;
    },
    async checkOutTree(tree, mode) {
      unlock();
      const from = last?.tree ?? headTree;
      await git.run(['read-tree', ...(mode === 'keep' ? ['-m', '-u', from] : ['--reset', '-u']), tree]);
      last = { tree, leftOut: [], key: '' };
    },
    async untracked() {
      const { stdout } = await git.run(['ls-files', '-z', '--others', '--exclude-standard']);
      return splitRecords(stdout);
    },
  };
}

/** What git would record: new, changed and deleted files, each once. Repositories within end with `/`. */
async function changedPaths(git: Git): Promise<readonly BytePath[]> {
  const args = ['ls-files', '-z', '--others', '--exclude-standard', '--modified', '--deleted'];
  const { stdout } = await git.run(args);
  return [...new Set(splitRecords(stdout))];
}

interface StagingRequest {
  readonly root: string;
  readonly paths: readonly BytePath[];
  /** Hexadecimal digits of an id. */
  readonly idLength: number;
  /** Writes the index in any case, so that files which look racy are read once and not every time. */
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

/** Gives the paths in question the form that they have in `pinned`. */
async function restorePinned(
  git: Git,
  pinned: string,
  tree: string,
  isKeptOut: (path: BytePath) => boolean,
): Promise<string> {
  const changes = await diffTrees(git, pinned, tree);
  const wrong = changes.filter(({ path }) => isKeptOut(path));
  if (wrong.length === 0) return tree;
  await updateIndex(
    git,
    undefined,
    tree.length,
    wrong.map(({ path, before }) => ({ path, entry: before })),
  );
  return writeTree(git);
}
