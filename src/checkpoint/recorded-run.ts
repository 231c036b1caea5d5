/** Reads the run from an opened checkpoint, or explains why it cannot be used. Pure. */
import { type JournalEvent, readableJournalVersions } from '../journal/event.js';
import { parseJournal } from '../journal/journal.js';
import type { ArchiveEntry } from './archive.js';
import type { RefusalReason } from './binding.js';
import { type CheckpointContents, fromEntries } from './checkpoint-contents.js';

export interface RecordedRun {
  readonly status: 'read';
  readonly contents: CheckpointContents;
  readonly events: readonly JournalEvent[];
}

export interface UnusableCheckpoint {
  readonly status: 'refused';
  readonly reason: RefusalReason;
  readonly detail?: string;
}

export function readRecordedRun(entries: readonly ArchiveEntry[]): RecordedRun | UnusableCheckpoint {
  const contents = fromEntries(entries);
  if (contents === undefined) return refused('the journal or the objects are missing');
  const events = parseEvents(contents.journal);
  if (events === undefined) return refused('the journal cannot be read');
  const starts = events.filter((event) => event.type === 'job-started');
  return starts.every(({ version }) => readableJournalVersions.includes(version))
    ? { status: 'read', contents, events }
    : { status: 'refused', reason: 'other-format' };
}

function refused(detail: string): UnusableCheckpoint {
  return { status: 'refused', reason: 'bad-content', detail };
}

function parseEvents(journal: Buffer): readonly JournalEvent[] | undefined {
  try {
    const events = parseJournal(journal.toString('utf8'));
    return events.every((event) => typeof event?.type === 'string') ? events : undefined;
  } catch {
    return undefined;
  }
}
