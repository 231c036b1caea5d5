/**
 * What a commit at GitHub has at single paths. Reads only the directories on the way, and takes a directory that is
 * the same in the start commit from the checkout, so that a moved branch needs few requests.
 */
import type { BytePath } from '../workspace/byte-path.js';
import type { ChangeCommits } from '../workspace/change-commits.js';
import type { TreeEntry } from '../workspace/git-tree.js';
import type { CommitTarget } from './commit-target.js';

export interface RemoteTree {
  /**
   * The entry at a path; a directory counts as one. `blocked`: the path of a file of which the path would be a part,
   * if it is in the way.
   */
  find(path: BytePath): Promise<{ readonly entry?: TreeEntry; readonly blocked?: BytePath }>;
}

type StartCommit = Pick<ChangeCommits, 'startTrees' | 'startFiles'>;

export function openRemoteTree(
  target: Pick<CommitTarget, 'entries'>,
  root: string,
  start: StartCommit,
): RemoteTree {
  const read = new Map<string, Promise<ReadonlyMap<BytePath, TreeEntry>>>();
  const entriesOf = (tree: string) => {
    const known = read.get(tree) ?? target.entries(tree);
    read.set(tree, known);
    return known;
  };
  return {
    async find(path) {
      const names = path.split('/');
      const startTrees = await start.startTrees();
      let tree = root;
      for (const [depth, name] of names.entries()) {
        const directory = names.slice(0, depth).join('/');
        if (startTrees.get(directory) === tree) return findInStart(start, path, directory);
        const entry = (await entriesOf(tree)).get(name);
        if (entry === undefined) return {};
        if (depth === names.length - 1) return { entry };
        if (!isDirectory(entry)) return { entry, blocked: names.slice(0, depth + 1).join('/') };
        tree = entry.id;
      }
      return {};
    },
  };
}

/** The same for a directory of the start commit. */
async function findInStart(
  start: StartCommit,
  path: BytePath,
  directory: BytePath,
): Promise<{ readonly entry?: TreeEntry; readonly blocked?: BytePath }> {
  const [files, trees] = [await start.startFiles(), await start.startTrees()];
  const names = path.split('/');
  for (let depth = directory === '' ? 1 : directory.split('/').length + 1; depth < names.length; depth += 1) {
    const above = names.slice(0, depth).join('/');
    const file = files.get(above);
    if (file !== undefined) return { entry: file, blocked: above };
  }
  const entry = files.get(path);
  const id = trees.get(path);
  if (entry !== undefined) return { entry };
  return id === undefined ? {} : { entry: { mode: '040000', id } };
}

/** GitHub writes the mode of a directory with six digits, git with five. */
export function isDirectory({ mode }: TreeEntry): boolean {
  return mode === '040000' || mode === '40000';
}
