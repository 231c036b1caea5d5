/**
 * Writes a file into a CLI's home folder and removes it again. No file of the user is lost, and nothing is
 * written outside the folder.
 *
 * PLACE1 Below the home folder, no link is followed, neither in the path nor at its end.
 * PLACE2 An existing file is renamed, never overwritten, unless we placed it.
 * PLACE3 A placed file has mode 0600. New folders have mode 0700.
 */
import { constants } from 'node:fs';
import { lstat, mkdir, open, rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { asideName } from './find-files.js';

/** A file that we placed in a home folder. Plain data, because `post` is another process and removes the file. */
export interface PlacedFile {
  /** Absolute. */
  readonly path: string;
  /** Absolute path of the user's file that was moved aside. */
  readonly aside?: string;
}

/** Its message is the reason why a file cannot be placed. It completes a warning. */
export class PlaceFileError extends Error {
  override readonly name = 'PlaceFileError';
}

/**
 * Writes `content` to `home/path`. `path` must be a plain relative path. An existing file is replaced if
 * `isOurs`, otherwise moved aside. Throws `PlaceFileError` if a link or a folder is in the way.
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

/** Removes a placed file and restores the user's file. A file that no longer exists is no error. */
export async function removePlacedFile(placed: PlacedFile): Promise<void> {
  await removeFile(placed.path);
  if (placed.aside === undefined) return;
  await rename(placed.aside, placed.path).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'ENOENT') throw error;
  });
}

async function makeFolders(home: string, folder: string): Promise<void> {
  // The home folder itself may be a link that the user made. Nothing below it may be one.
  await mkdir(home, { recursive: true, mode: 0o700 });
  let path = home;
  for (const part of folder.split('/').filter((name) => name !== '.')) {
    path = join(path, part);
    await mkdir(path, { mode: 0o700 }).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== 'EEXIST') throw error;
    });
    if (!(await lstat(path)).isDirectory()) {
      throw new PlaceFileError(`\`${path}\` is not a folder, and links are not followed. Move it away`);
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
  if (found.isDirectory())
    throw new PlaceFileError(`\`${path}\` is a folder, not a session file. Move it away`);
  for (let number = 1; ; number++) {
    const aside = asideName(path, number);
    if (await lstat(aside).catch(() => undefined)) continue;
    await rename(path, aside);
    return aside;
  }
}
