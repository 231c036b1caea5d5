/** The contents of a checkpoint, and their names in its archive. Pure. */
import type { ArchiveEntry } from './archive.js';

export interface CheckpointContents {
  /** The journal file. */
  readonly journal: Buffer;
  /** Objects of the recorded trees, in the order in which they must be unpacked. Empty if nothing changed. */
  readonly packs: readonly Buffer[];
  readonly sessions: readonly SessionCopyFile[];
}

/** One file of a session. `path` is relative to the home directory of its CLI. */
export interface SessionCopyFile {
  readonly provider: string;
  readonly id: string;
  readonly path: string;
  readonly content: Buffer;
}

export const journalPath = 'journal.ndjson';
const packPath = 'commits.pack';
/** More packs, one for each entry of a chain that has one. */
const packFolder = 'commits/';
const sessionFolder = 'sessions';

/** The path of a session's file in a checkpoint. */
export function sessionPath({ provider, id, path }: Omit<SessionCopyFile, 'content'>): string {
  return [sessionFolder, provider, id, path].join('/');
}

/** The entries for packs. There is always one, because format 1 requires it. */
export function packEntriesOf(packs: readonly Buffer[]): readonly ArchiveEntry[] {
  const [first = Buffer.alloc(0), ...more] = packs.filter(({ length }) => length > 0);
  return [
    { path: packPath, content: first },
    ...more.map((content, index) => ({
      path: `${packFolder}${String(index + 2).padStart(6, '0')}.pack`,
      content,
    })),
  ];
}

/** The packs that are not empty. `undefined` if there is no entry for them. */
export function packsIn(entries: readonly ArchiveEntry[]): readonly Buffer[] | undefined {
  const found = entries.filter(({ path }) => path === packPath || path.startsWith(packFolder));
  if (!found.some(({ path }) => path === packPath)) return undefined;
  return found.map(({ content }) => content).filter(({ length }) => length > 0);
}

/** `undefined` if a required entry is missing. Ignores unknown entries. */
export function fromEntries(entries: readonly ArchiveEntry[]): CheckpointContents | undefined {
  const journal = entries.find((entry) => entry.path === journalPath)?.content;
  const packs = packsIn(entries);
  return journal && packs && { journal, packs, sessions: sessionsIn(entries) };
}

/** The files of sessions among the entries. */
export function sessionsIn(entries: readonly ArchiveEntry[]): readonly SessionCopyFile[] {
  return entries.flatMap(readCopy);
}

function readCopy(entry: ArchiveEntry): readonly SessionCopyFile[] {
  const [folder, provider, id, ...rest] = entry.path.split('/');
  if (folder !== sessionFolder || provider === undefined || id === undefined || rest.length === 0) return [];
  return [{ provider, id, path: rest.join('/'), content: entry.content }];
}
