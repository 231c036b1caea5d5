/**
 * Writes a file into a CLI's home folder and takes it out again, so that nothing of the user's is lost and
 * nothing lands outside the folder.
 *
 * P1 Below the home folder no link is followed, neither on the way nor at the end.
 * P2 What was there is renamed, never overwritten, unless it was placed by us.
 * P3 A placed file has mode 0600; folders made on the way have 0700.
 */
import { constants } from 'node:fs';
import { lstat, mkdir, open, rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { asideName } from './find-files.js';

/** A file of ours in a home folder, as plain data: `post` is another process and takes it out from this. */
export interface PlacedFile {
  /** Absolute. */
  readonly path: string;
  /** Absolute; where the file lies that was in the way. */
  readonly aside?: string;
}

/** Why a file cannot be placed, in one sentence. */
export class PlaceFileError extends Error {
  override readonly name = 'PlacingError';
}

/**
 * Writes `content` to `home/path`, where `path` was checked to be a plain relative one. A file that is there
 * is moved aside, or replaced where `isOurs`. Throws `PlacingError` where that would go through a link.
 */
export async function placeFile(
  home: string,
  path: string,
  content: Buffer,
  isOurs: (path: string) => boolean,
): Promise<PlacedFile> {
  const target = join(home, path);
  await makeFolders(home, dirname(path));
  const aside = isOurs(target) ? await removeFile(target) : await moveAside(target);
  const placed = aside === undefined ? { path: target } : { path: target, aside };
  try {
    await writeNew(target, content);
  } catch (error) {
    await removePlacedFile(placed);
    throw error;
  }
  return placed;
}

/** Takes a placed file out and puts back what was in its way. What is already gone is no error. */
export async function removePlacedFile(placed: PlacedFile): Promise<void> {
  await removeFile(placed.path);
  if (placed.aside === undefined) return;
  await rename(placed.aside, placed.path).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'ENOENT') throw error;
  });
}

async function makeFolders(home: string, folder: string): Promise<void> {
  // The home folder itself may be a link that the user made; what lies below must not be one.
  await mkdir(home, { recursive: true, mode: 0o700 });
  let path = home;
  for (const part of folder.split('/').filter((name) => name !== '.')) {
    path = join(path, part);
    await mkdir(path, { mode: 0o700 }).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== 'EEXIST') throw error;
    });
    if (!(await lstat(path)).isDirectory()) {
      throw new PlaceFileError(`${path} is not a folder (a link is not followed); move it away`);
    }
  }
}

async function writeNew(path: string, content: Buffer): Promise<void> {
  const flags = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW;
  const file = await open(path, flags, 0o600);
  try {
    await file.writeFile(content);
  } finally {
    await file.close();
  }
}

async function removeFile(path: string): Promise<undefined> {
  await rm(path, { force: true });
}

async function moveAside(path: string): Promise<string | undefined> {
  const found = await lstat(path).catch(() => undefined);
  if (found === undefined) return undefined;
  if (found.isDirectory()) throw new PlaceFileError(`${path} is a folder, not a session file; move it away`);
  for (let number = 1; ; number++) {
    const aside = asideName(path, number);
    if (await lstat(aside).catch(() => undefined)) continue;
    await rename(path, aside);
    return aside;
  }
}
