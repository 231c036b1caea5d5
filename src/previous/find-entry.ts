/** The newest earlier run of a subject: the newest entry that opens, whenever its run began. */
import type { EntryStore, NamedEntry } from '../checkpoint/entry-store.js';
import { type EntryReader, openEntry } from './sealed-entry.js';
import { fromArchive, type SubjectEntry } from './subject-entry.js';
import { sessionEntryName } from './subject-scope.js';

export type EntryLookup =
  | { readonly status: 'found'; readonly contents: SubjectEntry; readonly problems: readonly string[] }
  /** No other run has stored an entry. */
  | { readonly status: 'none' }
  /** There are entries, but none can be used. `problems`: why, as sentences. */
  | { readonly status: 'unusable'; readonly problems: readonly string[] }
  /**
   * `unavailable`: this job has no store, or no secret that opens anything. `denied`, `failed`: the store refused or did
   * not answer. `reason`: as one or more sentences.
   */
  | { readonly status: 'unavailable' | 'denied' | 'failed'; readonly reason: string };

/** A store may have entries of many runs. The older ones are hardly better. */
const maxTries = 5;

/** `runId`: the present run, whose own entries do not count. */
export async function findNewestEntry(
  store: EntryStore,
  reader: EntryReader,
  runId: string,
): Promise<EntryLookup> {
  if (store.unreadableReason !== undefined) return { status: 'unavailable', reason: store.unreadableReason };
  const listed = await store.list(sessionEntryName(reader.scope));
  if (listed.status !== 'listed') return listed;
  const usable = listed.entries.filter((entry) => mayBeUsed(entry, reader));
  const ofOthers = usable.filter((entry) => entry.runId !== runId);
  if (ofOthers.length > 0) return readFirst(store, reader, ofOthers.slice(0, maxTries));
  const [own] = usable;
  return own === undefined ? { status: 'none' } : readKept(store, reader, own);
}

/**
 * The Actions cache finds only its newest entry, which in a re-run is that of an earlier job attempt. It still has what
 * that job attempt kept of older runs.
 */
async function readKept(store: EntryStore, reader: EntryReader, own: NamedEntry): Promise<EntryLookup> {
  const contents = await readContents(store, reader, own);
  if (typeof contents === 'string') return { status: 'none' };
  if ('status' in contents) return contents;
  const steps = contents.steps.filter(({ runId }) => runId !== own.runId);
  const [newest] = steps.toSorted((one, other) => other.endedAt - one.endedAt);
  if (newest === undefined) return { status: 'none' };
  const { runId, commit, endedAt } = newest;
  return { status: 'found', contents: { ...contents, runId, commit, endedAt, steps }, problems: [] };
}

async function readFirst(
  store: EntryStore,
  reader: EntryReader,
  candidates: readonly NamedEntry[],
): Promise<EntryLookup> {
  const problems: string[] = [];
  for (const entry of candidates) {
    const contents = await readContents(store, reader, entry);
    if (typeof contents === 'object' && 'status' in contents) return contents;
    if (typeof contents === 'object') return { status: 'found', contents, problems };
    problems.push(`The entry of run ${entry.runId} is not used: ${contents}.`);
  }
  return { status: 'unusable', problems };
}

async function readContents(
  store: EntryStore,
  reader: EntryReader,
  entry: NamedEntry,
): Promise<SubjectEntry | string | Extract<EntryLookup, { readonly reason: string }>> {
  if (entry.isExpired) return 'it has expired';
  const read = await store.read(entry);
  if (read.status === 'denied' || read.status === 'failed') return read;
  if (read.status !== 'read')
    return read.status === 'expired' ? 'it has expired' : 'it was deleted or is damaged';
  const files = await openEntry(read.sealed, 'sessions', entry.runId, reader);
  return typeof files === 'string' ? files : fromArchive(files);
}

/** What a fork's run stores is for runs of forks. Anybody can do that, so it is no reason for a warning. */
export function mayBeUsed(
  { isFromFork }: Pick<NamedEntry, 'isFromFork'>,
  { scope }: Pick<EntryReader, 'scope'>,
): boolean {
  return scope.trust === 'fork' || !isFromFork;
}
