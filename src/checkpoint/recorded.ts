/** What an opened checkpoint tells of the run, or why it cannot be used. Pure. */
import { type JournalEvent, journalVersion } from '../journal/event.js';
import { parseJournal } from '../journal/journal.js';
import type { ArchiveEntry } from './archive.js';
import type { RefusalReason } from './binding.js';
import { type Contents, fromEntries } from './contents.js';

export interface Recorded {
  readonly status: 'read';
  readonly contents: Contents;
  readonly events: readonly JournalEvent[];
}

export interface Unusable {
  readonly status: 'refused';
  readonly reason: RefusalReason;
  readonly detail?: string;
}

export function readRecorded(entries: readonly ArchiveEntry[]): Recorded | Unusable {
  const contents = fromEntries(entries);
  if (contents === undefined) return refused('holds no journal or no files');
  const events = eventsIn(contents.journal);
  if (events === undefined) return refused('holds a journal that cannot be read');
  const starts = events.filter((event) => event.type === 'job-started');
  return starts.every(({ version }) => version === journalVersion)
    ? { status: 'read', contents, events }
    : { status: 'refused', reason: 'other-format' };
}

function refused(detail: string): Unusable {
  return { status: 'refused', reason: 'bad-content', detail };
}

function eventsIn(journal: Buffer): readonly JournalEvent[] | undefined {
  try {
    const events = parseJournal(journal.toString('utf8'));
    return events.every((event) => typeof event?.type === 'string') ? events : undefined;
  } catch {
    return undefined;
  }
}
