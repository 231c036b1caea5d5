/**
 * Installed CLIs on the runner's disk: `PROVIDER/VERSION/PLATFORM-xxxxxx`, and a mark `PLATFORM.complete` that
 * names the one of these folders that counts.
 *
 * T1 A folder counts only when it was whole before it was named: the mark is put there in one piece.
 * T2 Nobody touches a folder that another process may be filling or running.
 */
import { existsSync, readFileSync, statSync } from 'node:fs';
import { link, mkdir, mkdtemp, readdir, rename, rm, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { isProgram } from '../system/programs.js';

/** A place for one version of one program. */
export interface ToolCacheEntry {
  /** Of this version; may not be there yet. */
  readonly folder: string;
  /** Machines that share the tool cache may differ. */
  readonly platform: string;
  /** The program, from the folder that counts. */
  readonly program: string;
}

/** No job runs longer (self-hosted: 5 days), so what is older and does not count was left by one that was killed. */
const staleMs = 7 * 24 * 60 * 60 * 1000;

/** The folder that counts, where there is one and the program lies in it. */
export function findInstalled(entry: ToolCacheEntry): string | undefined {
  const marker = markerPath(entry);
  const name = existsSync(marker) ? readFileSync(marker, 'utf8').trim() : '';
  if (name === '' || name !== basename(name) || !name.startsWith(`${entry.platform}-`)) return undefined;
  const folder = join(entry.folder, name);
  return isProgram(join(folder, entry.program)) ? folder : undefined;
}

/** A new folder that nobody else knows. */
export async function createFolder(entry: ToolCacheEntry): Promise<string> {
  await mkdir(entry.folder, { recursive: true });
  return mkdtemp(join(entry.folder, `${entry.platform}-`));
}

/** Lets the filled folder count. Where another process was first it is deleted, and the other's returned. */
export async function activateFolder(entry: ToolCacheEntry, folder: string): Promise<string> {
  const marker = `${folder}.complete`;
  await writeFile(marker, `${basename(folder)}\n`);
  try {
    const first = await claimMarker(entry, marker);
    if (first === undefined) return folder;
    await rm(folder, { recursive: true, force: true });
    return first;
  } finally {
    await rm(marker, { force: true });
  }
}

/** The folder that counts already, if there is one. */
async function claimMarker(entry: ToolCacheEntry, marker: string): Promise<string | undefined> {
  try {
    // Unlike a rename this does not replace what another process has put there.
    await link(marker, markerPath(entry));
    return undefined;
  } catch {
    const first = findInstalled(entry);
    // A mark without a program behind it, or a disk that has no links.
    if (first === undefined) await rename(marker, markerPath(entry));
    return first;
  }
}

/** Deletes what killed jobs have left half done. */
export async function removeStaleFolders(entry: ToolCacheEntry, now: number): Promise<void> {
  const active = findInstalled(entry);
  const names = existsSync(entry.folder) ? await readdir(entry.folder) : [];
  for (const name of names.filter((one) => one.startsWith(`${entry.platform}-`))) {
    const path = join(entry.folder, name);
    const since = statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? now;
    if (path !== active && now - since > staleMs) await rm(path, { recursive: true, force: true });
  }
}

function markerPath({ folder, platform }: ToolCacheEntry): string {
  return join(folder, `${platform}.complete`);
}

/** The kind of machine that programs are built for. */
export function platformName(): string {
  return `${process.platform}-${process.arch}${isMusl() ? '-musl' : ''}`;
}

/** Alpine's C library: a job container of it may share the tool cache with its host. */
function isMusl(): boolean {
  if (process.platform !== 'linux' || process.report === undefined) return false;
  // It would look up the names of all open connections.
  Object.assign(process.report, { excludeNetwork: true });
  const { header } = process.report.getReport() as { readonly header?: { glibcVersionRuntime?: string } };
  return header?.glibcVersionRuntime === undefined;
}
