/**
 * Opens a checkpoint that builds on other entries: reads them at the same time, checks each of them, and puts the files
 * together. No byte of the others is used before all of them are authenticated.
 */
import { hashOf } from '../system/hash-of.js';
import { type ArchiveEntry, ArchiveError, type ArchiveLimits, unpackEntries } from './archive.js';
import {
  type Binding,
  type EntryRef,
  type ExpectedBinding,
  type RefusalReason,
  refusalText,
} from './binding.js';
import type { ChainEntry, StoredChain } from './chain.js';
import { type EntryPayload, fromArchive } from './chain-manifest.js';
import { packEntriesOf } from './checkpoint-contents.js';
import {
  ChainError,
  type ComposedFile,
  type ComposedFiles,
  composeFiles,
  readFiles,
} from './compose-chain.js';
import { chunksFrom } from './content-chunks.js';
import { maxSealedBytes } from './new-file.js';
import { openWithDataKey } from './seal.js';
import type { StoredFile } from './stored-file.js';

/** The newest entry, opened with a secret. */
export interface ChainEnd {
  readonly key: string;
  readonly sealed: Buffer;
  readonly binding: Binding;
  readonly dataKey: Buffer;
  readonly entries: readonly ArchiveEntry[];
}

export interface ChainOptions {
  readonly expected: Omit<ExpectedBinding, 'key'>;
  readonly limits: ArchiveLimits;
  /** `undefined` if there is no such entry. */
  read(key: string): Promise<Buffer | undefined>;
}

export type OpenedChain =
  | {
      readonly status: 'opened';
      /** As if the checkpoint were one file (`checkpoint-contents.ts`). */
      readonly entries: readonly ArchiveEntry[];
      /** For the next increment. Call it once: it takes time if the files are large. */
      readonly chain: () => StoredChain;
    }
  | { readonly status: 'refused'; readonly reason: RefusalReason; readonly detail?: string };

/** Rejects only if `read` does. */
export async function openChain(end: ChainEnd, options: ChainOptions): Promise<OpenedChain> {
  const own = fromArchive(end.entries);
  const refs = end.binding.chain ?? [];
  if (own === undefined || own.manifest.dataKeys.length !== refs.length)
    return refused('bad-content', 'the manifest is invalid');
  const read = await Promise.all(refs.map((ref) => options.read(ref.key)));
  const dataKeys = own.manifest.dataKeys.map((key) => Buffer.from(key, 'base64'));
  const payloads: Buffer[] = [];
  for (const [place, ref] of refs.entries()) {
    const opened = openLink(read[place], dataKeys[place], refs.slice(0, place), ref, options);
    if (!Buffer.isBuffer(opened)) return opened;
    payloads.push(opened);
  }
  const bytes = payloads.reduce((sum, payload) => sum + payload.length, end.sealed.length);
  if (bytes > 2 * maxSealedBytes) return refused('bad-content', `it has ${bytes} bytes`);
  try {
    const links = [...(await unpackLinks(payloads, end.entries, options.limits)), own];
    return compose(links, { end, refs, sealed: read, dataKeys }, options.limits);
  } catch (error) {
    if (!(error instanceof ArchiveError || error instanceof ChainError)) throw error;
    return refused('bad-content', error.message);
  }
}

function refused(reason: RefusalReason, detail: string) {
  return { status: 'refused', reason, detail } as const;
}

/** The payload of one entry, if it is the one that was stored, at its place. */
function openLink(
  sealed: Buffer | undefined,
  dataKey: Buffer | undefined,
  before: readonly EntryRef[],
  { key, sha256 }: EntryRef,
  { expected }: ChainOptions,
): Buffer | Extract<OpenedChain, { readonly status: 'refused' }> {
  const name = `\`${key}\``;
  if (sealed === undefined || dataKey === undefined) return refused('missing-link', name);
  if (hashOf(sealed) !== sha256) return refused('wrong-link', name);
  const opened = openWithDataKey(sealed, dataKey, { ...expected, key });
  if (opened.status === 'refused') return refused('wrong-link', `${name}: ${refusalText(opened.reason)}`);
  // No entry can be left out, repeated or swapped: each names all before it.
  return isSameChain(opened.binding.chain, before) ? opened.payload : refused('wrong-link', name);
}

function isSameChain(one: readonly EntryRef[] | undefined, other: readonly EntryRef[]): boolean {
  return (
    one?.length === other.length &&
    one.every(({ key, sha256 }, place) => key === other[place]?.key && sha256 === other[place]?.sha256)
  );
}

/** All at the same time, because all are needed. The limits apply to all entries together. */
async function unpackLinks(
  payloads: readonly Buffer[],
  newest: readonly ArchiveEntry[],
  limits: ArchiveLimits,
): Promise<readonly EntryPayload[]> {
  const left = Math.max(1, limits.bytes - sizeOf(newest));
  const unpacked = await Promise.all(
    payloads.map((payload) => unpackEntries(payload, { ...limits, bytes: left })),
  );
  if (unpacked.reduce((sum, entries) => sum + sizeOf(entries), 0) > left)
    throw new ArchiveError(`the archives contain more than ${limits.bytes} bytes`);
  return unpacked.map((entries) => {
    const link = fromArchive(entries);
    if (link === undefined) throw new ChainError('a manifest is invalid');
    return link;
  });
}

function sizeOf(entries: readonly ArchiveEntry[]): number {
  return entries.reduce((sum, { content }) => sum + content.length, 0);
}

interface SealedChain {
  readonly end: ChainEnd;
  readonly refs: readonly EntryRef[];
  readonly sealed: readonly (Buffer | undefined)[];
  readonly dataKeys: readonly Buffer[];
}

function compose(
  payloads: readonly EntryPayload[],
  { end, refs, sealed, dataKeys }: SealedChain,
  limits: ArchiveLimits,
): OpenedChain {
  const states = composeFiles(payloads);
  const contents = readFiles(states.at(-1) ?? new Map(), payloads, limits);
  const packs = payloads.flatMap((payload) => payload.packs);
  const files = [...contents].map(([path, content]) => ({ path, content }));
  const sizes = [...sealed, end.sealed].map((file) => file?.length ?? 0);
  const sha256 = hashOf(end.sealed);
  const manifests = payloads.map(({ manifest }) => manifest);
  return {
    status: 'opened',
    entries: [...packEntriesOf(packs), ...files],
    chain: () => {
      const stored = storedFiles(states, contents);
      const entries = [...refs, { key: end.key, sha256 }].map(
        (ref, place): ChainEntry => ({
          ...ref,
          bytes: sizes[place] ?? 0,
          level: manifests[place]?.level ?? 0,
          dataKey: dataKeys[place] ?? end.dataKey,
          files: stored[place] ?? new Map(),
          commits: manifests[place]?.commits ?? [],
        }),
      );
      return { entries, storedBytes: (manifests.at(-1)?.storedBefore ?? 0) + end.sealed.length };
    },
  };
}

function storedFiles(
  states: readonly ComposedFiles[],
  contents: ReadonlyMap<string, Buffer>,
): readonly ReadonlyMap<string, StoredFile>[] {
  const known = new Map<ComposedFile, StoredFile>();
  const last = new Map(
    [...(states.at(-1) ?? [])].map(([path, file]) => {
      const stored = { ...file, chunks: chunksFrom(contents.get(path) ?? Buffer.alloc(0), 0) };
      known.set(file, stored);
      return [path, stored] as const;
    }),
  );
  return states.map(
    (files) =>
      new Map(
        [...files].map(([path, file]) => {
          const stored = known.get(file) ?? formerFile(file, last.get(path), contents.get(path));
          known.set(file, stored);
          return [path, stored] as const;
        }),
      ),
  );
}

/** A version of a file before the last one. Its chunks are known if the file only grew since. */
function formerFile(
  file: ComposedFile,
  last: StoredFile | undefined,
  content: Buffer | undefined,
): StoredFile {
  const start = content?.subarray(0, file.length);
  if (last === undefined || start === undefined || hashOf(start) !== file.sha256)
    return { ...file, chunks: [] };
  const complete = last.chunks.filter(({ end }) => end <= file.length);
  return {
    ...file,
    chunks:
      complete.at(-1)?.end === file.length
        ? complete
        : [...complete, ...chunksFrom(start, complete.at(-1)?.end ?? 0)],
  };
}
