/** The change of a run on top of a commit at GitHub: a three-way merge of each path, with the start commit as base. */
import { type BytePath, bytePathToText } from '../workspace/byte-path.js';
import type { ChangeCommits } from '../workspace/change-commits.js';
import { isSameEntry, type TreeChange, type TreeEntry, type TreeUpdate } from '../workspace/git-tree.js';
import type { CommitTarget } from './commit-target.js';
import { isDirectory, openRemoteTree } from './remote-tree.js';

/** A path, what the new commit has there, and what the commit below it has. */
export interface PlannedUpdate extends TreeUpdate {
  readonly current: TreeEntry | undefined;
}

export interface MergedChange {
  /** Without paths that the other commit already has like this. */
  readonly updates: readonly PlannedUpdate[];
  /** Paths relative to the repository root that cannot be merged, sorted. */
  readonly conflicts: readonly string[];
}

/** The change on top of the start commit itself. */
export function onStartCommit(files: readonly TreeChange[]): MergedChange {
  return {
    updates: files.map(({ path, before, after }) => ({ path, entry: after, current: before })),
    conflicts: [],
  };
}

export async function mergeChanges(
  target: Pick<CommitTarget, 'entries' | 'blob'>,
  commits: Pick<ChangeCommits, 'startTrees' | 'startFiles' | 'merge' | 'store'>,
  files: readonly TreeChange[],
  tree: string,
): Promise<MergedChange> {
  const remote = openRemoteTree(target, tree, commits);
  const removed = new Set(files.filter(({ after }) => after === undefined).map(({ path }) => path));
  const updates: PlannedUpdate[] = [];
  const conflicts: BytePath[] = [];
  for (const change of files) {
    const { entry, blocked } = await remote.find(change.path);
    if (blocked !== undefined && !removed.has(blocked)) {
      conflicts.push(change.path);
      continue;
    }
    const current = blocked === undefined ? entry : undefined;
    if (current !== undefined && needsContent(change, current))
      await commits.store(await target.blob(current.id));
    const outcome = (await replacesDirectory(commits, change, current))
      ? { entry: change.after }
      : await commits.merge(change, current);
    if (outcome === 'conflict') conflicts.push(change.path);
    else if (!isSameEntry(outcome.entry, current))
      updates.push({ path: change.path, entry: outcome.entry, current });
  }
  return { updates, conflicts: conflicts.map(bytePathToText).sort() };
}

/** Whether the merge reads the content of the other side: all three have a file, and no two of them are the same. */
function needsContent({ before, after }: TreeChange, current: TreeEntry): boolean {
  const ids = [before?.id, after?.id, current.id];
  const areFiles = [before, after, current].every((one) => one?.mode.startsWith('100') === true);
  return areFiles && new Set(ids).size === 3;
}

/**
 * A new file in place of a directory: the run has removed everything in it, so it must be that of the start commit.
 * `merge` reports every other one.
 */
async function replacesDirectory(
  commits: Pick<ChangeCommits, 'startTrees'>,
  { path, before }: TreeChange,
  current: TreeEntry | undefined,
): Promise<boolean> {
  if (current === undefined || before !== undefined || !isDirectory(current)) return false;
  return (await commits.startTrees()).get(path) === current.id;
}
