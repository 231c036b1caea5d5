/** The part of the start tree that a re-run compares. */
import { type BytePath, bytePathToText, splitRecords } from './byte-path.js';
import type { Git } from './git.js';
import { applyUpdates, type TreeEntry } from './git-tree.js';
import type { Repository } from './repository.js';

/** Id of `tree` without `.gump/**` of the working directory, because a re-run compares workflows separately. */
export async function comparableTree(
  git: Git,
  repository: Repository,
  index: string,
  tree: string,
): Promise<string> {
  const args = ['ls-tree', '-r', '-z', '--name-only', '--full-tree', tree];
  const { stdout } = await git.run([...args, `${bytePathToText(repository.prefix)}.gump/`]);
  const removals = splitRecords(stdout).map((path) => ({ path, entry: undefined }));
  return removals.length === 0 ? tree : applyUpdates(git, index, tree, removals);
}

/**
 * The tree with what git has for converted files, as `git write-tree` would make it. It is the same whether the
 * filters of a checkout ran or not.
 */
export function cleanTree(
  git: Git,
  index: string,
  tree: string,
  differing: readonly { readonly path: BytePath; readonly clean: TreeEntry }[],
): Promise<string> {
  return applyUpdates(
    git,
    index,
    tree,
    differing.map(({ path, clean }) => ({ path, entry: clean })),
  );
}
