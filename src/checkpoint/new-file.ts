/** Writes a file that is either there as a whole or not at all, and never over another. */
import { randomUUID } from 'node:crypto';
import { constants } from 'node:fs';
import { link, lstat, open, rename, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { readRegularFile } from '../system/regular-file.js';

/** No sealed file that this action makes is larger (contract 6: a state above 1 GB is not stored). */
export const maxSealedBytes = 1_100_000_000;

/**
 * Puts `content` at `path`, readable by its owner alone; on disk when it resolves. `false`: there is
 * something at `path`, which was left as it is. Rejects when the disk does not take it.
 */
export async function writeNewFile(path: string, content: Buffer): Promise<boolean> {
  const temporary = `${path}.${randomUUID()}.tmp`;
  try {
    await writeThrough(temporary, content);
    const isPlaced = await moveIntoPlace(temporary, path);
    if (isPlaced) await syncFolder(dirname(path));
    return isPlaced;
  } finally {
    await rm(temporary, { force: true });
  }
}

/** Reads an ordinary file, not through a link; `undefined` for all else, and when the disk does not give it. */
export function readStoredFile(path: string, maxBytes: number): Promise<Buffer | undefined> {
  return readRegularFile(path, maxBytes).catch(() => undefined);
}

async function writeThrough(path: string, content: Buffer): Promise<void> {
  const handle = await open(path, 'wx', 0o600);
  try {
    await handle.writeFile(content);
    await handle.sync();
  } finally {
    await handle.close();
  }
}

// A hard link is the one way to name a finished file that never replaces another. Some disks (exFAT, some
// network shares) have none: there, looking first has to do.
async function moveIntoPlace(temporary: string, path: string): Promise<boolean> {
  try {
    await link(temporary, path);
    return true;
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'EEXIST') return false;
    if (await isThere(path)) return false;
    await rename(temporary, path);
    return true;
  }
}

async function isThere(path: string): Promise<boolean> {
  return lstat(path).then(
    () => true,
    () => false,
  );
}

async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, constants.O_RDONLY);
  try {
    await handle.sync();
  } catch {
    // Some network shares do not sync folders; the file itself is on disk.
  } finally {
    await handle.close();
  }
}
