/**
 * Which names a file inside a checkpoint may have: relative, plain, the same file on every machine.
 * Pure; the rule holds for packing and for unpacking alike.
 */

const maxPathBytes = 1024;
const maxSegmentBytes = 255;

/** Why `path` cannot stand in an archive; `undefined` when it can. */
export function findPathProblem(path: string): string | undefined {
  if (path === '') return 'is empty';
  if (/\p{Cs}/u.test(path)) return 'is not valid Unicode';
  if (Buffer.byteLength(path) > maxPathBytes) return `is longer than ${maxPathBytes} bytes`;
  if (/\p{Cc}/u.test(path)) return 'holds a control character';
  if (path.includes('\\')) return 'holds a backslash';
  if (path.startsWith('/')) return 'is absolute';
  return findSegmentProblem(path.split('/'));
}

function findSegmentProblem(segments: readonly string[]): string | undefined {
  if (segments.includes('')) return 'has an empty part';
  if (segments.some((segment) => segment === '.' || segment === '..')) return 'leads out of its folder';
  const isLong = segments.some((segment) => Buffer.byteLength(segment) > maxSegmentBytes);
  return isLong ? `has a part longer than ${maxSegmentBytes} bytes` : undefined;
}

/**
 * The two paths among `paths` of which one would lie over the other, also on a disk that does not tell
 * upper from lower case (macOS), and also where one would have to be the folder of the other.
 */
export function findCollision(paths: readonly string[]): readonly [string, string] | undefined {
  const files = new Map<string, string>();
  const folders = new Map<string, string>();
  for (const path of paths) {
    const name = onDisk(path);
    const parents = foldersOf(name);
    const taken = files.get(name) ?? folders.get(name) ?? firstOf(files, parents);
    if (taken !== undefined) return [taken, path];
    files.set(name, path);
    for (const parent of parents) folders.set(parent, path);
  }
  return undefined;
}

// APFS and HFS+ compare names without case and without regard to how accents are composed; both folds are
// needed because upper case alone turns a few letters into several.
function onDisk(path: string): string {
  return path.normalize('NFC').toUpperCase().toLowerCase();
}

function foldersOf(name: string): readonly string[] {
  const segments = name.split('/');
  return segments.slice(1).map((_, index) => segments.slice(0, index + 1).join('/'));
}

function firstOf(names: ReadonlyMap<string, string>, candidates: readonly string[]): string | undefined {
  return candidates.map((candidate) => names.get(candidate)).find((name) => name !== undefined);
}
