/**
 * Files whose bytes in the worktree differ from their content in git: filters (Git LFS), line ends, encodings. The
 * action's own git knows no conversion and runs no filter, so it records the bytes that are really in the worktree.
 * What git has for these files is noted here, once, by the user's settings, before the first agent starts.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { absolutePath, type BytePath, bytesOf, splitRecords } from './byte-path.js';
import type { Git } from './git.js';
import { type TreeChange, type TreeEntry, type TreeUpdate, updateIndex } from './git-tree.js';
import type { IndexEntry } from './index-listing.js';
import { statPath } from './path-status.js';
import type { Repository } from './repository.js';
import { type GitSettings, isTrue, pathSettingOf, settingOf } from './settings-copy.js';

export interface ConvertedFilesOptions {
  /** git with the user's settings. */
  readonly userGit: Git;
  /** git with the private index, which is still a copy of the user's. */
  readonly git: Git;
  readonly index: string;
  readonly entries: readonly IndexEntry[];
  readonly settings: GitSettings;
  readonly repository: Repository;
  readonly env: Readonly<Record<string, string>>;
  readonly maximumFileBytes: number;
}

/** Path → what git has for a file that nobody has changed since its checkout. */
export type ConvertedFiles = ReadonlyMap<BytePath, TreeEntry>;

/** The attributes that change the bytes of a file at checkout. `text` alone does not on Linux and macOS. */
const attributeNames = ['filter', 'eol', 'working-tree-encoding', 'ident'] as const;
const convertingRule = /\bfilter=|\beol=crlf\b|\bworking-tree-encoding=|\bident\b/;

/** Puts the real bytes of converted files into the private index. */
export async function stageConvertedFiles(options: ConvertedFilesOptions): Promise<ConvertedFiles> {
  const { git, userGit, index, repository } = options;
  const areAll = hasCrlfSettings(options.settings);
  if (!areAll && !hasConvertingRules(options)) return new Map();
  const entries = recordableFiles(options);
  const found = areAll ? [...entries.keys()] : await findConverted(userGit, [...entries.keys()]);
  const { paths, bytes } = withinLimit(found, repository.root);
  if (paths.length === 0) return new Map();
  const modified = await findModified(userGit, index);
  const updates = paths.map((path): TreeUpdate => ({ path, entry: entries.get(path) }));
  // An entry that was set knows nothing of its file, so git reads the file again.
  await updateIndex(git, undefined, repository.headTree.length, updates);
  await git.run(['update-index', '-z', '--stdin'], {
    input: bytesOf(paths.map((path) => `${path}\0`).join('')),
    // These objects stay on this machine unless a step changes the file, and compressing takes the longest.
    ...(bytes > 32 * 1024 * 1024 ? { settings: ['core.looseCompression=0'] } : {}),
  });
  return new Map(
    updates.flatMap(({ path, entry }) =>
      modified === undefined || modified.has(path) || entry === undefined ? [] : [[path, entry] as const],
    ),
  );
}

/** What git has for a file that nobody has changed, and what is really in the worktree. */
export interface DifferingFile {
  readonly path: BytePath;
  readonly clean: TreeEntry;
  readonly real: TreeEntry;
}

/** The converted files with real content that differs, and with `core.fileMode = false`, files with another mode. */
export function differingFiles(
  converted: ConvertedFiles,
  settings: GitSettings,
  startChanges: readonly TreeChange[],
): readonly DifferingFile[] {
  const areModesIgnored = !isTrue(settingOf(settings, 'core.filemode') ?? 'true');
  return startChanges.flatMap(({ path, before, after: real }) => {
    const clean = converted.get(path);
    if (real === undefined) return [];
    if (clean !== undefined && clean.id !== real.id) return [{ path, clean, real }];
    const isOnlyMode = areModesIgnored && isFile(before) && isFile(real) && before.id === real.id;
    return isOnlyMode ? [{ path, clean: before, real }] : [];
  });
}

function isFile(entry: TreeEntry | undefined): entry is TreeEntry {
  return entry?.mode.startsWith('100') === true;
}

/** More would fill the disk. Of the files beyond it, a reset writes what git has for them. */
const maximumBytes = 1024 * 1024 * 1024;

/** The smallest files first. */
function withinLimit(
  paths: readonly BytePath[],
  root: string,
): { readonly paths: readonly BytePath[]; readonly bytes: number } {
  const sizes = new Map(paths.map((path) => [path, statPath(path, root)?.size ?? 0]));
  let bytes = 0;
  const kept: BytePath[] = [];
  for (const [path, size] of [...sizes].sort(([, one], [, other]) => one - other)) {
    if (bytes + size > maximumBytes) break;
    bytes += size;
    kept.push(path);
  }
  return { paths: kept, bytes };
}

function hasCrlfSettings(settings: GitSettings): boolean {
  return isTrue(settingOf(settings, 'core.autocrlf')) || settingOf(settings, 'core.eol') === 'crlf';
}

function hasConvertingRules({ entries, settings, repository, env }: ConvertedFilesOptions): boolean {
  const { root, commonDirectory } = repository;
  const { HOME: home = '/', XDG_CONFIG_HOME } = env;
  const files = [
    ...entries.flatMap(({ path }) => (isAttributeFile(path) ? [absolutePath(root, path)] : [])),
    join(commonDirectory, 'info', 'attributes'),
    pathSettingOf(settings, 'core.attributesfile', { root, home }) ??
      join(XDG_CONFIG_HOME || join(home, '.config'), 'git', 'attributes'),
    '/etc/gitattributes',
  ];
  return files.some((file) => convertingRule.test(readText(file)));
}

function isAttributeFile(path: BytePath): boolean {
  return path === '.gitattributes' || path.endsWith('/.gitattributes');
}

/** Regular files in the worktree that may be recorded. */
function recordableFiles({
  entries,
  repository,
  maximumFileBytes,
}: ConvertedFilesOptions): ReadonlyMap<BytePath, TreeEntry> {
  const files = entries.filter(({ path, mode }) => {
    if (!mode.startsWith('100')) return false;
    const found = statPath(path, repository.root);
    return found?.isFile() && found.size <= maximumFileBytes;
  });
  return new Map(files.map(({ path, mode, id }) => [path, { mode, id }]));
}

async function findConverted(userGit: Git, paths: readonly BytePath[]): Promise<readonly BytePath[]> {
  const input = bytesOf(paths.map((path) => `${path}\0`).join(''));
  const { stdout } = await userGit.run(['check-attr', '-z', '--stdin', ...attributeNames], { input });
  const records = splitRecords(stdout);
  const found = new Set<BytePath>();
  for (let at = 0; at + 2 < records.length; at += 3) {
    const [path = '', name = '', value = ''] = records.slice(at, at + 3);
    const isOff = value === 'unspecified' || value === 'unset';
    if (!isOff && (name !== 'eol' || value === 'crlf')) found.add(path);
  }
  return [...found];
}

/** Files that differ from the index by the user's settings. `undefined` if a filter of the user fails. */
async function findModified(userGit: Git, index: string): Promise<ReadonlySet<BytePath> | undefined> {
  try {
    const { stdout } = await userGit.run(['ls-files', '-z', '--modified'], { index });
    return new Set(splitRecords(stdout));
  } catch {
    return undefined;
  }
}

function readText(file: string | Buffer): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return '';
  }
}
