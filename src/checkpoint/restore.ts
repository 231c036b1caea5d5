/**
 * Finds the newest checkpoint that opens. It leaves to others what a run does without one, and what the
 * files mean.
 */
import { defined } from '../optional-keys.js';
import type { ArchiveEntry, ArchiveLimits } from './archive.js';
import { type Binding, type Expected, type RefusalReason, refusalText } from './binding.js';
import { openCheckpoint } from './checkpoint.js';
import { attemptPrefixes, compareKeys, olderPrefixes, parseKey } from './key.js';
import type { SealSecret } from './secrets.js';
import type { CheckpointStore } from './store.js';

/** After the newest one, so many older ones are tried. */
const olderTries = 3;

export interface RestoreRequest {
  readonly store: CheckpointStore;
  /** From `chooseSecrets`. */
  readonly secrets: readonly SealSecret[];
  /** What a checkpoint has to be bound to. */
  readonly place: Omit<Expected, 'key'>;
  /** The job attempt that asks; entries of it and of earlier ones are looked for. */
  readonly jobAttempt: number;
  readonly limits?: ArchiveLimits;
  /** Why what was opened cannot be used all the same; `undefined` where it can. */
  refusal?(entries: readonly ArchiveEntry[]): Omit<Refused, 'key'> | undefined;
}

export interface Refused {
  readonly key: string;
  readonly reason: RefusalReason;
  /** What the store or the reader said of it. */
  readonly detail?: string;
}

/** `seen`: the newest key of the asking attempt itself, which the saver has to know. */
export type Restored =
  | {
      readonly status: 'opened';
      readonly key: string;
      readonly binding: Binding;
      readonly entries: readonly ArchiveEntry[];
      /** Newer ones that were passed over. */
      readonly refused: readonly Refused[];
      readonly seen?: string;
    }
  | { readonly status: 'refused'; readonly refused: readonly Refused[]; readonly seen?: string }
  /** `trouble`: the store cannot be read or did not answer, and why, as far as it said. */
  | { readonly status: 'none'; readonly trouble?: string };

/** Newest job attempt first, newest of each first. Never rejects for what the store holds or does. */
export async function restore(request: RestoreRequest): Promise<Restored> {
  const { store, place, jobAttempt } = request;
  const newest = await store.newest(attemptPrefixes(place, jobAttempt));
  if (newest === undefined) {
    const trouble = store.unreadable ?? store.trouble?.();
    return { status: 'none', ...defined({ trouble }) };
  }
  const found = await openNewest(request, newest);
  const isOwn = parseKey(newest)?.jobAttempt === jobAttempt;
  return { ...found, ...(isOwn ? { seen: newest } : {}) };
}

/** A sentence for the warning about one that was passed over. */
export function refusedText({ key, reason, detail }: Refused): string {
  const why = refusalText(reason);
  return `The checkpoint ${key} is not used: ${why}${detail === undefined ? '' : ` (${detail})`}.`;
}

async function openNewest(
  request: RestoreRequest,
  newest: string,
): Promise<Exclude<Restored, { status: 'none' }>> {
  const refused: Refused[] = [];
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

type OpenedAt = Awaited<ReturnType<typeof openCheckpoint>>;

async function openAt(request: RestoreRequest, key: string): Promise<OpenedAt> {
  const { store, secrets, place, limits } = request;
  const sealed = await store.read(key);
  if (sealed !== undefined) {
    const opened = await openCheckpoint(sealed, secrets, { ...place, key }, limits);
    const refusal = opened.status === 'opened' ? request.refusal?.(opened.entries) : undefined;
    return refusal === undefined ? opened : { status: 'refused', ...refusal };
  }
  const detail = store.trouble?.();
  return { status: 'refused', reason: 'unreadable', ...defined({ detail }) };
}

async function olderThan(store: CheckpointStore, text: string): Promise<string | undefined> {
  const key = parseKey(text);
  const prefixes = key ? olderPrefixes(key) : [];
  if (key === undefined || prefixes.length === 0) return undefined;
  const found = await store.newest(prefixes);
  const older = found === undefined ? undefined : parseKey(found);
  // A store that answers with something newer would keep us going round.
  return older && compareKeys(older, key) < 0 ? found : undefined;
}
