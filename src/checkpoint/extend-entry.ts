/** Adds events to a sealed entry, for `post`: how the job ended is known only after `main` sealed its last state. */
import { hashOf } from '../system/hash-of.js';
import { packEntries } from './archive.js';
import type { Binding } from './binding.js';
import { type EntryPayload, fromArchive, type ManifestFile, toArchive } from './chain-manifest.js';
import type { OpenedCheckpoint } from './checkpoint.js';
import { journalPath } from './checkpoint-contents.js';
import { seal } from './seal.js';
import type { SealSecret } from './seal-secrets.js';

type OpenedEntry = Extract<OpenedCheckpoint, { readonly status: 'opened' }>;

/** An entry that is not sealed yet, and the entries that it builds on. */
export interface ExtendedEntry {
  readonly payload: EntryPayload;
  readonly chain: NonNullable<Binding['chain']>;
}

/**
 * The entry with one more event in its journal. `undefined` if its journal is not the one that `journal` continues, or
 * if more events happened since: then its files are older than the journal.
 */
export function extendEntry({ binding, entries }: OpenedEntry, journal: Buffer): ExtendedEntry | undefined {
  const payload = fromArchive(entries);
  const file = payload?.manifest.files.find(({ path }) => path === journalPath);
  if (payload === undefined || file === undefined || binding.chain === undefined) return undefined;
  const added = journal.subarray(file.length);
  const isContinued = hashOf(journal.subarray(0, file.length)) === file.sha256;
  const isOneEvent = added.length > 0 && added.indexOf('\n') === added.length - 1;
  if (!isContinued || !isOneEvent) return undefined;
  return { payload: withJournal(payload, file, journal), chain: binding.chain };
}

function withJournal(
  { manifest, data, packs }: EntryPayload,
  file: ManifestFile,
  journal: Buffer,
): EntryPayload {
  const added = journal.subarray(file.length);
  const part = [manifest.dataKeys.length, data.length, added.length] as const;
  const longer = {
    ...file,
    length: journal.length,
    sha256: hashOf(journal),
    parts: [...file.parts, part],
  };
  const files = manifest.files.map((one) => (one === file ? longer : one));
  return { manifest: { ...manifest, files }, data: Buffer.concat([data, added]), packs };
}

export async function sealExtended(
  { payload, chain }: ExtendedEntry,
  binding: Binding,
  secrets: readonly SealSecret[],
): Promise<Buffer> {
  return seal(await packEntries(toArchive(payload)), { ...binding, chain }, secrets);
}
