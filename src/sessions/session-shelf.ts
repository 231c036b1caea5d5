/**
 * The copies of sessions that the next checkpoint takes along, in a private directory of this job: they
 * outlive the action's process, so that `post` can still pack them, and never fill its memory.
 */
import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { dirname, join, relative, sep } from 'node:path';
import type { SessionFile } from './session-mark.js';

export interface SessionShelf {
  /** Replaces the copy of this session. */
  put(session: SessionRef, files: readonly SessionFile[]): Promise<void>;
  /** The copy; empty where there is none. */
  take(session: SessionRef): Promise<readonly SessionFile[]>;
}

export interface SessionRef {
  readonly provider: string;
  /** Was checked by its provider (`isSessionId`): it names a folder here. */
  readonly id: string;
}

export function openSessionShelf(directory: string): SessionShelf {
  const folderOf = ({ provider, id }: SessionRef) => join(directory, provider, id);
  return {
    async put(session, files) {
      const folder = folderOf(session);
      await rm(folder, { recursive: true, force: true });
      for (const file of files) await write(join(folder, ...file.path.split('/')), file.content);
    },
    async take(session) {
      const folder = folderOf(session);
      const paths = await filesIn(folder);
      return Promise.all(
        paths.map(async (path) => ({ path: relativeTo(folder, path), content: await readFile(path) })),
      );
    },
  };
}

async function write(file: string, content: Buffer): Promise<void> {
  await mkdir(dirname(file), { recursive: true, mode: 0o700 });
  await writeFile(file, content, { mode: 0o600 });
}

async function filesIn(folder: string): Promise<readonly string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true }).catch(() => []);
  return entries
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .sort();
}

function relativeTo(folder: string, path: string): string {
  return relative(folder, path).split(sep).join('/');
}
