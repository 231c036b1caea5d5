/** Stores what a run leaves for later runs of its subject, at its end. */
import type { SessionCopyFile } from '../checkpoint/checkpoint-contents.js';
import type { EntryStore, PutResult } from '../checkpoint/entry-store.js';
import type { EarlierStep } from '../engine/previous-run.js';
import { withEarlierSteps } from './collect-steps.js';
import { type EntryLookup, findNewestEntry } from './find-entry.js';
import { type EntryWriter, sealEntry } from './sealed-entry.js';
import { type SubjectEntry, toArchive } from './subject-entry.js';
import { type SubjectScope, sessionEntryName } from './subject-scope.js';

export interface RunEntryOptions extends EntryWriter {
  readonly store: EntryStore;
  /** Of the run: its own steps and their sessions. */
  readonly contents: Omit<SubjectEntry, 'runId' | 'jobAttempt'>;
  /** What ended before, in milliseconds since 1970, is not kept any longer. */
  readonly oldest: number;
  /** A pull request that the run opened, which inherits the sessions. */
  readonly inheritedBy?: SubjectScope;
}

export interface StoredRunEntry {
  readonly put: PutResult;
  /** Steps whose session is too large for an entry. */
  readonly leftOut: readonly string[];
}

/** The files of all sessions together. A session of 150,000 tokens has a few megabytes. */
const maxSessionBytes = 100_000_000;

/** Stores nothing if there is nothing to say. */
export async function storeRunEntry(options: RunEntryOptions): Promise<StoredRunEntry> {
  const { store, scope, contents, oldest, inheritedBy } = options;
  const found = await findNewestEntry(store, options, options.runId);
  const earlier = found.status === 'found' ? found.contents : { steps: [], sessions: [] };
  const steps = withEarlierSteps(contents.steps, earlier.steps, oldest);
  if (steps.length === 0) return { put: { status: 'stored' }, leftOut: [] };
  const sessions = chooseSessions(steps, [contents.sessions, earlier.sessions]);
  const whole = { ...contents, ...sessions, steps };
  const put = await putEntry(store, options, scope, whole);
  if (inheritedBy !== undefined && put.status === 'stored')
    await inherit(store, options, inheritedBy, { ...whole, inheritedFrom: scope.subject });
  return { put, leftOut: sessions.leftOut };
}

async function putEntry(
  store: EntryStore,
  writer: EntryWriter,
  scope: SubjectScope,
  contents: RunEntryOptions['contents'],
): Promise<PutResult> {
  const { runId, jobAttempt } = writer;
  const archive = toArchive({ ...contents, runId, jobAttempt });
  const sealed = await sealEntry(archive, 'sessions', { ...writer, scope });
  return store.put(sessionEntryName(scope), sealed);
}

/** A pull request with a conversation of its own keeps it. One that has only inherited follows the newest run. */
async function inherit(
  store: EntryStore,
  writer: EntryWriter,
  scope: SubjectScope,
  contents: RunEntryOptions['contents'],
): Promise<void> {
  const known = await findNewestEntry(store, { ...writer, scope }, writer.runId);
  const isOwn = known.status !== 'none' && !isInherited(known, contents.inheritedFrom);
  if (!isOwn) await putEntry(store, writer, scope, contents);
}

function isInherited(known: EntryLookup, subject: string | undefined): boolean {
  return known.status === 'found' && known.contents.inheritedFrom === subject;
}

interface ChosenSessions {
  readonly sessions: readonly SessionCopyFile[];
  readonly leftOut: readonly string[];
}

/** The files of the named sessions, the newest steps first, as long as there is space. `sources`: this run first. */
function chooseSessions(
  steps: readonly EarlierStep[],
  sources: readonly (readonly SessionCopyFile[])[],
): ChosenSessions {
  const chosen = new Map<string, readonly SessionCopyFile[]>();
  const leftOut: string[] = [];
  let bytes = 0;
  for (const { path, provider, sessionId, runId } of steps.toReversed()) {
    const key = `${provider}/${sessionId}`;
    if (sessionId === undefined || chosen.has(key)) continue;
    const files = filesOfSession(sources, provider, sessionId);
    const size = files.reduce((sum, { content }) => sum + content.length, 0);
    if (bytes + size > maxSessionBytes) leftOut.push(`\`${path}\` (run ${runId})`);
    else {
      chosen.set(key, files);
      bytes += size;
    }
  }
  return { sessions: [...chosen.values()].flat(), leftOut };
}

/** A session that this run resumed is in the entry of the earlier run as well, at an earlier point and other paths. */
function filesOfSession(
  sources: readonly (readonly SessionCopyFile[])[],
  provider: string,
  id: string,
): readonly SessionCopyFile[] {
  const found = sources.map((files) => files.filter((file) => file.provider === provider && file.id === id));
  return found.find((files) => files.length > 0) ?? [];
}
