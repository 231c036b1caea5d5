/**
 * The store of session copies, from which the next checkpoint is built. It is in a private directory of the job,
 * so that `post` can still use the copies after `main` ended and they do not fill the memory.
 */
import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { dirname, join, relative, sep } from 'node:path';
import type { SessionFile } from './session-mark.js';
import {
  type ExportedSession,
  type SessionExportResult,
  type SessionLocation,
  type SessionRef,
  type SessionStore,
  sessionRefOf,
} from './session-store.js';

export interface SessionCopies {
  /** Stores a new copy. It replaces the earlier copies if it includes their points of the session (S13). */
  save(session: SessionRef, exported: ExportedSession): Promise<void>;
  /** Replaces all copies of this session by those of a restored checkpoint. */
  replace(session: SessionRef, copies: readonly SessionFile[]): Promise<void>;
  /** All copies, the newest last; empty if there are none. */
  read(session: SessionRef): Promise<readonly SessionFile[]>;
}

export function openSessionCopies(directory: string): SessionCopies {
  const folderOf = ({ provider, id }: SessionRef) => join(directory, provider, id);
  const copies: SessionCopies = {
    async save(session, { files, includesEarlierPoints }) {
      if (includesEarlierPoints) return copies.replace(session, files);
      const last = (await copies.read(session)).at(-1);
      for (const file of files) {
        if (last?.content.equals(file.content)) continue;
        await write(join(folderOf(session), `${nextNumber(last?.path)}-${file.path}`), file.content);
      }
    },
    async replace(session, files) {
      const folder = folderOf(session);
      await rm(folder, { recursive: true, force: true });
      for (const file of files) await write(join(folder, ...file.path.split('/')), file.content);
    },
    async read(session) {
      const folder = folderOf(session);
      const paths = await filesIn(folder);
      return Promise.all(
        paths.map(async (path) => ({ path: relativeTo(folder, path), content: await readFile(path) })),
      );
    },
  };
  return copies;
}

/** Exports a session and saves the copy for the next checkpoint. */
export async function saveSession(
  store: SessionStore,
  copies: SessionCopies,
  location: SessionLocation,
): Promise<SessionExportResult> {
  const exported = await store.export(location);
  if (exported.status === 'exported') await copies.save(sessionRefOf(location), exported);
  return exported;
}

/** Six digits, so that the alphabetical order is the order of the copies. */
function nextNumber(last: string | undefined): string {
  return String((Number.parseInt(last ?? '0', 10) || 0) + 1).padStart(6, '0');
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
