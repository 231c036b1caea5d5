/**
 * Notices whether an agent replaced the program of a CLI or a file of its npm package, or created a folder in which
 * Node searches packages for it: CLIs ask for optional packages that are not there, such as `bufferutil`.
 */
import { existsSync, lstatSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { type FileIdentity, identify, isUnchanged, stampOf } from '../system/file-identity.js';

export interface CliFiles {
  readonly program: FileIdentity;
  readonly folders: readonly string[];
  /** Path → stamp of everything in `folders`. */
  readonly stamps: ReadonlyMap<string, string>;
  /** Folders in which Node would search packages for the CLI, and that do not exist. */
  readonly missing: readonly string[];
}

/** Packages with more files do not exist; the limit only bounds the time. */
const maxFiles = 50_000;

/**
 * Notes the program at `path`, and the npm package that it belongs to, with the packages of its native programs.
 * `slot`: the folder of an installation of the action, which belongs to the CLI as a whole.
 */
export function noteCli(path: string, packageName: string | undefined, slot?: string): CliFiles {
  const program = identify(path);
  const folders = slot === undefined ? packageFolders(program.realPath, packageName) : [slot];
  const searched = folders.slice(0, 1).flatMap((folder) => parents(dirname(folder)));
  const missing = searched
    .map((folder) => join(folder, 'node_modules'))
    .filter((folder) => !existsSync(folder));
  return { program, folders, stamps: stampsIn(folders), missing };
}

/** Whether nothing of it was changed, added or removed. */
export function isCliUnchanged({ program, folders, stamps, missing }: CliFiles): boolean {
  if (!isUnchanged(program) || missing.some((folder) => existsSync(folder))) return false;
  try {
    const now = stampsIn(folders);
    return now.size === stamps.size && [...now].every(([path, stamp]) => stamps.get(path) === stamp);
  } catch {
    return false;
  }
}

/** The folder of the package, and those of its dependencies next to it, where native programs are. */
function packageFolders(program: string, packageName: string | undefined): readonly string[] {
  if (packageName === undefined) return [];
  const root = parents(dirname(program)).find((folder) => manifestIn(folder)?.name === packageName);
  if (root === undefined) return [];
  const modules = packageName.startsWith('@') ? dirname(dirname(root)) : dirname(root);
  const { dependencies, optionalDependencies } = manifestIn(root) ?? {};
  const others = Object.keys({ ...dependencies, ...optionalDependencies }).map((name) => join(modules, name));
  return [root, ...others.filter((folder) => manifestIn(folder) !== undefined)];
}

interface Manifest {
  readonly name?: unknown;
  readonly dependencies?: object;
  readonly optionalDependencies?: object;
}

function manifestIn(folder: string): Manifest | undefined {
  try {
    return (JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as Manifest | null) ?? undefined;
  } catch {
    return undefined;
  }
}

function parents(folder: string): readonly string[] {
  return folder === dirname(folder) ? [folder] : [folder, ...parents(dirname(folder))];
}

function stampsIn(folders: readonly string[]): ReadonlyMap<string, string> {
  const stamps = new Map<string, string>();
  for (const folder of folders) {
    for (const entry of readdirSync(folder, { withFileTypes: true, recursive: true })) {
      if (stamps.size >= maxFiles) return stamps;
      const path = join(entry.parentPath, entry.name);
      if (entry.isFile()) stamps.set(path, stampOf(path));
      // The times of a folder change with every temporary file in it.
      else if (!entry.isDirectory()) stamps.set(path, String(lstatSync(path).ino));
    }
  }
  return stamps;
}
