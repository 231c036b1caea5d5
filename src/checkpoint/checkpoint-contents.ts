/** Converts the contents of a checkpoint to and from the entries of its archive. Pure. */
import type { ArchiveEntry } from './archive.js';

export interface CheckpointContents {
  /** The journal file. */
  readonly journal: Buffer;
  /** Objects of the recorded trees. Empty if nothing changed. */
  readonly pack: Buffer;
  readonly sessions: readonly SessionCopyFile[];
}

/** One file of a session. `path` is relative to the home directory of its CLI. */
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

/** `undefined` if a required entry is missing. Ignores unknown entries. */
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
