/** Reads what an agent wrote to `.gump/out`: only regular files of limited size, and never through a link. */
import { closeSync, constants, fstatSync, lstatSync, openSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

const maxBytes = 4 * 1024 * 1024;

/** `undefined` if the file is missing, larger than 4 MB or not a regular file, or if a link is in its path. */
export function readOutput(directory: string, name: string): string | undefined {
  try {
    const folders = [join(directory, '.gump'), join(directory, '.gump', 'out')];
    if (!folders.every((folder) => lstatSync(folder).isDirectory())) return undefined;
    return readSmallRegularFile(join(directory, '.gump', 'out', name));
  } catch {
    return undefined;
  }
}

function readSmallRegularFile(file: string): string | undefined {
  const descriptor = openSync(file, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  try {
    const { size } = fstatSync(descriptor);
    return fstatSync(descriptor).isFile() && size <= maxBytes ? readFileSync(descriptor, 'utf8') : undefined;
  } finally {
    closeSync(descriptor);
  }
}
