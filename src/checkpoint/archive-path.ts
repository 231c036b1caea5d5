/**
 * Checks the paths of files in a checkpoint. A path must be relative and plain, and must mean the same file on every
 * machine. The same rules apply to packing and unpacking. Pure.
 */

const maxPathBytes = 1024;
const maxSegmentBytes = 255;

/** Why `path` is not allowed in an archive. `undefined` if it is allowed. */
export function findPathProblem(path: string): string | undefined {
  if (path === '') return 'is empty';
  if (/\p{Cs}/u.test(path)) return 'is not valid Unicode';
  if (Buffer.byteLength(path) > maxPathBytes) return `is longer than ${maxPathBytes} bytes`;
  if (/\p{Cc}/u.test(path)) return 'contains a control character';
  if (path.includes('\\')) return 'contains a backslash';
  if (path.startsWith('/')) return 'is absolute';
  return findSegmentProblem(path.split('/'));
}

function findSegmentProblem(segments: readonly string[]): string | undefined {
  if (segments.includes('')) return 'has an empty part';
  if (segments.some((segment) => segment === '.' || segment === '..')) return 'leads out of its directory';
  const isLong = segments.some((segment) => Buffer.byteLength(segment) > maxSegmentBytes);
  return isLong ? `has a part longer than ${maxSegmentBytes} bytes` : undefined;
}

/**
 * Two of `paths` that would be the same file, also on a disk that does not distinguish upper and lower case (macOS),
 * or of which one would be a directory in the other's path. `undefined` if there are none.
 */
export function findCollision(paths: readonly string[]): readonly [string, string] | undefined {
  const files = new Map<string, string>();
  const directories = new Map<string, string>();
  for (const path of paths) {
    const name = foldName(path);
    const parents = parentsOf(name);
    const taken = files.get(name) ?? directories.get(name) ?? firstOf(files, parents);
    if (taken !== undefined) return [taken, path];
    files.set(name, path);
    for (const parent of parents) directories.set(parent, path);
  }
  return undefined;
}

// APFS and HFS+ compare names without case and without the composition of accents. Both conversions are needed, because
// upper case alone turns some letters into several.
function foldName(path: string): string {
  return path.normalize('NFC').toUpperCase().toLowerCase();
}

function parentsOf(name: string): readonly string[] {
  const segments = name.split('/');
  return segments.slice(1).map((_, index) => segments.slice(0, index + 1).join('/'));
}

function firstOf(names: ReadonlyMap<string, string>, candidates: readonly string[]): string | undefined {
  return candidates.map((candidate) => names.get(candidate)).find((name) => name !== undefined);
}
