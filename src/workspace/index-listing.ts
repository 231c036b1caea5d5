/** Everything that an index knows about its files, from one process. */
import { type BytePath, splitRecords } from './byte-path.js';
import type { Git } from './git.js';
import type { TreeEntry } from './git-tree.js';

export interface IndexEntry extends TreeEntry {
  readonly path: BytePath;
  /** Marked with `--skip-worktree`, as the files that a sparse checkout leaves out. */
  readonly isSkipped: boolean;
  /** Marked with `--assume-unchanged`: git does not look for changes. */
  readonly isAssumedUnchanged: boolean;
}

export const submoduleMode = '160000';

/** Entries without a conflict. `index`: the path of another index file. */
export async function listIndex(git: Git, index?: string): Promise<readonly IndexEntry[]> {
  const options = index === undefined ? {} : { index };
  const { stdout } = await git.run(['ls-files', '-z', '-s', '-v'], options);
  return splitRecords(stdout).flatMap((record) => {
    const [, tag = '', mode = '', id = '', stage, path = ''] =
      /^(\w) (\d+) (\w+) (\d)\t(.*)$/s.exec(record) ?? [];
    if (stage !== '0') return [];
    const isSkipped = tag.toUpperCase() === 'S';
    return [{ path, mode, id, isSkipped, isAssumedUnchanged: tag !== tag.toUpperCase() }];
  });
}
