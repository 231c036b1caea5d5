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
export interface Slot {
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
export function findInstalled(slot: Slot): string | undefined {
  const mark = markOf(slot);
  const name = existsSync(mark) ? readFileSync(mark, 'utf8').trim() : '';
  if (name === '' || name !== basename(name) || !name.startsWith(`${slot.platform}-`)) return undefined;
  const folder = join(slot.folder, name);
  return isProgram(join(folder, slot.program)) ? folder : undefined;
}

/** A new folder that nobody else knows. */
export async function openFolder(slot: Slot): Promise<string> {
  await mkdir(slot.folder, { recursive: true });
  return mkdtemp(join(slot.folder, `${slot.platform}-`));
}

/** Lets the filled folder count. Where another process was first it is deleted, and the other's returned. */
export async function complete(slot: Slot, folder: string): Promise<string> {
  const written = `${folder}.complete`;
  await writeFile(written, `${basename(folder)}\n`);
  try {
    const first = await nameFirst(slot, written);
    if (first === undefined) return folder;
    await rm(folder, { recursive: true, force: true });
    return first;
  } finally {
    await rm(written, { force: true });
  }
}

/** The folder that counts already, if there is one. */
async function nameFirst(slot: Slot, written: string): Promise<string | undefined> {
  try {
    // Unlike a rename this does not replace what another process has put there.
    await link(written, markOf(slot));
    return undefined;
  } catch {
    const first = findInstalled(slot);
    // A mark without a program behind it, or a disk that has no links.
    if (first === undefined) await rename(written, markOf(slot));
    return first;
  }
}

/** Deletes what killed jobs have left half done. */
export async function sweep(slot: Slot, now: number): Promise<void> {
  const counts = findInstalled(slot);
  const names = existsSync(slot.folder) ? await readdir(slot.folder) : [];
  for (const name of names.filter((one) => one.startsWith(`${slot.platform}-`))) {
    const path = join(slot.folder, name);
    const since = statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? now;
    if (path !== counts && now - since > staleMs) await rm(path, { recursive: true, force: true });
  }
}

function markOf({ folder, platform }: Slot): string {
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
