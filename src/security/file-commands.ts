/**
 * Notices when an agent wrote to the files by which a step speaks to the runner (`GITHUB_ENV`, `GITHUB_PATH`,
 * …), and puts them back. The agent is not told their names, but it can find them. The runner reads them when
 * the step has ended, also when it failed: what stays in there would reach every later step of the job.
 *
 * To be called right before an agent starts, because the action writes to these files itself at other times.
 */
import { lstat, readdir, readFile, readlink, rm, symlink, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { Environment } from '../system/environment.js';
import { fileCommandVariables } from './secret-names.js';

/** What lies at a path. `other` is a folder or a pipe, or cannot be read: never opened, never made anew. */
type CommandFileState =
  | { readonly kind: 'file'; readonly content: Buffer; readonly mode: number }
  | { readonly kind: 'link'; readonly target: string }
  | { readonly kind: 'other' };

/** Path → what was there; a path that is missing was not there. */
type CommandFileStates = ReadonlyMap<string, CommandFileState>;

/**
 * Takes note of the runner's command files and of all that lies in their folders. The function returned looks
 * again, makes everything what it was, and tells the paths that had been made, changed or removed, sorted.
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
  // `wx`: a link that was put here in the meantime is not followed.
  if (entry?.kind === 'file') await writeFile(path, entry.content, { mode: entry.mode, flag: 'wx' });
}
