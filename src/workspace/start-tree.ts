/** The part of the start tree that a re-run compares. */
import { splitRecords, toText } from './byte-path.js';
import type { Git } from './git.js';
import type { Repository } from './repository.js';
import { overlay } from './tree.js';

/** Id of `tree` without `.gump/**` of the working directory: a workflow that was edited is compared by itself. */
export async function comparableTree(
  git: Git,
  repository: Repository,
  index: string,
  tree: string,
): Promise<string> {
  const args = ['ls-tree', '-r', '-z', '--name-only', '--full-tree', tree];
  const { stdout } = await git.run([...args, `${toText(repository.prefix)}.gump/`]);
  const removals = splitRecords(stdout).map((path) => ({ path, entry: undefined }));
  return removals.length === 0 ? tree : overlay(git, index, tree, removals);
}
