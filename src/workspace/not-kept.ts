/**
 * What a step made and git does not record without a word: empty directories, and files that a rule of a
 * `.gitignore` hides which the step itself wrote. Each is reported once.
 */
import { type Dirent, readdirSync } from 'node:fs';
import { absolutePath, type BytePath, bytePathToText, bytesOf, splitRecords } from './byte-path.js';
import { isExcluded } from './exclude-rules.js';
import type { Git } from './git.js';
import { listIgnoredPaths } from './ignored.js';
import { type LeftOutRules, wasIgnored } from './left-out-files.js';
import { statPath } from './path-status.js';
import type { NotKeptPath } from './workspace.js';

export interface NotKeptPaths {
  /** `changed`: the paths that changed since the last call. */
  find(changed: readonly BytePath[]): Promise<readonly NotKeptPath[]>;
  /** The same without a report: a gate made them. */
  skip(changed: readonly BytePath[]): Promise<void>;
}

export interface NotKeptOptions {
  readonly git: Git;
  readonly rules: LeftOutRules;
  readonly startTree: string;
}

export async function openNotKept(options: NotKeptOptions): Promise<NotKeptPaths> {
  const known = new Set<string>();
  const ignoreFiles = new Set<BytePath>();
  const find: NotKeptPaths['find'] = async (changed) => {
    for (const path of changed) if (isIgnoreFile(path)) ignoreFiles.add(path);
    const found: NotKeptPath[] = [
      ...(await findEmptyDirectories(options, changed)).map((path) => ({ path, reason: 'empty' as const })),
      ...(await findHiddenFiles(options, ignoreFiles)).map((path) => ({ path, reason: 'ignored' as const })),
    ].map(({ path, reason }) => ({ path: bytePathToText(path), reason }));
    const fresh = found.filter(({ path }) => !known.has(path));
    for (const { path } of fresh) known.add(path);
    return fresh;
  };
  const skip = async (changed: readonly BytePath[]) => void (await find(changed));
  // What is there at the start belongs to no step.
  await skip([]);
  return { find, skip };
}

function isIgnoreFile(path: BytePath): boolean {
  return path === '.gitignore' || path.endsWith('/.gitignore');
}

/** Looks in the root and next to changed files, which needs no process and not the whole worktree. */
async function findEmptyDirectories(
  { git, rules }: NotKeptOptions,
  changed: readonly BytePath[],
): Promise<readonly BytePath[]> {
  const { root, prefix } = rules.repository;
  const folders = new Set<BytePath>(['']);
  for (const path of changed)
    for (let at = path.indexOf('/'); at !== -1; at = path.indexOf('/', at + 1))
      folders.add(path.slice(0, at + 1));
  const found = [...folders]
    .flatMap((folder) => childFolders(root, folder))
    .filter((path) => isNew(path, rules) && isEmpty(root, path) && !isExcluded(path.slice(0, -1), prefix));
  const unique = [...new Set(found)].filter((path) => !wasIgnored(path, rules.ignoredAtStart));
  if (unique.length === 0) return [];
  const { stdout } = await git.run(['check-ignore', '-z', '--stdin'], {
    input: bytesOf(unique.map((path) => `${path}\0`).join('')),
    accept: [0, 1, 128],
  });
  const ignored = new Set(splitRecords(stdout));
  return unique.filter((path) => !ignored.has(path)).sort();
}

/** Made or emptied since the start. The folder of a submodule that is not checked out is empty from the start. */
function isNew(folder: BytePath, { repository, startedAt }: LeftOutRules): boolean {
  const found = statPath(folder.slice(0, -1), repository.root);
  return found !== undefined && found.ctimeMs >= startedAt;
}

function childFolders(root: string, folder: BytePath): readonly BytePath[] {
  return entriesIn(root, folder)
    .filter((entry) => entry.isDirectory() && entry.name.toString('latin1') !== '.git')
    .map((entry) => `${folder}${entry.name.toString('latin1')}/`)
    .filter((path) => path !== '.gump/');
}

/** Whether there is no file in the folder and in the folders in it. Stops at the first file. */
function isEmpty(root: string, folder: BytePath): boolean {
  return entriesIn(root, folder).every(
    (entry) => entry.isDirectory() && isEmpty(root, `${folder}${entry.name.toString('latin1')}/`),
  );
}

function entriesIn(root: string, folder: BytePath): readonly Dirent<Buffer>[] {
  try {
    return readdirSync(absolutePath(root, folder), { withFileTypes: true, encoding: 'buffer' });
  } catch {
    return [];
  }
}

/** Paths that are ignored by a rule that was not in the file at the start. */
async function findHiddenFiles(
  { git, rules, startTree }: NotKeptOptions,
  ignoreFiles: ReadonlySet<BytePath>,
): Promise<readonly BytePath[]> {
  if (ignoreFiles.size === 0) return [];
  const now = [...(await listIgnoredPaths(git))].filter((path) => !wasIgnored(path, rules.ignoredAtStart));
  if (now.length === 0) return [];
  const { stdout } = await git.run(['check-ignore', '-v', '-z', '--stdin'], {
    input: bytesOf(now.map((path) => `${path}\0`).join('')),
    accept: [0, 1],
  });
  const records = splitRecords(stdout);
  const startRules = new Map<BytePath, ReadonlySet<string>>();
  const hidden: BytePath[] = [];
  for (let at = 0; at + 3 < records.length; at += 4) {
    const [source = '', , pattern = '', path = ''] = records.slice(at, at + 4);
    if (!ignoreFiles.has(source) || isExcluded(path.replace(/\/$/, ''), rules.repository.prefix)) continue;
    const before = startRules.get(source) ?? (await readRules(git, startTree, source));
    startRules.set(source, before);
    if (!before.has(pattern)) hidden.push(path);
  }
  return hidden.sort();
}

async function readRules(git: Git, tree: string, path: BytePath): Promise<ReadonlySet<string>> {
  const name = `${tree}:${bytePathToText(path)}`;
  const { status, stdout } = await git.run(['cat-file', 'blob', name], { accept: [0, 128] });
  return new Set(status === 0 ? stdout.toString('latin1').split(/\r?\n/) : []);
}
