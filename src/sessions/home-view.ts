/** What a provider may see of its CLI's home folder while it says where a session belongs: texts and names. */
import { lstatSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { HomeReader } from '../providers/provider.js';

/** Of a list that a CLI keeps; a larger file is none. */
const maxBytes = 1_000_000;

export function viewHome(home: string): HomeReader {
  return {
    read: (path) =>
      orUndefined(() => (isOrdinary(home, path) ? readFileSync(join(home, path), 'utf8') : undefined)),
    list: (path) =>
      orUndefined(() => (isFolder(home, path) ? readdirSync(join(home, path)).sort() : [])) ?? [],
  };
}

function isOrdinary(home: string, path: string): boolean {
  if (!isFolder(home, dirname(path))) return false;
  const found = lstatSync(join(home, path));
  return found.isFile() && found.size <= maxBytes;
}

/** Whether every part of the path is a folder; the home folder itself may be a link that the user made. */
function isFolder(home: string, path: string): boolean {
  let reached = home;
  for (const part of path.split('/').filter((name) => name !== '' && name !== '.')) {
    reached = join(reached, part);
    if (!lstatSync(reached).isDirectory()) return false;
  }
  return true;
}

/** What is not there, or may not be read, is nothing: the CLI runs as the same user and sees no more. */
function orUndefined<T>(look: () => T): T | undefined {
  try {
    return look();
  } catch {
    return undefined;
  }
}
