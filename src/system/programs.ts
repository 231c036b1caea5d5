/** Finds programs on PATH. */
import { accessSync, constants, statSync } from 'node:fs';
import { delimiter, resolve } from 'node:path';

/** Whether the path is a file, or a link to one, that this user may run. */
export function isProgram(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return statSync(file).isFile();
  } catch {
    return false;
  }
}

/** The first program with this name in the folders of `path`. Relative folders start at `directory`. */
export function findProgram(name: string, path: string | undefined, directory: string): string | undefined {
  const folders = (path ?? '').split(delimiter).filter((folder) => folder !== '');
  return folders.map((folder) => resolve(directory, folder, name)).find(isProgram);
}
