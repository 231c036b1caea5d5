/** Which files are programs, and where PATH has them. */
import { accessSync, constants, statSync } from 'node:fs';
import { delimiter, resolve } from 'node:path';

/** Whether there is a file, or a link to one, that this user may run. */
export function isProgram(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return statSync(file).isFile();
  } catch {
    return false;
  }
}

/** The first program of this name in the folders of `path`, which count from `directory`. */
export function findProgram(name: string, path: string | undefined, directory: string): string | undefined {
  const folders = (path ?? '').split(delimiter).filter((folder) => folder !== '');
  return folders.map((folder) => resolve(directory, folder, name)).find(isProgram);
}
