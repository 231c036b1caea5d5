/** Git trees by id: the difference between two trees, and a new tree with some paths changed. Uses no worktree. */
import { defined } from '../optional-keys.js';
import { type BytePath, bytesOf, splitRecords } from './byte-path.js';
import type { Git, GitResult } from './git.js';

/** What a tree contains at a path. */
export interface TreeEntry {
  /** `100644`, `100755`, `120000` (symbolic link) or `160000` (commit of a submodule). */
  readonly mode: string;
  readonly id: string;
}

export interface TreeChange {
  readonly path: BytePath;
  /** `undefined` if the tree has nothing at this path. */
  readonly before: TreeEntry | undefined;
  readonly after: TreeEntry | undefined;
}

/** A path and its new content. */
export interface TreeUpdate {
  readonly path: BytePath;
  /** `undefined` removes the path. */
  readonly entry: TreeEntry | undefined;
}

export function isSameEntry(one: TreeEntry | undefined, other: TreeEntry | undefined): boolean {
  return one?.id === other?.id && one?.mode === other?.mode;
}

// Without the last option, a submodule with `ignore = all` in its configuration would be missing.
const rawArgs = ['-z', '--raw', '--no-renames', '--no-abbrev', '--ignore-submodules=none'] as const;

/** All paths at which two trees (or commits) differ. A rename is a deletion and an addition. */
export async function diffTrees(git: Git, from: string, to: string): Promise<readonly TreeChange[]> {
  if (from === to) return [];
  return readChanges(await git.run(['diff-tree', '-r', ...rawArgs, from, to]));
}

/** The command for the paths at which the index differs from a tree, as `diffTrees`. */
export function diffIndexArgs(from: string): readonly string[] {
  return ['diff-index', '--cached', ...rawArgs, from];
}

/** Reads what the commands for differences print. */
export function readChanges({ stdout }: Pick<GitResult, 'stdout'>): readonly TreeChange[] {
  const records = splitRecords(stdout);
  const changes: TreeChange[] = [];
  for (let at = 0; at + 1 < records.length; at += 2) {
    changes.push(toChange(records[at] as string, records[at + 1] as string));
  }
  return changes;
}

/** Every file of a tree. */
export async function listTree(git: Git, tree: string): Promise<ReadonlyMap<BytePath, TreeEntry>> {
  const { stdout } = await git.run(['ls-tree', '-r', '-z', '--full-tree', tree]);
  return new Map(
    splitRecords(stdout).map((record) => {
      // `100644 blob ID<tab>PATH`
      const end = record.indexOf('\t');
      const [mode = '', , id = ''] = record.slice(0, end).split(' ');
      return [record.slice(end + 1), { mode, id }];
    }),
  );
}

/** `:100644 000000 ID ID D` */
function toChange(record: string, path: BytePath): TreeChange {
  const [beforeMode = '', afterMode = '', beforeId = '', afterId = ''] = record.slice(1).split(' ');
  return { path, before: toEntry(beforeMode, beforeId), after: toEntry(afterMode, afterId) };
}

function toEntry(mode: string, id: string): TreeEntry | undefined {
  return mode === '000000' ? undefined : { mode, id };
}

/** Id of `tree` with these paths changed. `index` is the path of a file that may be overwritten. */
export async function applyUpdates(
  git: Git,
  index: string,
  tree: string,
  updates: readonly TreeUpdate[],
): Promise<string> {
  if (updates.length === 0) return tree;
  await git.run(['read-tree', tree], { index });
  await updateIndex(git, index, tree.length, updates);
  return writeTree(git, index);
}

/** Changes entries of an index without reading the worktree. `idLength`: number of hexadecimal digits of an id. */
export async function updateIndex(
  git: Git,
  index: string | undefined,
  idLength: number,
  updates: readonly TreeUpdate[],
): Promise<void> {
  // Removals come first: a file must be gone before a directory can use its name.
  const sorted = [...updates].sort(
    (one, other) => Number(one.entry !== undefined) - Number(other.entry !== undefined),
  );
  const lines = sorted.map(({ path, entry }) =>
    entry === undefined ? `0 ${'0'.repeat(idLength)}\t${path}\0` : `${entry.mode} ${entry.id}\t${path}\0`,
  );
  await git.run(['update-index', '-z', '--index-info'], {
    input: bytesOf(lines.join('')),
    ...defined({ index }),
  });
}

/** `--missing-ok`: otherwise git would fetch every blob of the tree in a partial clone. */
export const writeTreeArgs = ['write-tree', '--missing-ok'] as const;

export async function writeTree(git: Git, index?: string): Promise<string> {
  return readTreeId(await git.run(writeTreeArgs, defined({ index })));
}

/** Reads what `writeTreeArgs` prints. */
export function readTreeId({ stdout }: Pick<GitResult, 'stdout'>): string {
  return stdout.toString('latin1').trim();
}
