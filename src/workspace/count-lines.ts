/** Counts and reads lines of a file that an agent named. It follows no link, so that nothing outside is read. */
import { closeSync, constants, fstatSync, lstatSync, openSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

const maxBytes = 16 * 1024 * 1024;
const lineFeed = 10;

/** `undefined` if the path is no regular file of at most 16 MB below `root`, or a link is in it. */
export function countLines(root: string, path: string): number | undefined {
  const content = readBelow(root, path);
  if (content === undefined) return undefined;
  let lines = 0;
  for (let at = content.indexOf(lineFeed); at !== -1; at = content.indexOf(lineFeed, at + 1)) lines += 1;
  // The last line may have no line end.
  return content.length > 0 && content.at(-1) !== lineFeed ? lines + 1 : lines;
}

/** The lines `first` to `last`, which count from 1. Empty if `countLines` does not know the file. */
export function readLines(root: string, path: string, first: number, last: number): string {
  const text = readBelow(root, path)?.toString('utf8') ?? '';
  return text
    .split('\n')
    .slice(first - 1, last)
    .join('\n');
}

function readBelow(root: string, path: string): Buffer | undefined {
  try {
    if (path.split('/').includes('.git') || !isReachedWithoutLinks(root, dirname(path))) return undefined;
    return readRegular(join(root, path));
  } catch {
    return undefined;
  }
}

function isReachedWithoutLinks(root: string, folder: string): boolean {
  if (folder === '.' || folder === '') return true;
  return isReachedWithoutLinks(root, dirname(folder)) && lstatSync(join(root, folder)).isDirectory();
}

function readRegular(file: string): Buffer | undefined {
  const descriptor = openSync(file, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  try {
    const found = fstatSync(descriptor);
    return found.isFile() && found.size <= maxBytes ? readFileSync(descriptor) : undefined;
  } finally {
    closeSync(descriptor);
  }
}
