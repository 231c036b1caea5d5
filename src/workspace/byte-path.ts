/**
 * Paths as git has them: bytes, from the repository root, `/` between names. File names need not be UTF-8, so
 * inside the workspace a path is a string with one character a byte; it becomes text only to be shown.
 */

/** A path from the repository root, one character (0-255) a byte. */
export type BytePath = string;

export function bytesOf(path: BytePath): Buffer {
  return Buffer.from(path, 'latin1');
}

export function toBytePath(path: string): BytePath {
  return Buffer.from(path, 'utf8').toString('latin1');
}

export function bytePathToText(path: BytePath): string {
  return bytesOf(path).toString('utf8');
}

/** The records of a `-z` listing. */
export function splitRecords(listing: Buffer): readonly BytePath[] {
  if (listing.length === 0) return [];
  return listing.toString('latin1', 0, listing.length - 1).split('\0');
}

/** The path as bytes for the file system. */
export function absolutePath(root: string, path: BytePath): Buffer {
  return Buffer.concat([Buffer.from(`${root}/`, 'utf8'), bytesOf(path)]);
}

/**
 * From the working directory where the file lies in it, else from the root with a leading `/`. `prefix` is the
 * working directory from the root, empty or with a `/` at its end.
 */
export function displayPath(path: BytePath, prefix: BytePath): string {
  return path.startsWith(prefix) ? bytePathToText(path.slice(prefix.length)) : `/${bytePathToText(path)}`;
}
