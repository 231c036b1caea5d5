/**
 * Prepares the change of a run for a commit outside of the action's own snapshots: in the user's repository, or at
 * GitHub. Such a commit contains what `git add` would store, while a snapshot contains the bytes of the worktree.
 */
import { type BytePath, bytePathToText, bytesOf, splitRecords, toBytePath } from './byte-path.js';
import type { Git } from './git.js';
import { diffTrees, isSameEntry, listTree, type TreeChange, type TreeEntry } from './git-tree.js';
import { commitInRepository, type LocalCommitRequest } from './local-commit.js';
import { type EntryMergeResult, mergeEntry } from './merge.js';
import type { Repository } from './repository.js';
import type { Snapshot } from './workspace.js';

/** Why a file cannot be part of a commit. */
export interface UncommittableFile {
  /** Relative to the repository root. */
  readonly path: string;
  /** `filter`: a program converts it (Git LFS, git-crypt). `submodule`: it is one, or lists them. `name`: not UTF-8. */
  readonly reason: 'filter' | 'submodule' | 'name';
  /** The name of the filter. */
  readonly filter?: string;
}

/** The difference between the start commit and a recorded state. */
export interface CommittableChange {
  /** Sorted by path. */
  readonly files: readonly TreeChange[];
  readonly refused: readonly UncommittableFile[];
}

export interface ChangeCommits {
  /** The branch that HEAD names, for example `main`. `undefined` if HEAD is detached. */
  readonly branch: string | undefined;
  /** Whether the checkout knows a branch of this name at its remote repository. */
  hasRemoteBranch(name: string): Promise<boolean>;
  /** What a commit of the snapshot would change in the start commit. */
  changeOf(snapshot: Snapshot): Promise<CommittableChange>;
  /** The paths of submodules in the start commit. */
  submodules(): Promise<readonly string[]>;
  /** The start commit: path of a directory → id of its tree. `''` is the whole tree. */
  startTrees(): Promise<ReadonlyMap<BytePath, string>>;
  startFiles(): Promise<ReadonlyMap<BytePath, TreeEntry>>;
  read(blob: string): Promise<Buffer>;
  /** Stores a blob for `merge`. Returns its id. */
  store(content: Buffer): Promise<string>;
  /** Three-way merge of one path. `current`: what the other side has there; its blob must be stored. */
  merge(change: TreeChange, current: TreeEntry | undefined): Promise<EntryMergeResult>;
  /**
   * Commits the files on top of HEAD, in the user's repository: no hook runs and nothing is signed. Throws a
   * `UserError` if HEAD has moved since the run started.
   */
  commit(request: LocalCommitRequest): Promise<string>;
}

export interface ChangeCommitsOptions {
  /** git with the private objects. */
  readonly git: Git;
  /** git with the user's repository. */
  readonly userGit: Git;
  /** A git that reads `.gitattributes` of the worktree, and no settings of the user. */
  openConverter(): Promise<Git>;
  readonly repository: Repository;
  /** Path of an index file that may be overwritten. */
  readonly index: string;
  readonly scratch: string;
  readonly branch: string | undefined;
  runExclusive<T>(task: () => Promise<T>): Promise<T>;
}

export function openChangeCommits(options: ChangeCommitsOptions): ChangeCommits {
  const { git, userGit, repository, runExclusive } = options;
  const { startCommit } = repository;
  const startFiles = once(() => runExclusive(() => listTree(git, startCommit)));
  return {
    branch: options.branch,
    async hasRemoteBranch(name) {
      const args = ['for-each-ref', '--count=1', `refs/remotes/*/${name}`];
      return (await runExclusive(() => userGit.run(args))).stdout.length > 0;
    },
    async changeOf(snapshot) {
      const start = await startFiles();
      return runExclusive(() => findChange(options, snapshot, start));
    },
    async submodules() {
      const files = [...(await startFiles())];
      return files.filter(([, { mode }]) => mode === '160000').map(([path]) => bytePathToText(path));
    },
    startTrees: once(() => runExclusive(() => listDirectories(git, startCommit))),
    startFiles,
    read: (blob) => runExclusive(async () => (await git.run(['cat-file', 'blob', blob])).stdout),
    store: (content) => runExclusive(() => storeBlob(git, content)),
    merge: (change, current) => runExclusive(() => mergeEntry(git, options, change, current)),
    commit: (request) => runExclusive(() => commitInRepository(options, request)),
  };
}

function once<T>(make: () => Promise<T>): () => Promise<T> {
  let made: Promise<T> | undefined;
  return () => {
    made ??= make();
    return made;
  };
}

async function storeBlob(git: Git, content: Buffer): Promise<string> {
  const { stdout } = await git.run(['hash-object', '-w', '--stdin'], { input: content });
  return stdout.toString('latin1').trim();
}

async function listDirectories(git: Git, commit: string): Promise<ReadonlyMap<BytePath, string>> {
  const { stdout } = await git.run(['ls-tree', '-r', '-d', '-z', '--full-tree', commit]);
  const { stdout: root } = await git.run(['rev-parse', `${commit}^{tree}`]);
  const entries = splitRecords(stdout).map((record) => {
    const end = record.indexOf('\t');
    return [record.slice(end + 1), record.slice(0, end).split(' ')[2] ?? ''] as const;
  });
  return new Map([['', root.toString('latin1').trim()], ...entries]);
}

async function findChange(
  options: ChangeCommitsOptions,
  snapshot: Snapshot,
  start: ReadonlyMap<BytePath, TreeEntry>,
): Promise<CommittableChange> {
  const recorded = await diffTrees(options.git, snapshot.base, snapshot.commit);
  if (recorded.length === 0) return { files: [], refused: [] };
  const unnamed = recorded.filter(({ path }) => toBytePath(bytePathToText(path)) !== path);
  const attributes = await readAttributes(
    options,
    recorded.map(({ path }) => path),
  );
  const refused = [
    ...unnamed.map(({ path }) => ({ path: bytePathToText(path), reason: 'name' as const })),
    ...recorded.flatMap((change) => refusalOf(change, attributes.get(change.path))),
  ];
  const files: TreeChange[] = [];
  for (const { path, after } of refused.length > 0 ? [] : recorded) {
    const before = start.get(path);
    const stored = await asStored(options, path, after, attributes.get(path));
    if (!isSameEntry(before, stored)) files.push({ path, before, after: stored });
  }
  return { files: files.sort((a, b) => (a.path < b.path ? -1 : 1)), refused };
}

type Attributes = ReadonlyMap<string, string>;

function refusalOf(
  { path, before, after }: TreeChange,
  attributes: Attributes | undefined,
): readonly UncommittableFile[] {
  const shown = bytePathToText(path);
  const isSubmodule = before?.mode === '160000' || after?.mode === '160000' || path === '.gitmodules';
  if (isSubmodule) return [{ path: shown, reason: 'submodule' }];
  const filter = attributes?.get('filter');
  if (filter === undefined || after === undefined) return [];
  return [{ path: shown, reason: 'filter', filter }];
}

/** The attributes that change what git stores of a file (gitattributes(5)). */
const attributeNames = ['text', 'eol', 'working-tree-encoding', 'ident', 'filter'] as const;

/** The attributes of each path that are set, by the `.gitattributes` of the worktree. */
async function readAttributes(
  { openConverter }: ChangeCommitsOptions,
  paths: readonly BytePath[],
): Promise<ReadonlyMap<BytePath, Attributes>> {
  const git = await openConverter();
  const input = bytesOf(paths.map((path) => `${path}\0`).join(''));
  const { stdout } = await git.run(['check-attr', '-z', '--stdin', ...attributeNames], { input });
  const records = splitRecords(stdout);
  const found = new Map<BytePath, Map<string, string>>();
  for (let at = 0; at + 2 < records.length; at += 3) {
    const [path = '', name = '', value = ''] = records.slice(at, at + 3);
    if (value === 'unspecified' || value === 'unset') continue;
    found.set(path, (found.get(path) ?? new Map()).set(name, value));
  }
  return found;
}

/** What `git add` would store: with the line ends and the encoding of the repository. */
async function asStored(
  { git, openConverter }: ChangeCommitsOptions,
  path: BytePath,
  after: TreeEntry | undefined,
  attributes: Attributes | undefined,
): Promise<TreeEntry | undefined> {
  if (after === undefined || attributes === undefined || !after.mode.startsWith('100')) return after;
  const { stdout: content } = await git.run(['cat-file', 'blob', after.id]);
  const converter = await openConverter();
  const args = ['hash-object', '-w', '--stdin', `--path=${bytePathToText(path)}`];
  const { stdout } = await converter.run(args, { input: content });
  return { mode: after.mode, id: stdout.toString('latin1').trim() };
}
