/**
 * Finds the newest checkpoint that opens. It leaves to others what a run does without one, and what the
 * files mean.
 */
import { defined } from '../optional-keys.js';
import type { ArchiveEntry, ArchiveLimits } from './archive.js';
import { type Binding, type ExpectedBinding, type RefusalReason, refusalText } from './binding.js';
import { openCheckpoint } from './checkpoint.js';
import { attemptPrefixes, compareKeys, olderPrefixes, parseKey } from './checkpoint-key.js';
import type { CheckpointStore } from './checkpoint-store.js';
import type { SealSecret } from './seal-secrets.js';

/** After the newest one, so many older ones are tried. */
const olderTries = 3;

export interface RestoreRequest {
  readonly store: CheckpointStore;
  /** From `chooseSecrets`. */
  readonly secrets: readonly SealSecret[];
  /** What a checkpoint has to be bound to. */
  readonly expected: Omit<ExpectedBinding, 'key'>;
  /** The job attempt that asks; entries of it and of earlier ones are looked for. */
  readonly jobAttempt: number;
  readonly limits?: ArchiveLimits;
  /** Why what was opened cannot be used all the same; `undefined` where it can. */
  findRefusal?(entries: readonly ArchiveEntry[]): Omit<RefusedCheckpoint, 'key'> | undefined;
}

export interface RefusedCheckpoint {
  readonly key: string;
  readonly reason: RefusalReason;
  /** What the store or the reader said of it. */
  readonly detail?: string;
}

/** `seen`: the newest key of the asking attempt itself, which the saver has to know. */
export type RestoreResult =
  | {
      readonly status: 'opened';
      readonly key: string;
      readonly binding: Binding;
      readonly entries: readonly ArchiveEntry[];
      /** Newer ones that were passed over. */
      readonly refused: readonly RefusedCheckpoint[];
      readonly seen?: string;
    }
  | { readonly status: 'refused'; readonly refused: readonly RefusedCheckpoint[]; readonly seen?: string }
  /** `trouble`: the store cannot be read or did not answer, and why, as far as it said. */
  | { readonly status: 'none'; readonly lastError?: string };

/** Newest job attempt first, newest of each first. Never rejects for what the store holds or does. */
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

/** A sentence for the warning about one that was passed over. */
export function refusedCheckpointText({ key, reason, detail }: RefusedCheckpoint): string {
  const why = refusalText(reason);
  return `The checkpoint ${key} is not used: ${why}${detail === undefined ? '' : ` (${detail})`}.`;
}

async function openNewest(
  request: RestoreRequest,
  newest: string,
): Promise<Exclude<RestoreResult, { status: 'none' }>> {
  const refused: RefusedCheckpoint[] = [];
  let key: string | undefined = newest;
  while (key !== undefined && refused.length <= olderTries) {
    const tried = await openAt(request, key);
    if (tried.status === 'opened') return { ...tried, key, refused };
    const { reason, detail } = tried;
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
    const refusal = opened.status === 'opened' ? request.findRefusal?.(opened.entries) : undefined;
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
  // A store that answers with something newer would keep us going round.
  return older && compareKeys(older, key) < 0 ? found : undefined;
}
