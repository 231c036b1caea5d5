/**
 * Finds the files in a worktree from which agent CLIs read their settings and instructions. A CLI reads them in its
 * working directory, in those above it and, for instructions, in those below it, so all folders are searched.
 */
import { type BigIntStats, type Dirent, lstatSync, readdirSync } from 'node:fs';
import { absolutePath, type BytePath } from './byte-path.js';

/** `settings` can run code, grant permissions or redirect requests. `instructions` are text for the model. */
export type AgentFileClass = 'settings' | 'instructions';

/** The names of these files and folders, as the providers list them. */
export interface AgentFileNames extends Readonly<Record<AgentFileClass, readonly string[]>> {
  /** Files that a CLI itself completes, by the end of their path, with the part that it does not change. */
  readonly completed?: readonly { readonly path: string; relevantPart(text: string): string }[];
}

/** A file with such a name, or a folder with everything in it. */
export interface AgentFileRoot {
  readonly path: BytePath;
  readonly fileClass: AgentFileClass;
}

export interface AgentFileFinder {
  /** Costs one `lstat` per folder if nothing changed since the last call. */
  find(): readonly AgentFileRoot[];
}

/** The class of a name. Upper and lower case are the same, because they are for some file systems. */
export function createAgentFileMatcher(names: AgentFileNames): (name: string) => AgentFileClass | undefined {
  const classes = new Map<string, AgentFileClass>();
  for (const fileClass of ['instructions', 'settings'] as const)
    for (const name of names[fileClass]) classes.set(name.toLowerCase(), fileClass);
  return (name) => classes.get(name.toLowerCase());
}

interface KnownFolder {
  readonly stamp: string;
  readonly folders: readonly BytePath[];
  readonly roots: readonly AgentFileRoot[];
}

/** Packages are not searched: there are too many of them, and no agent works in them. */
const skippedFolders = ['.git', 'node_modules'];

export function openAgentFileFinder(root: string, names: AgentFileNames): AgentFileFinder {
  const classOf = createAgentFileMatcher(names);
  const known = new Map<BytePath, KnownFolder>();
  const read = (folder: BytePath): KnownFolder => {
    const stamp = folderStamp(root, folder);
    const cached = known.get(folder);
    if (cached !== undefined && stamp !== undefined && cached.stamp === stamp) return cached;
    const found = readFolder(root, folder, classOf);
    const fresh = { stamp: stamp ?? '', ...found };
    known.set(folder, fresh);
    return fresh;
  };
  return {
    find() {
      const roots: AgentFileRoot[] = [];
      const open: BytePath[] = [''];
      for (let folder = open.pop(); folder !== undefined; folder = open.pop()) {
        const { folders, roots: here } = read(folder);
        open.push(...folders);
        roots.push(...here);
      }
      return roots;
    },
  };
}

/** Two changes so shortly after each other can leave one and the same time (4 ms on Linux). */
const timeUnitMs = 100;

/** A text that changes when a file is added or removed; `undefined` if that cannot be known yet. */
function folderStamp(root: string, folder: BytePath): string | undefined {
  const found = lstatNs(absolutePath(root, folder));
  if (found === undefined || Date.now() - Number(found.ctimeMs) < timeUnitMs) return undefined;
  return `${found.ino} ${found.ctimeNs}`;
}

/** `undefined` if there is nothing. Does not follow a link. */
export function lstatNs(path: Buffer): BigIntStats | undefined {
  try {
    // Many of these paths have no file, and an error for each of them takes longer than the look-up.
    return lstatSync(path, { bigint: true, throwIfNoEntry: false });
  } catch {
    return undefined; // A file is in the place of a folder, or the folder cannot be read.
  }
}

function readFolder(
  root: string,
  folder: BytePath,
  classOf: (name: string) => AgentFileClass | undefined,
): Pick<KnownFolder, 'folders' | 'roots'> {
  const folders: BytePath[] = [];
  const roots: AgentFileRoot[] = [];
  for (const entry of entriesIn(root, folder)) {
    const name = entry.name.toString('latin1');
    const path = folder === '' ? name : `${folder}/${name}`;
    const fileClass = classOf(name);
    if (fileClass !== undefined) roots.push({ path, fileClass });
    else if (entry.isDirectory() && !skippedFolders.includes(name)) folders.push(path);
  }
  return { folders, roots };
}

/** Empty if the folder is gone or cannot be read: then no CLI can read it either. */
export function entriesIn(root: string, folder: BytePath): readonly Dirent<Buffer>[] {
  try {
    return readdirSync(absolutePath(root, folder), { withFileTypes: true, encoding: 'buffer' });
  } catch {
    return [];
  }
}
