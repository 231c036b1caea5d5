/** What a provider may read in its CLI's home folder to find the path of a session: file contents and names. */
import { lstatSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { HomeReader } from '../providers/provider.js';

/** Large enough for any list that a CLI stores. A larger file is ignored. */
const maxBytes = 1_000_000;

export function viewHome(home: string): HomeReader {
  return {
    read: (path) =>
      orUndefined(() => (isReadableFile(home, path) ? readFileSync(join(home, path), 'utf8') : undefined)),
    list: (path) =>
      orUndefined(() => (isFolder(home, path) ? readdirSync(join(home, path)).sort() : [])) ?? [],
  };
}

function isReadableFile(home: string, path: string): boolean {
  if (!isFolder(home, dirname(path))) return false;
  const found = lstatSync(join(home, path));
  return found.isFile() && found.size <= maxBytes;
}

/** Whether every part of the path is a folder. The home folder itself may be a link that the user made. */
function isFolder(home: string, path: string): boolean {
  let reached = home;
  for (const part of path.split('/').filter((name) => name !== '' && name !== '.')) {
    reached = join(reached, part);
    if (!lstatSync(reached).isDirectory()) return false;
  }
  return true;
}

/** `undefined` for a file that is missing or not readable. The CLI runs as the same user and cannot read more. */
function orUndefined<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch {
    return undefined;
  }
}
