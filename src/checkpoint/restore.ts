/**
 * Finds the newest checkpoint that opens. Callers decide what happens without one, and interpret the files.
 */
import { defined } from '../optional-keys.js';
import type { ArchiveEntry, ArchiveLimits } from './archive.js';
import { type Binding, type ExpectedBinding, type RefusalReason, refusalText } from './binding.js';
import { openCheckpoint } from './checkpoint.js';
import { attemptPrefixes, compareKeys, olderPrefixes, parseKey } from './checkpoint-key.js';
import type { CheckpointStore } from './checkpoint-store.js';
import type { SealSecret } from './seal-secrets.js';

/** Number of older checkpoints to try after the newest one. */
const maxOlderTries = 3;

export interface RestoreRequest {
  readonly store: CheckpointStore;
  /** From `chooseSecrets`. */
  readonly secrets: readonly SealSecret[];
  /** The binding that a checkpoint must have. */
  readonly expected: Omit<ExpectedBinding, 'key'>;
  /** The current job attempt. Entries of this and earlier job attempts are looked up. */
  readonly jobAttempt: number;
  readonly limits?: ArchiveLimits;
  /** Why an opened checkpoint cannot be used. `undefined` if it can. */
  findRefusal?(entries: readonly ArchiveEntry[]): Promise<Omit<RefusedCheckpoint, 'key'> | undefined>;
}

export interface RefusedCheckpoint {
  readonly key: string;
  readonly reason: RefusalReason;
  /** Details from the store or the reader. */
  readonly detail?: string;
}

/** `seen`: the newest key of the current job attempt, which the `CheckpointWriter` needs. */
export type RestoreResult =
  | {
      readonly status: 'opened';
      readonly key: string;
      readonly binding: Binding;
      readonly entries: readonly ArchiveEntry[];
      /** Newer checkpoints that were refused. */
      readonly refused: readonly RefusedCheckpoint[];
      readonly seen?: string;
    }
  | { readonly status: 'refused'; readonly refused: readonly RefusedCheckpoint[]; readonly seen?: string }
  /** `lastError`: why the store cannot be read or did not answer. Absent if it gave no reason. */
  | { readonly status: 'none'; readonly lastError?: string };

/** Tries the newest job attempt first, and its newest checkpoint first. Does not reject for any state of the store. */
export async function restore(request: RestoreRequest): Promise<RestoreResult> {
  const { store, expected, jobAttempt } = request;
  const newest = await store.findNewest(attemptPrefixes(expected, jobAttempt));
  if (newest === undefined) {
    const lastError = store.unreadableReason ?? store.lastError?.();
    return { status: 'none', ...defined({ lastError }) };
  }
  const found = await openNewest(request, newest);
  const isOwn = parseKey(newest)?.jobAttempt === jobAttempt;
  return { ...found, ...(isOwn ? { seen: newest } : {}) };
}

/** The warning about a refused checkpoint. */
export function refusedCheckpointText({ key, reason, detail }: RefusedCheckpoint): string {
  const why = refusalText(reason);
  return `Checkpoint \`${key}\` is not used: ${why}${detail === undefined ? '' : ` (${detail})`}.`;
}

async function openNewest(
  request: RestoreRequest,
  newest: string,
): Promise<Exclude<RestoreResult, { status: 'none' }>> {
  const refused: RefusedCheckpoint[] = [];
  let key: string | undefined = newest;
  while (key !== undefined && refused.length <= maxOlderTries) {
    const opened = await openAt(request, key);
    if (opened.status === 'opened') return { ...opened, key, refused };
    const { reason, detail } = opened;
    refused.push({ key, reason, ...defined({ detail }) });
    key = await olderThan(request.store, key);
  }
  return { status: 'refused', refused };
}

type OpenResult = Awaited<ReturnType<typeof openCheckpoint>>;

async function openAt(request: RestoreRequest, key: string): Promise<OpenResult> {
  const { store, secrets, expected, limits } = request;
  const sealed = await store.read(key);
  if (sealed !== undefined) {
    const opened = await openCheckpoint(sealed, secrets, { ...expected, key }, limits);
    const refusal = opened.status === 'opened' ? await request.findRefusal?.(opened.entries) : undefined;
    return refusal === undefined ? opened : { status: 'refused', ...refusal };
  }
  const detail = store.lastError?.();
  return { status: 'refused', reason: 'unreadable', ...defined({ detail }) };
}

async function olderThan(store: CheckpointStore, text: string): Promise<string | undefined> {
  const key = parseKey(text);
  const prefixes = key ? olderPrefixes(key) : [];
  if (key === undefined || prefixes.length === 0) return undefined;
  const found = await store.findNewest(prefixes);
  const older = found === undefined ? undefined : parseKey(found);
  // Prevents an endless loop if a store returns a newer entry.
  return older && compareKeys(older, key) < 0 ? found : undefined;
}
