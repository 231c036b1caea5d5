/**
 * Installed CLIs on the runner's disk: folders `PROVIDER/VERSION/PLATFORM-xxxxxx`, and a marker file
 * `PLATFORM.complete` with the name of the active folder.
 *
 * TOOLS1 A folder becomes active only after it is complete. The marker file is created in one step.
 * TOOLS2 No process changes a folder that another process may be filling or running.
 */
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { chmod, link, mkdir, mkdtemp, readdir, rename, rm, stat, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { isProgram } from '../system/programs.js';

/** The entry of one version of one program. */
export interface ToolCacheEntry {
  /** The folder of this version; may not exist yet. */
  readonly folder: string;
  /** Several kinds of machine may share one tool cache. */
  readonly platform: string;
  /** The path of the program, relative to the active folder. */
  readonly program: string;
  /** The folders that may be used. Absent: all. An agent of this job may have made the others (`listActiveFolders`). */
  readonly trusted?: ReadonlySet<string>;
}

/** The folders that markers name, in `PROVIDER/VERSION` below `root`. */
export function listActiveFolders(root: string): ReadonlySet<string> {
  const versions = namesIn(root).flatMap((provider) =>
    namesIn(join(root, provider)).map((version) => join(root, provider, version)),
  );
  return new Set(
    versions.flatMap((folder) =>
      namesIn(folder)
        .filter((name) => name.endsWith('.complete'))
        .map((name) => join(folder, readMarker(join(folder, name)))),
    ),
  );
}

function namesIn(folder: string): readonly string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}

function readMarker(path: string): string {
  try {
    return readFileSync(path, 'utf8').trim();
  } catch {
    return '';
  }
}

/** No job runs this long (at most 5 days, self-hosted), so an older inactive folder is from a job that was killed. */
const staleMs = 7 * 24 * 60 * 60 * 1000;

/** The active folder; `undefined` if there is none, it may not be used, or it does not contain the program. */
export function findInstalled(entry: ToolCacheEntry): string | undefined {
  const name = readMarker(markerPath(entry));
  if (name === '' || name !== basename(name) || !name.startsWith(`${entry.platform}-`)) return undefined;
  const folder = join(entry.folder, name);
  if (entry.trusted?.has(folder) === false) return undefined;
  return isProgram(join(folder, entry.program)) ? folder : undefined;
}

/** Creates a new folder that no other process knows. */
export async function createFolder(entry: ToolCacheEntry): Promise<string> {
  await mkdir(entry.folder, { recursive: true });
  return mkdtemp(join(entry.folder, `${entry.platform}-`));
}

/** Takes away write permission, so that an agent that is not root cannot change the program by accident. */
async function makeReadOnly(folder: string): Promise<void> {
  for (const entry of await readdir(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) await makeReadOnly(path);
    else if (entry.isFile()) await removeWriteBits(path);
  }
  await removeWriteBits(folder);
}

async function removeWriteBits(path: string): Promise<void> {
  await chmod(path, (await stat(path)).mode & 0o7555);
}

/** Deletes a folder of this tool cache, which may be read-only. */
export async function removeFolder(folder: string): Promise<void> {
  await makeFoldersWritable(folder).catch(() => undefined);
  await rm(folder, { recursive: true, force: true, maxRetries: 3 });
}

async function makeFoldersWritable(folder: string): Promise<void> {
  await chmod(folder, 0o755);
  for (const entry of await readdir(folder, { withFileTypes: true }))
    if (entry.isDirectory()) await makeFoldersWritable(join(folder, entry.name));
}

/** Activates the filled folder. If another process was first, deletes the folder and returns that of the other process. */
export async function activateFolder(entry: ToolCacheEntry, folder: string): Promise<string> {
  await makeReadOnly(folder);
  const marker = `${folder}.complete`;
  await writeFile(marker, `${basename(folder)}\n`);
  try {
    const first = await claimMarker(entry, marker);
    if (first === undefined) return folder;
    await removeFolder(folder);
    return first;
  } finally {
    await rm(marker, { force: true });
  }
}

/** Returns the folder that is already active, or `undefined` if the marker now names our folder. */
async function claimMarker(entry: ToolCacheEntry, marker: string): Promise<string | undefined> {
  try {
    // Unlike a rename, a link does not replace the marker of another process.
    await link(marker, markerPath(entry));
    return undefined;
  } catch {
    const first = findInstalled(entry);
    // The marker names a folder that cannot or may not be used, or the disk does not support links.
    if (first === undefined) await rename(marker, markerPath(entry));
    return first;
  }
}

/**
 * Creates a folder, fills and activates it. Returns the active folder; `undefined` if `fill` resolves with `false`.
 * Leaves nothing behind then, and if `fill` rejects.
 */
export async function fillToolCache(
  entry: ToolCacheEntry,
  fill: (folder: string) => Promise<boolean>,
): Promise<string | undefined> {
  let folder: string | undefined;
  try {
    await removeStaleFolders(entry, Date.now());
    folder = await createFolder(entry);
    if (await fill(folder)) return await activateFolder(entry, folder);
    await discard(folder);
    return undefined;
  } catch (error) {
    await discard(folder);
    throw error;
  }
}

async function discard(folder: string | undefined): Promise<void> {
  if (folder === undefined) return;
  // A later installation removes what is left.
  await removeFolder(folder).catch(() => undefined);
}

/** Deletes incomplete folders of jobs that were killed. */
export async function removeStaleFolders(entry: ToolCacheEntry, now: number): Promise<void> {
  const active = findInstalled(entry);
  const names = existsSync(entry.folder) ? await readdir(entry.folder) : [];
  for (const name of names.filter((one) => one.startsWith(`${entry.platform}-`))) {
    const path = join(entry.folder, name);
    const since = statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? now;
    if (path !== active && now - since > staleMs) await removeFolder(path);
  }
}

function markerPath({ folder, platform }: ToolCacheEntry): string {
  return join(folder, `${platform}.complete`);
}

/** The kind of machine that a program is built for. */
export function platformName(): string {
  return `${process.platform}-${process.arch}${isMusl() ? '-musl' : ''}`;
}

/** Whether the C library is that of Alpine. An Alpine job container may share the tool cache with its host. */
function isMusl(): boolean {
  if (process.platform !== 'linux' || process.report === undefined) return false;
  // Otherwise the report looks up the host names of all open connections.
  Object.assign(process.report, { excludeNetwork: true });
  const { header } = process.report.getReport() as { readonly header?: { glibcVersionRuntime?: string } };
  return header?.glibcVersionRuntime === undefined;
}
