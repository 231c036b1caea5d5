/**
 * Finds the newest checkpoint that opens. Callers decide what happens without one, and interpret the files.
 */
import { defined } from '../optional-keys.js';
import type { Clock } from '../system/clock.js';
import { type ArchiveEntry, type ArchiveLimits, defaultArchiveLimits } from './archive.js';
import { askStore, type Patience, type StoreAnswer } from './ask-store.js';
import {
  type Binding,
  type EntryRef,
  type ExpectedBinding,
  type RefusalReason,
  refusalText,
} from './binding.js';
import type { StoredChain } from './chain.js';
import { openCheckpoint } from './checkpoint.js';
import { attemptPrefixes, parseKey } from './checkpoint-key.js';
import type { CheckpointStore } from './checkpoint-store.js';
import { endsWithin } from './ends-within.js';
import { entriesFromNewest } from './older-entries.js';
import { openChain } from './open-chain.js';
import type { SealSecret } from './seal-secrets.js';

/** Maximum time to wait for an answer of the store, and to try entries, each. */
const maxRestoreMs = 60_000;
/** The same in the first job attempt, in which there is rarely anything to restore. */
const maxFirstAttemptMs = 10_000;
/** A checkpoint of 1 GB takes minutes on a slow connection. */
const maxReadMs = 600_000;

export interface RestoreRequest {
  readonly store: CheckpointStore;
  /** From `chooseSecrets`. */
  readonly secrets: readonly SealSecret[];
  /** The binding that a checkpoint must have. */
  readonly expected: Omit<ExpectedBinding, 'key'>;
  /** The current job attempt. Entries of earlier job attempts are looked up. */
  readonly jobAttempt: number;
  /** Jobs that share the state by its name also continue from each other within one job attempt. */
  readonly isShared: boolean;
  readonly clock: Clock;
  readonly limits?: ArchiveLimits;
  /** Why an opened checkpoint cannot be used. `undefined` if it can. */
  findRefusal?(entries: readonly ArchiveEntry[]): Promise<Omit<RefusedCheckpoint, 'key'> | undefined>;
}

export interface RefusedCheckpoint {
  readonly key: string;
  readonly reason: RefusalReason;
  /** Details from the store or the reader. */
  readonly detail?: string;
  /** For `no-key-fits`: the variables whose values sealed it, as the file claims. */
  readonly sealedBy?: readonly string[];
}

/** `seen`: the newest key of the current job attempt, which the `CheckpointWriter` needs. */
export type RestoreResult =
  | {
      readonly status: 'opened';
      readonly key: string;
      readonly binding: Binding;
      readonly entries: readonly ArchiveEntry[];
      /** What the next checkpoint can build on. Absent for a checkpoint of format 1. */
      readonly chain?: () => StoredChain;
      /** Newer checkpoints that were refused. */
      readonly refused: readonly RefusedCheckpoint[];
      readonly seen?: string;
    }
  | { readonly status: 'refused'; readonly refused: readonly RefusedCheckpoint[]; readonly seen?: string }
  /** `lastError`: why the store cannot be read. Absent if it can be read and has no checkpoint. */
  | { readonly status: 'none'; readonly lastError?: string; readonly seen?: string }
  /** It is not known whether there is a checkpoint, because the store did not answer in time. */
  | {
      readonly status: 'unanswered';
      readonly reason: string;
      readonly refused: readonly RefusedCheckpoint[];
      readonly seen?: string;
    };

/** Tries the newest job attempt first, and its newest checkpoint first. Does not reject for any state of the store. */
export async function restore(request: RestoreRequest): Promise<RestoreResult> {
  const { store, expected, jobAttempt, isShared } = request;
  if (store.unreadableReason !== undefined) return { status: 'none', lastError: store.unreadableReason };
  if (isShared) return restoreFrom(request, jobAttempt);
  // Two calls of one reusable workflow may have the same derived name: each starts for itself.
  const newest = await lookUp(request, attemptPrefixes(expected, jobAttempt));
  if (newest.status === 'unanswered') return { ...newest, refused: [] };
  const isOwn = isOfAttempt(newest.value, jobAttempt);
  if (!isOwn) return openFound(request, newest.value, jobAttempt - 1);
  const earlier: RestoreResult =
    jobAttempt === 1 ? { status: 'none' } : await restoreFrom(request, jobAttempt - 1);
  return { ...earlier, ...defined({ seen: newest.value }) };
}

async function restoreFrom(request: RestoreRequest, jobAttempt: number): Promise<RestoreResult> {
  const newest = await lookUp(request, attemptPrefixes(request.expected, jobAttempt));
  if (newest.status === 'unanswered') return { ...newest, refused: [] };
  const found = await openFound(request, newest.value, jobAttempt);
  return isOfAttempt(newest.value, request.jobAttempt)
    ? { ...found, ...defined({ seen: newest.value }) }
    : found;
}

/** `newest`: what a look-up for `jobAttempt` and earlier ones has found. */
async function openFound(
  request: RestoreRequest,
  newest: string | undefined,
  jobAttempt: number,
): Promise<RestoreResult> {
  if (newest !== undefined) return openNewest(request, newest, jobAttempt);
  return { status: 'none', ...defined({ lastError: request.store.lastError?.() }) };
}

function isOfAttempt(key: string | undefined, jobAttempt: number): boolean {
  return key !== undefined && parseKey(key)?.jobAttempt === jobAttempt;
}

function lookUp(request: RestoreRequest, prefixes: readonly string[]) {
  const { store } = request;
  return askStore(store, () => store.findNewest(prefixes), patienceOf(request));
}

function patienceOf({ clock, jobAttempt }: RestoreRequest): Patience {
  return { clock, until: clock.now() + (jobAttempt > 1 ? maxRestoreMs : maxFirstAttemptMs) };
}

/** The warning about a refused checkpoint. */
export function refusedCheckpointText({ key, reason, detail }: RefusedCheckpoint): string {
  const why = refusalText(reason);
  return `Checkpoint \`${key}\` is not used: ${why}${detail === undefined ? '' : ` (${detail})`}.`;
}

type FoundEntry = Exclude<RestoreResult, { readonly status: 'none' }>;

/** Bound by time and not by a number, so that entries of somebody else cannot hide a checkpoint. */
async function openNewest(request: RestoreRequest, newest: string, jobAttempt: number): Promise<FoundEntry> {
  const { store, expected } = request;
  const patience = patienceOf(request);
  const refused: RefusedCheckpoint[] = [];
  let unanswered: string | undefined;
  const findNewest = async (prefixes: readonly string[]) => {
    const found = await askStore(store, () => store.findNewest(prefixes), patience);
    if (found.status === 'answered') return found.value;
    unanswered = found.reason;
    return undefined;
  };
  for await (const key of newestFirst(newest, entriesFromNewest(expected, jobAttempt, findNewest))) {
    if (refused.some((one) => one.key === key)) continue;
    if (refused.length > 0 && request.clock.now() >= patience.until) {
      unanswered = `after 60 s, not all of its entries have been tried`;
      break;
    }
    const opened = await openAt(request, key, patience);
    if (opened.status === 'opened') return { ...opened, key, refused };
    if (opened.status === 'unanswered') return { ...opened, refused };
    const { status: _status, ...refusal } = opened;
    refused.push({ key, ...refusal });
  }
  return unanswered === undefined
    ? { status: 'refused', refused }
    : { status: 'unanswered', reason: unanswered, refused };
}

/** First the entry that is already known, because it nearly always opens. */
async function* newestFirst(newest: string, others: AsyncGenerator<string>): AsyncGenerator<string> {
  yield newest;
  yield* others;
}

type OpenResult =
  | {
      readonly status: 'opened';
      readonly binding: Binding;
      readonly entries: readonly ArchiveEntry[];
      readonly chain?: () => StoredChain;
    }
  | ({ readonly status: 'refused' } & Omit<RefusedCheckpoint, 'key'>)
  | { readonly status: 'unanswered'; readonly reason: string };

async function openAt(request: RestoreRequest, key: string, patience: Patience): Promise<OpenResult> {
  const { store } = request;
  const read = await readEntry(request, key, patience);
  if (read.status === 'unanswered') return read;
  if (read.value === undefined)
    return { status: 'refused', reason: 'unreadable', ...defined({ detail: store.lastError?.() }) };
  const opened = await openSealed(request, key, read.value, patience);
  const refusal = opened.status === 'opened' ? await request.findRefusal?.(opened.entries) : undefined;
  return refusal === undefined ? opened : { status: 'refused', ...refusal };
}

function readEntry({ store }: RestoreRequest, key: string, patience: Patience) {
  return askStore(store, () => store.read(key), { ...patience, maxAnswerMs: maxReadMs });
}

async function openSealed(
  request: RestoreRequest,
  key: string,
  sealed: Buffer,
  patience: Patience,
): Promise<OpenResult> {
  const { secrets, expected, limits = defaultArchiveLimits } = request;
  const opened = await openCheckpoint(sealed, secrets, { ...expected, key }, limits);
  if (opened.status === 'refused') return opened;
  const { status, binding, entries } = opened;
  if (binding.chain === undefined) return { status, binding, entries };
  const links = await readLinks(request, binding.chain, patience);
  if (links.status === 'unanswered') return links;
  const read = async (link: string) => links.value.get(link);
  const chain = await openChain({ ...opened, key, sealed }, { expected, limits, read });
  return chain.status === 'opened' ? { ...chain, binding } : chain;
}

/**
 * Reads the entries at the same time. What was not found is read once more, to tell an entry that is missing from a
 * store that does not answer. One after the other, because a store reports only the failure of its last request.
 */
async function readLinks(
  request: RestoreRequest,
  refs: readonly EntryRef[],
  patience: Patience,
): Promise<StoreAnswer<ReadonlyMap<string, Buffer | undefined>>> {
  const { store, clock } = request;
  const reading = Promise.all(refs.map(async ({ key }) => [key, await store.read(key)] as const));
  if (!(await endsWithin(reading, maxReadMs, clock)))
    return { status: 'unanswered', reason: `no answer in ${maxReadMs / 1000} s` };
  const links = new Map(await reading);
  for (const { key } of refs) {
    if (links.get(key) !== undefined) continue;
    const again = await readEntry(request, key, patience);
    if (again.status === 'unanswered') return again;
    links.set(key, again.value);
    // One that is missing is enough.
    if (again.value === undefined) break;
  }
  return { status: 'answered', value: links };
}
