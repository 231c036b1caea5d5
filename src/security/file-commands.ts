/**
 * Detects that an agent wrote to the command files of the runner (`GITHUB_ENV`, `GITHUB_PATH`, …), and restores
 * them. The agent does not get their names but can find them. The runner reads them when the action step ends,
 * even if it fails, and their content affects every later step of the job.
 *
 * Call this right before an agent starts, because the action itself writes to these files at other times.
 */
import { lstat, readdir, readFile, readlink, rm, symlink, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { Environment } from '../system/environment.js';
import { fileCommandVariables } from './secret-names.js';

/** The entry at a path. `other` is a folder, a pipe or an unreadable file. It is never opened and never restored. */
type CommandFileState =
  | { readonly kind: 'file'; readonly content: Buffer; readonly mode: number }
  | { readonly kind: 'link'; readonly target: string }
  | { readonly kind: 'other' };

/** Path → its entry. Paths without an entry are left out. */
type CommandFileStates = ReadonlyMap<string, CommandFileState>;

/**
 * Records the runner's command files and everything in their folders. The returned function restores that state
 * and returns the paths that were created, changed or removed, sorted.
 */
export async function guardFileCommands(environment: Environment): Promise<() => Promise<readonly string[]>> {
  const before = await readCommandFiles(environment);
  return async () => {
    const after = await readCommandFiles(environment);
    const paths = [...new Set([...before.keys(), ...after.keys()])].sort();
    const changed = paths.filter((path) => !isSame(before.get(path), after.get(path)));
    for (const path of changed) await restoreCommandFile(path, before.get(path));
    return changed;
  };
}

async function readCommandFiles(environment: Environment): Promise<CommandFileStates> {
  const named = fileCommandVariables.flatMap((name) => environment[name] || []);
  const listed = await Promise.all([...new Set(named.map((path) => dirname(path)))].map(pathsIn));
  const entries = new Map<string, CommandFileState>();
  for (const path of new Set([...named, ...listed.flat()])) {
    const entry = await readFileState(path);
    if (entry !== undefined) entries.set(path, entry);
  }
  return entries;
}

async function pathsIn(folder: string): Promise<readonly string[]> {
  const names = await readdir(folder).catch(() => []);
  return names.map((name) => join(folder, name));
}

async function readFileState(path: string): Promise<CommandFileState | undefined> {
  try {
    const found = await lstat(path);
    if (found.isSymbolicLink()) return { kind: 'link', target: await readlink(path) };
    // Reading from a pipe would wait for a writer.
    if (!found.isFile()) return { kind: 'other' };
    return { kind: 'file', content: await readFile(path), mode: found.mode & 0o777 };
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'ENOENT' ? undefined : { kind: 'other' };
  }
}

function isSame(before: CommandFileState | undefined, after: CommandFileState | undefined): boolean {
  if (before?.kind === 'file' && after?.kind === 'file') return before.content.equals(after.content);
  if (before?.kind === 'link' && after?.kind === 'link') return before.target === after.target;
  return before?.kind === after?.kind;
}

async function restoreCommandFile(path: string, entry: CommandFileState | undefined): Promise<void> {
  if (entry?.kind === 'other') return;
  await rm(path, { recursive: true, force: true });
  if (entry?.kind === 'link') await symlink(entry.target, path);
  // `wx` follows no link that was created here in the meantime.
  if (entry?.kind === 'file') await writeFile(path, entry.content, { mode: entry.mode, flag: 'wx' });
}
