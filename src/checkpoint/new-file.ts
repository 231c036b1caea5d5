/** Writes a file atomically and never overwrites another one. */
import { randomUUID } from 'node:crypto';
import { constants } from 'node:fs';
import { link, lstat, open, rename, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { readRegularFile } from '../system/regular-file.js';

/** No sealed file of this action is larger: a state above 1 GB is not stored (docs/checkpoint.md, "Limits"). */
export const maxSealedBytes = 1_100_000_000;

/**
 * Writes `content` to `path`, readable only by the owner. The content is on disk when it resolves. `false` if something
 * already exists at `path`; it stays unchanged. Rejects if the disk refuses the write.
 */
export async function writeNewFile(path: string, content: Buffer): Promise<boolean> {
  const temporary = `${path}.${randomUUID()}.tmp`;
  try {
    await writeThrough(temporary, content);
    const isPlaced = await moveIntoPlace(temporary, path);
    if (isPlaced) await syncDirectory(dirname(path));
    return isPlaced;
  } finally {
    await rm(temporary, { force: true });
  }
}

/** Reads a regular file, not through a link. `undefined` for anything else, and if the file cannot be read. */
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

// Only a hard link gives a finished file its name without replacing another file. Some disks (exFAT, some network
// shares) have no hard links; there a check before the rename must be enough.
async function moveIntoPlace(temporary: string, path: string): Promise<boolean> {
  try {
    await link(temporary, path);
    return true;
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'EEXIST') return false;
    if (await exists(path)) return false;
    await rename(temporary, path);
    return true;
  }
}

async function exists(path: string): Promise<boolean> {
  return lstat(path).then(
    () => true,
    () => false,
  );
}

async function syncDirectory(directory: string): Promise<void> {
  const handle = await open(directory, constants.O_RDONLY);
  try {
    await handle.sync();
  } catch {
    // Some network shares cannot sync directories. The file itself is on disk.
  } finally {
    await handle.close();
  }
}
