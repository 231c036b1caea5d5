/**
 * Paths in the form that git uses: bytes, relative to the repository root, `/` between names. File names need not
 * be UTF-8. Therefore a path inside the workspace is a string with one character per byte, and becomes text only
 * for display.
 */

/** A path relative to the repository root, one character (0-255) per byte. */
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
 * Relative to the working directory if the file is in it, otherwise relative to the root with a leading `/`.
 * `prefix` is the working directory relative to the root: empty, or with a `/` at the end.
 */
export function displayPath(path: BytePath, prefix: BytePath): string {
  return path.startsWith(prefix) ? bytePathToText(path.slice(prefix.length)) : `/${bytePathToText(path)}`;
}
