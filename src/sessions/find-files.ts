/** Finds the files of a session below a CLI's home folder. Follows no links, because a link may point to a credential. */
import { lstat, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import picomatch from 'picomatch';

/** A file of a session, before it is read. */
export interface SessionFileInfo {
  /** Relative to the home folder, with `/`. */
  readonly path: string;
  readonly bytes: number;
  readonly modifiedMs: number;
}

/** How many folder levels are searched below the fixed part of a pattern. */
const maxDepth = 8;

/** Whether a relative path is on the allow-list. Names that begin with a dot match like others. */
export function pathMatcher(patterns: readonly string[]): (path: string) => boolean {
  const matchers = patterns.map((pattern) => picomatch(pattern, { dot: true }));
  return (path) => isPlainPath(path) && matchers.some((matches) => matches(path));
}

/** The regular files below `home` that match, sorted by path; none if `home` does not exist. */
export async function findFiles(
  home: string,
  patterns: readonly string[],
): Promise<readonly SessionFileInfo[]> {
  const matches = pathMatcher(patterns);
  const bases = new Set(patterns.map((pattern) => picomatch.scan(pattern).base));
  const paths = new Set<string>();
  for (const base of bases) {
    for (const path of await filesBelow(home, base)) {
      if (matches(path) && !isMovedAside(path)) paths.add(path);
    }
  }
  const found = [...paths].sort().map(async (path): Promise<readonly SessionFileInfo[]> => {
    const file = await lstat(join(home, path)).catch(() => undefined);
    return file === undefined ? [] : [{ path, bytes: file.size, modifiedMs: file.mtimeMs }];
  });
  return (await Promise.all(found)).flat();
}

/** The name of a user's file that was moved aside until the end of the job. */
export function asideName(path: string, number: number): string {
  return `${path}.gump-${number}`;
}

async function filesBelow(home: string, base: string): Promise<readonly string[]> {
  const parts = base.split('/').filter((part) => part !== '');
  if (!(await areFolders(home, parts.slice(0, -1)))) return [];
  const path = parts.join('/');
  const kind = path === '' ? 'folder' : await kindOf(join(home, path));
  if (kind === 'file') return [path];
  return kind === 'folder' ? walk(home, path, maxDepth) : [];
}

async function areFolders(home: string, parts: readonly string[]): Promise<boolean> {
  let path = home;
  for (const part of parts) {
    path = join(path, part);
    if ((await kindOf(path)) !== 'folder') return false;
  }
  return true;
}

/** One `readdir` returns the kinds of all entries. That matters because a home may have thousands of sessions. */
async function walk(home: string, folder: string, levels: number): Promise<readonly string[]> {
  if (levels === 0) return [];
  const entries = await readdir(join(home, folder), { withFileTypes: true }).catch(() => []);
  const found = entries.map((entry) => {
    const path = folder === '' ? entry.name : `${folder}/${entry.name}`;
    if (entry.isFile()) return [path];
    return entry.isDirectory() ? walk(home, path, levels - 1) : [];
  });
  return (await Promise.all(found)).flat();
}

/** The kind of entry at a path below the home folder; a link is `other`. The home folder itself may be a link. */
async function kindOf(path: string): Promise<'file' | 'folder' | 'other'> {
  const found = await lstat(path).catch(() => undefined);
  if (found?.isFile()) return 'file';
  return found?.isDirectory() ? 'folder' : 'other';
}

function isMovedAside(path: string): boolean {
  return /\.gump-\d+$/.test(path);
}

/** Whether a path is relative and consists of plain names. */
function isPlainPath(path: string): boolean {
  if (/[\\\0]/.test(path)) return false;
  return path.split('/').every((part) => part !== '' && part !== '.' && part !== '..');
}
