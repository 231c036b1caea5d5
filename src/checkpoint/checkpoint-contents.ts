/** What a checkpoint holds, as entries of its archive. Pure. */
import type { ArchiveEntry } from './archive.js';

export interface CheckpointContents {
  /** The journal as it stands on disk. */
  readonly journal: Buffer;
  /** Objects of the recorded trees; empty where nothing was changed. */
  readonly pack: Buffer;
  readonly sessions: readonly SessionCopyFile[];
}

/** One file of a session, by the path it has under its CLI's home folder. */
export interface SessionCopyFile {
  readonly provider: string;
  readonly id: string;
  readonly path: string;
  readonly content: Buffer;
}

const journalPath = 'journal.ndjson';
const packPath = 'commits.pack';
const sessionFolder = 'sessions';

export function toEntries({ journal, pack, sessions }: CheckpointContents): readonly ArchiveEntry[] {
  return [
    { path: journalPath, content: journal },
    { path: packPath, content: pack },
    ...sessions.map(({ provider, id, path, content }) => ({
      path: [sessionFolder, provider, id, path].join('/'),
      content,
    })),
  ];
}

/** `undefined`: an entry that belongs there is missing. Entries that are not known are passed over. */
export function fromEntries(entries: readonly ArchiveEntry[]): CheckpointContents | undefined {
  const journal = entries.find((entry) => entry.path === journalPath)?.content;
  const pack = entries.find((entry) => entry.path === packPath)?.content;
  if (journal === undefined || pack === undefined) return undefined;
  return { journal, pack, sessions: entries.flatMap(readCopy) };
}

function readCopy(entry: ArchiveEntry): readonly SessionCopyFile[] {
  const [folder, provider, id, ...rest] = entry.path.split('/');
  if (folder !== sessionFolder || provider === undefined || id === undefined || rest.length === 0) return [];
  return [{ provider, id, path: rest.join('/'), content: entry.content }];
}
