/**
 * Repositories in the worktree: submodules and others. git records only the commit of a submodule and nothing of
 * another repository, so what a step changes in them is not stored. This file finds such changes, so that they are
 * reported and not lost in silence. Costs one process for each of these repositories.
 */
import { lstatSync, readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { type BytePath, bytePathToText, splitRecords } from './byte-path.js';
import type { Git } from './git.js';
import { type IndexEntry, listIndex, submoduleMode } from './index-listing.js';
import type { LeftOutFile } from './left-out-files.js';
import { readBranch } from './refs.js';
import { copyIndex } from './staging-index.js';

export interface InnerRepositories {
  /** The repositories that changed since the last call, sorted. A path ends with `/`. The first call returns none. */
  findChanged(nested: readonly BytePath[]): Promise<readonly BytePath[]>;
}

export interface InnerRepositoriesOptions {
  readonly root: string;
  /** Of the main worktree, at the start. */
  readonly entries: readonly IndexEntry[];
  /** git with the private git directory, on another worktree and index. */
  openGitAt(directory: string, index: string): Git;
  /** For copies of indexes. */
  readonly scratch: string;
}

/** The state of a repository without a change since its commit: the same as of one that is not checked out. */
const clean = '';

export function openInnerRepositories(options: InnerRepositoriesOptions): InnerRepositories {
  const submodules = submodulesIn(options.entries);
  const states = new Map<BytePath, string>();
  const reader: Reader = { ...options, indexes: new Map() };
  let isFirst = true;
  return {
    async findChanged(nested) {
      const changed: BytePath[] = [];
      for (const path of new Set([...submodules.keys(), ...nested, ...states.keys()])) {
        const state = await readState(reader, join(options.root, bytePathToText(path)), submodules.get(path));
        if (state !== (states.get(path) ?? (submodules.has(path) ? clean : undefined))) changed.push(path);
        states.set(path, state);
      }
      const result = isFirst ? [] : changed.sort();
      isFirst = false;
      return result;
    },
  };
}

type Reader = InnerRepositoriesOptions & { readonly indexes: Map<string, KnownIndex> };

/** A copy of the index of a repository, from when it was first seen. */
interface KnownIndex {
  readonly file: string;
  readonly submodules: ReadonlyMap<BytePath, string>;
}

/** Path with `/` → the commit that git has for it. */
function submodulesIn(entries: readonly IndexEntry[]): ReadonlyMap<BytePath, string> {
  const found = entries.filter(({ mode }) => mode === submoduleMode);
  return new Map(found.map(({ path, id }) => [`${path}/`, id]));
}

/** A text that changes when files of the repository change. `commit`: what the outer repository has for it. */
async function readState(reader: Reader, directory: string, commit: string | undefined): Promise<string> {
  const gitDirectory = findGitDirectory(directory);
  if (gitDirectory === undefined) return describeFolder(directory);
  try {
    const head = readHead(gitDirectory);
    const lines = await listChanges(reader, directory, gitDirectory);
    return head === commit && lines.length === 0 ? clean : [head, ...lines].join('\n');
  } catch {
    // git cannot read it. Its files can be compared all the same.
    return describeFolder(directory);
  }
}

/** The changed files and inner repositories, each with a text that changes with it. */
async function listChanges(
  reader: Reader,
  directory: string,
  gitDirectory: string,
): Promise<readonly string[]> {
  const known = await copyIndexOnce(reader, directory, gitDirectory);
  const args = ['ls-files', '-z', '--others', '--exclude-standard', '--modified', '--deleted'];
  const { stdout } = await reader.openGitAt(directory, known.file).run(args);
  const listed = [...new Set(splitRecords(stdout))];
  const lines = listed.map((path) => `${path} ${stampAt(join(directory, bytePathToText(path)))}`);
  for (const path of new Set([...known.submodules.keys(), ...listed.filter((one) => one.endsWith('/'))])) {
    const state = await readState(reader, join(directory, bytePathToText(path)), known.submodules.get(path));
    if (state !== clean) lines.push(`${path} ${state}`);
  }
  return lines;
}

async function copyIndexOnce(reader: Reader, directory: string, gitDirectory: string): Promise<KnownIndex> {
  const known = reader.indexes.get(directory);
  if (known !== undefined) return known;
  const file = join(reader.scratch, `inner-index-${reader.indexes.size}`);
  copyIndex(join(gitDirectory, 'index'), file);
  const entries = await listIndex(reader.openGitAt(directory, file));
  const index = { file, submodules: submodulesIn(entries) };
  reader.indexes.set(directory, index);
  return index;
}

/** The git directory of a repository. `undefined` if there is none. */
function findGitDirectory(directory: string): string | undefined {
  const path = join(directory, '.git');
  const found = lstatSync(path, { throwIfNoEntry: false });
  if (found === undefined || found.isDirectory()) return found && path;
  const link = /^gitdir: (.*?)\n*$/s.exec(readFileSync(path, 'utf8'))?.[1];
  return link === undefined ? path : resolve(directory, link);
}

/** The commit of HEAD, without a git command that would follow the settings of that repository. */
function readHead(gitDirectory: string): string {
  const head = readFileSync(join(gitDirectory, 'HEAD'), 'utf8').trim();
  const branch = /^ref: (.*)$/.exec(head)?.[1];
  return branch === undefined ? head : (readBranch(gitDirectory, branch) ?? head);
}

/** A folder that git does not read: each file with a text that changes with it. Empty if it has no files. */
function describeFolder(directory: string): string {
  try {
    return readdirSync(directory, { recursive: true, withFileTypes: true })
      .filter((entry) => !entry.isDirectory())
      .map((entry) => join(entry.parentPath, entry.name))
      .map((path) => `${path} ${stampAt(path)}`)
      .join('\n');
  } catch {
    return clean;
  }
}

/** Without the time of a folder, which changes with every file in it. */
function stampAt(path: string): string {
  const found = lstatSync(path, { throwIfNoEntry: false });
  if (found === undefined) return 'missing';
  return found.isDirectory() ? 'folder' : `${found.mode} ${found.size} ${found.mtimeMs}`;
}

/** The repositories that git lists with the untracked files. */
export function nestedIn(leftOut: readonly LeftOutFile[]): readonly BytePath[] {
  return leftOut.flatMap(({ path, reason }) => (reason === 'nested' ? [path] : []));
}
