/** Notes files with their content and restores them later. Cheap if nothing changed: it then reads no file. */
import {
  type BigIntStats,
  chmodSync,
  lstatSync,
  mkdirSync,
  readFileSync,
  readlinkSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { dirname } from 'node:path';

export interface KeptFiles {
  /** Restores what changed, was removed or was added since they were noted. Returns the paths, sorted. */
  restore(): readonly string[];
}

type Content =
  | { readonly kind: 'file'; readonly bytes: Buffer; readonly mode: number }
  | { readonly kind: 'link'; readonly target: string }
  /** A pipe, a device, or a file that cannot be read. It is not restored, only removed if it is new. */
  | { readonly kind: 'other' };

interface KeptFile {
  readonly content: Content;
  /** A text that changes when the file changes. */
  stamp: string;
}

/** `list` finds the paths of the files, also of new ones. It must name no folder. */
export function keepFiles(list: () => readonly string[]): KeptFiles {
  const kept = new Map<string, KeptFile>();
  for (const path of list()) {
    const stamp = stampOf(path);
    if (stamp !== '') kept.set(path, { content: readContent(path), stamp });
  }
  return {
    restore() {
      const present = list().filter((path) => stampOf(path) !== '');
      const added = present.filter((path) => !kept.has(path));
      for (const path of added) rmSync(path, { recursive: true, force: true });
      const changed = [...kept].filter(([path, file]) => isChanged(path, file));
      for (const [path, file] of changed) place(path, file);
      return [...added, ...changed.map(([path]) => path)].sort();
    },
  };
}

function isChanged(path: string, file: KeptFile): boolean {
  const stamp = stampOf(path);
  if (stamp === file.stamp) return false;
  if (stamp === '' || !isSame(readContent(path), file.content)) return true;
  file.stamp = stamp;
  return false;
}

function isSame(one: Content, other: Content): boolean {
  if (one.kind === 'file' && other.kind === 'file')
    return one.mode === other.mode && one.bytes.equals(other.bytes);
  if (one.kind === 'link' && other.kind === 'link') return one.target === other.target;
  return one.kind === other.kind;
}

function readContent(path: string): Content {
  try {
    const found = lstatSync(path);
    if (found.isSymbolicLink()) return { kind: 'link', target: readlinkSync(path) };
    if (!found.isFile()) return { kind: 'other' };
    return { kind: 'file', bytes: readFileSync(path), mode: found.mode & 0o777 };
  } catch {
    return { kind: 'other' };
  }
}

function place(path: string, file: KeptFile): void {
  const { content } = file;
  if (content.kind === 'other') return;
  makeFolder(dirname(path));
  const draft = `${path}.gump`;
  rmSync(draft, { recursive: true, force: true });
  if (content.kind === 'link') symlinkSync(content.target, draft);
  else {
    // A new file, so that a process that has the old one open writes to nothing.
    writeFileSync(draft, content.bytes, { mode: content.mode, flag: 'wx' });
    chmodSync(draft, content.mode);
  }
  if (lstatSync(path, { throwIfNoEntry: false })?.isDirectory()) rmSync(path, { recursive: true });
  renameSync(draft, path);
  file.stamp = stampOf(path);
}

/** A file or a dead link may be in the place of the folder. */
function makeFolder(folder: string): void {
  try {
    mkdirSync(folder, { recursive: true });
  } catch {
    rmSync(folder, { force: true });
    mkdirSync(folder, { recursive: true });
  }
}

/** Empty if there is nothing at the path. */
export function stampOf(path: string): string {
  let found: BigIntStats | undefined;
  try {
    found = lstatSync(path, { bigint: true, throwIfNoEntry: false });
  } catch {
    return ''; // A file is in the place of a folder.
  }
  if (found === undefined) return '';
  const { dev, ino, mode, size, mtimeNs, ctimeNs } = found;
  return [dev, ino, mode, size, mtimeNs, ctimeNs].join(' ');
}
