/**
 * Stores sealed entries that later runs of the repository find by their name, such as the sessions of a pull request. A
 * checkpoint is for re-runs of one run; this is for other runs. Entries are immutable.
 *
 * An entry may be anybody's: a run for a fork's pull request can store one under any name. Only what opens with the
 * secrets of the job, and is bound to the run that the store reports for it, may be used.
 */

export interface EntryStore {
  /** The name of the store in messages, for example `artifacts`. */
  readonly title: string;
  /** Why nothing can be stored or read, in one or two sentences. Absent if it can. Known without a request. */
  readonly unwritableReason?: string;
  readonly unreadableReason?: string;
  /**
   * Stores an entry under a name from `entryName`. A run may store several entries under one name. Does not reject.
   */
  put(name: string, sealed: Buffer): Promise<PutResult>;
  /** The entries of all runs with exactly this name, newest first, expired ones too. Does not reject. */
  list(name: string): Promise<ListResult>;
  /** The sealed bytes of an entry from `list`. Does not reject. */
  read(entry: NamedEntry): Promise<EntryContent>;
}

export interface NamedEntry {
  /** What the store calls it. Means nothing to anybody else. */
  readonly id: string;
  readonly name: string;
  /** Of the run that stored it, as the service reports it. */
  readonly runId: string;
  /** Milliseconds since 1970. */
  readonly createdAt: number;
  /** It can no longer be read. */
  readonly isExpired: boolean;
  /** A run of a fork's pull request stored it. */
  readonly isFromFork: boolean;
}

/** `denied`: a permission is missing, and `reason` names it and says what to set. Asking again does not help. */
export interface DeniedAccess {
  readonly status: 'denied';
  readonly reason: string;
}

/** The service did not answer or failed. `reason`: as it reported it. */
export interface FailedAccess {
  readonly status: 'failed';
  readonly reason: string;
}

export type PutResult = { readonly status: 'stored' } | DeniedAccess | FailedAccess;

export type ListResult =
  | { readonly status: 'listed'; readonly entries: readonly NamedEntry[] }
  | DeniedAccess
  | FailedAccess;

export type EntryContent =
  | { readonly status: 'read'; readonly sealed: Buffer }
  /** `missing`: deleted, or its content is not that of an entry. */
  | { readonly status: 'expired' | 'missing' }
  | DeniedAccess
  | FailedAccess;

/** Names are at most this long: it fits into a file name and a key of the cache. */
const maxNameLength = 150;

/**
 * A name for entries from any text, such as `gump-sessions-pr-7-…`. Different texts have different names. Characters
 * that a file, an artifact or a cache key cannot have are escaped. Throws a `RangeError` if it gets too long.
 */
export function entryName(text: string): string {
  const name = encodeURIComponent(text).replace(
    /[^A-Za-z0-9._%-]/g,
    (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`,
  );
  if (name !== '' && name.length <= maxNameLength && !name.startsWith('.')) return name;
  throw new RangeError(`${JSON.stringify(text)} cannot be the name of an entry`);
}
