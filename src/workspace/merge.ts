/**
 * Merges the change of a snapshot onto another tree with a three-way merge of each path. Neither reads nor writes
 * the worktree. (`git merge-tree` does this for whole trees, but needs git 2.38.)
 */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { BytePath } from './byte-path.js';
import type { Git } from './git.js';
import {
  applyUpdates,
  diffTrees,
  isSameEntry,
  listTree,
  type TreeChange,
  type TreeEntry,
  type TreeUpdate,
} from './git-tree.js';
import type { Snapshot } from './workspace.js';

export interface MergeFiles {
  /** Path of an index file that may be overwritten. */
  readonly index: string;
  /** Directory for temporary files. */
  readonly scratch: string;
  /** Files of the start tree whose bytes differ from what git has for them. */
  readonly converted: ReadonlyMap<BytePath, { readonly clean: TreeEntry; readonly real: TreeEntry }>;
}

export interface SnapshotMergeResult {
  /** The merged tree. A path with a conflict has the content of the snapshot. */
  readonly tree: string;
  /** The difference between the merged tree and the tree before the merge. */
  readonly updates: readonly TreeUpdate[];
  readonly conflicts: readonly BytePath[];
}

/** The files of a tree. */
export type ListFiles = (tree: string) => Promise<ReadonlyMap<BytePath, TreeEntry>>;

export type EntryMergeResult = { readonly entry: TreeEntry | undefined } | 'conflict';

/** Merges the change base → commit onto `tree`. */
export async function mergeOnto(
  git: Git,
  files: MergeFiles,
  tree: string,
  snapshot: Snapshot,
  listFiles: ListFiles = (one) => listTree(git, one),
): Promise<SnapshotMergeResult> {
  const changes = await diffTrees(git, snapshot.base, snapshot.commit);
  if (changes.length === 0) return { tree, updates: [], conflicts: [] };
  const present = await listFiles(tree);
  const updates: TreeUpdate[] = [];
  const conflicts: BytePath[] = [];
  for (const change of changes) {
    const current = currentEntry(files, change, present);
    const outcome = await mergeEntry(git, files, change, current);
    if (outcome === 'conflict') conflicts.push(change.path);
    const entry = outcome === 'conflict' ? change.after : outcome.entry;
    if (!isSameEntry(entry, current)) updates.push({ path: change.path, entry });
  }
  const merged = await applyUpdates(git, files.index, tree, updates);
  conflicts.push(...(await findDisplacedPaths(git, tree, merged, updates)));
  return { tree: merged, updates, conflicts };
}

/**
 * What the tree has at the path of a change. Version 0.1.0 recorded what git has for a converted file, and not its
 * bytes: such a file counts as unchanged.
 */
export function currentEntry(
  { converted }: Pick<MergeFiles, 'converted'>,
  { path, before }: TreeChange,
  present: ReadonlyMap<BytePath, TreeEntry>,
): TreeEntry | undefined {
  const current = present.get(path);
  return isOnlyConverted(converted, { path, before, after: current }) ? before : current;
}

/** Whether the change is from what git has for a file to the bytes of the same file in the worktree. */
export function isOnlyConverted(
  converted: MergeFiles['converted'],
  { path, before, after }: TreeChange,
): boolean {
  const file = converted.get(path);
  return file !== undefined && isSameEntry(before, file.clean) && isSameEntry(after, file.real);
}

/** Merges the change of one path with what the other side has there. */
export async function mergeEntry(
  git: Git,
  files: Pick<MergeFiles, 'scratch'>,
  change: TreeChange,
  current: TreeEntry | undefined,
): Promise<EntryMergeResult> {
  if (isSameEntry(current, change.before)) return { entry: change.after };
  if (isSameEntry(current, change.after)) return { entry: current };
  const { before, after } = change;
  if (!isFile(before) || !isFile(after) || !isFile(current)) return 'conflict';
  const mode = current.mode === before.mode ? after.mode : current.mode;
  if (current.id === before.id || current.id === after.id) return { entry: { mode, id: after.id } };
  if (before.id === after.id) return { entry: { mode, id: current.id } };
  const id = await mergeText(git, files.scratch, [current.id, before.id, after.id]);
  return id === undefined ? 'conflict' : { entry: { mode, id } };
}

function isFile(entry: TreeEntry | undefined): entry is TreeEntry {
  return entry?.mode.startsWith('100') === true;
}

/** `ids`: ours, base, theirs. `undefined` if they conflict or are binary. */
async function mergeText(git: Git, scratch: string, ids: readonly string[]): Promise<string | undefined> {
  const names: string[] = [];
  for (const [number, id] of ids.entries()) {
    const name = join(scratch, `merge-${number}`);
    writeFileSync(name, (await git.run(['cat-file', 'blob', id])).stdout);
    names.push(name);
  }
  // The status is the number of conflicts (at most 127). 255: the file cannot be merged as text.
  const statuses = [...Array(128).keys(), 255];
  const { status, stdout } = await git.run(['merge-file', '-p', '-q', ...names], { accept: statuses });
  if (status !== 0) return undefined;
  const { stdout: id } = await git.run(['hash-object', '-w', '--stdin'], { input: stdout });
  return id.toString('latin1').trim();
}

/** Files that the merge removed because a directory of the snapshot has the same name, or the reverse. */
async function findDisplacedPaths(
  git: Git,
  tree: string,
  merged: string,
  updates: readonly TreeUpdate[],
): Promise<readonly BytePath[]> {
  const updatedPaths = new Set(updates.map(({ path }) => path));
  const changes = await diffTrees(git, tree, merged);
  return changes.map(({ path }) => path).filter((path) => !updatedPaths.has(path));
}
