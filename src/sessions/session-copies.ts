/**
 * The copies of sessions that the next checkpoint takes along, in a private directory of this job: they
 * outlive the action's process, so that `post` can still pack them, and never fill its memory.
 */
import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { dirname, join, relative, sep } from 'node:path';
import type { Provider } from '../providers/provider.js';
import type { SessionFile } from './session-mark.js';

export interface SessionCopies {
  /** Replaces the copy of this session. */
  replace(session: SessionRef, files: readonly SessionFile[]): Promise<void>;
  /** Puts a copy beside the earlier ones, numbered so that the newest comes last, unless it is the newest already. */
  append(session: SessionRef, file: SessionFile): Promise<void>;
  /** The copy; empty where there is none. */
  read(session: SessionRef): Promise<readonly SessionFile[]>;
}

export interface SessionRef {
  readonly provider: string;
  /** Was checked by its provider (`isSessionId`): it names a folder here. */
  readonly id: string;
}

export function openSessionCopies(directory: string): SessionCopies {
  const folderOf = ({ provider, id }: SessionRef) => join(directory, provider, id);
  const readCopy = async (session: SessionRef): Promise<readonly SessionFile[]> => {
    const folder = folderOf(session);
    const paths = await filesIn(folder);
    return Promise.all(
      paths.map(async (path) => ({ path: relativeTo(folder, path), content: await readFile(path) })),
    );
  };
  return {
    async replace(session, files) {
      const folder = folderOf(session);
      await rm(folder, { recursive: true, force: true });
      for (const file of files) await write(join(folder, ...file.path.split('/')), file.content);
    },
    async append(session, file) {
      const last = (await readCopy(session)).at(-1);
      if (last?.content.equals(file.content)) return;
      await write(join(folderOf(session), `${nextNumber(last?.path)}-${file.path}`), file.content);
    },
    read: readCopy,
  };
}

/** Six digits: as text they are in order too. */
function nextNumber(last: string | undefined): string {
  return String((Number.parseInt(last ?? '0', 10) || 0) + 1).padStart(6, '0');
}

/**
 * Puts a fresh copy on the shelf. A file that only grows holds all earlier points of its session, so it takes
 * the place of the last copy; of exports each is a point of its own (S13).
 */
export async function saveCopy(
  sessionCopies: SessionCopies,
  provider: Pick<Provider, 'id' | 'sessionCommands'>,
  id: string,
  files: readonly SessionFile[],
): Promise<void> {
  const session = { provider: provider.id, id };
  if (provider.sessionCommands === undefined) return sessionCopies.replace(session, files);
  for (const file of files) await sessionCopies.append(session, file);
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
