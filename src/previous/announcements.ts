/**
 * A session is not resumed by two runs at once. A run announces at its start which sessions it resumes. The announcement
 * counts until the run has stored its entry, or has ended without one.
 *
 * A run first announces and then looks, so of two runs that start at the same moment at least one sees the other. The
 * earlier announcement wins, and the lower run id if the store cannot tell them apart.
 */
import { z } from 'zod';
import type { EntryStore, NamedEntry } from '../checkpoint/entry-store.js';
import { mayBeUsed } from './find-entry.js';
import { type EntryReader, type EntryWriter, openEntry, sealEntry } from './sealed-entry.js';
import { announcementName, sessionEntryName } from './subject-scope.js';

const factsPath = 'in-use.json';
const factsSchema = z.object({ version: z.literal(1), sessions: z.array(z.string()) });

/** No job runs for longer (self-hosted: 5 days), so an older announcement is that of a lost machine. */
const maxJobMs = 5 * 24 * 3_600_000;

/** The longest job on a hosted runner. Without an answer of GitHub, an older announcement does not count. */
const usualJobMs = 6 * 3_600_000;

/** So many runs are at work at once at most, and each costs requests. */
const maxRead = 10;

export interface AnnouncementOptions extends EntryWriter {
  readonly store: EntryStore;
  /** Milliseconds since 1970. */
  readonly now: number;
  /** Whether that run has ended; `undefined` if GitHub does not say. */
  hasEnded(runId: string): Promise<boolean | undefined>;
}

/** Returns why the sessions could not be announced, if they could not. */
export async function announce(
  sessions: readonly string[],
  { store, ...writer }: AnnouncementOptions,
): Promise<string | undefined> {
  const content = Buffer.from(JSON.stringify({ version: 1, sessions }));
  const sealed = await sealEntry([{ path: factsPath, content }], 'in-use', writer);
  const put = await store.put(announcementName(writer.scope), sealed);
  return put.status === 'stored' ? undefined : put.reason;
}

/** The sessions that other runs have announced before this one and that are still in use. */
export async function sessionsInUse(options: AnnouncementOptions): Promise<ReadonlySet<string>> {
  const { store, scope, runId } = options;
  const [announced, ended] = await Promise.all([
    store.list(announcementName(scope)),
    store.list(sessionEntryName(scope)),
  ]);
  if (announced.status !== 'listed' || ended.status !== 'listed') return new Set();
  const own = announced.entries.find((entry) => entry.runId === runId);
  const open = newestOfEachRun(announced.entries).filter(
    (entry) =>
      entry.runId !== runId &&
      mayBeUsed(entry, options) &&
      isRecent(entry, options) &&
      isBefore(entry, own) &&
      !hasStored(entry, ended.entries),
  );
  const used: string[] = [];
  for (const entry of open.slice(0, maxRead))
    if (await isAtWork(entry, options)) used.push(...(await sessionsOfEntry(store, entry, options)));
  return new Set(used);
}

/** The newest first, as in a list. */
function newestOfEachRun(entries: readonly NamedEntry[]): readonly NamedEntry[] {
  const runs = new Set<string>();
  return entries.filter(({ runId }) => !runs.has(runId) && runs.add(runId));
}

function isRecent({ isExpired, createdAt }: NamedEntry, { now }: AnnouncementOptions): boolean {
  return !isExpired && now - createdAt <= maxJobMs;
}

/** If the own announcement cannot be seen yet, every other one counts. */
function isBefore(other: NamedEntry, own: NamedEntry | undefined): boolean {
  if (own === undefined) return true;
  if (other.createdAt !== own.createdAt) return other.createdAt < own.createdAt;
  return other.runId.length === own.runId.length
    ? other.runId < own.runId
    : other.runId.length < own.runId.length;
}

/** Its run has stored its sessions since, so nothing of it is at work any more. */
function hasStored({ runId, createdAt }: NamedEntry, ended: readonly NamedEntry[]): boolean {
  return ended.some((entry) => entry.runId === runId && entry.createdAt >= createdAt);
}

async function isAtWork(entry: NamedEntry, { now, hasEnded }: AnnouncementOptions): Promise<boolean> {
  const isOver = await hasEnded(entry.runId);
  return isOver === undefined ? now - entry.createdAt <= usualJobMs : !isOver;
}

/** Empty for an entry that does not open: whoever stored it must not keep a session from this run. */
async function sessionsOfEntry(
  store: EntryStore,
  entry: NamedEntry,
  reader: EntryReader,
): Promise<readonly string[]> {
  const read = await store.read(entry);
  if (read.status !== 'read') return [];
  const files = await openEntry(read.sealed, 'in-use', entry.runId, reader);
  if (typeof files === 'string') return [];
  try {
    const content = files.find(({ path }) => path === factsPath)?.content.toString('utf8') ?? '';
    return factsSchema.parse(JSON.parse(content)).sessions;
  } catch {
    return [];
  }
}
