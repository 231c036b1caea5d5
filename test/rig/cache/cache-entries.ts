/**
 * The entries of the cache service and its matching rules, without HTTP.
 * Rules: GitHub docs, "Dependency caching reference", and threads of actions/cache as of 2026-11.
 *
 * RIGCACHE1 A key is unique per repository, version and scope, also while its upload is unfinished. Nothing is
 *           overwritten.
 * RIGCACHE2 Scopes are searched in the order of the token. In each one: the exact key, then the key as a prefix,
 *           then every restore key as a prefix. The newest entry takes precedence. An unfinished upload is never
 *           found.
 */
import { randomUUID } from 'node:crypto';
import type { CacheGrant } from './token.js';

export interface CacheEntry {
  readonly id: number;
  readonly repository: string;
  readonly scope: string;
  readonly key: string;
  readonly version: string;
  /** Part of the signed URLs. */
  readonly signature: string;
  readonly blocks: Map<string, Buffer>;
  state: 'reserved' | 'stored';
  body: Buffer | undefined;
}

export interface EntryIdentity {
  readonly repository: string;
  readonly scope: string;
  readonly key: string;
  readonly version: string;
}

export interface CacheEntries {
  /** `undefined` if the key is in use (RIGCACHE1). */
  reserve(place: EntryIdentity): CacheEntry | undefined;
  findExact(place: EntryIdentity): CacheEntry | undefined;
  findMatch(grant: CacheGrant, keys: readonly string[], version: string): CacheEntry | undefined;
  findById(id: number): CacheEntry | undefined;
  /** Oldest first. */
  list(): readonly CacheEntry[];
  /** Returns the number of removed entries. */
  remove(key: string): number;
}

export function createCacheEntries(): CacheEntries {
  let entries: readonly CacheEntry[] = [];
  let lastId = 0;
  const findExact = (identity: EntryIdentity) => entries.find((entry) => hasIdentity(entry, identity));
  return {
    reserve(identity) {
      if (findExact(identity)) return undefined;
      lastId += 1;
      const entry = { ...identity, id: lastId, signature: randomUUID(), ...emptyUpload() };
      entries = [...entries, entry];
      return entry;
    },
    findExact: findExact,
    findMatch: (grant, keys, version) => findEntry(entries, grant, keys, version),
    findById: (id) => entries.find((entry) => entry.id === id),
    list: () => entries,
    remove(key) {
      const before = entries.length;
      entries = entries.filter((entry) => entry.key !== key);
      return before - entries.length;
    },
  };
}

function emptyUpload(): Pick<CacheEntry, 'blocks' | 'state' | 'body'> {
  return { blocks: new Map(), state: 'reserved', body: undefined };
}

function hasIdentity(entry: CacheEntry, identity: EntryIdentity): boolean {
  return (
    entry.repository === identity.repository &&
    entry.scope === identity.scope &&
    entry.key === identity.key &&
    entry.version === identity.version
  );
}

function findEntry(
  entries: readonly CacheEntry[],
  grant: CacheGrant,
  keys: readonly string[],
  version: string,
): CacheEntry | undefined {
  for (const scope of grant.read) {
    const visible = entries.filter(
      (entry) =>
        entry.state === 'stored' &&
        entry.repository === grant.repository &&
        entry.scope === scope &&
        entry.version === version,
    );
    const found = findByKey(visible, keys);
    if (found) return found;
  }
  return undefined;
}

function findByKey(visible: readonly CacheEntry[], keys: readonly string[]): CacheEntry | undefined {
  const exact = visible.find((entry) => entry.key === keys[0]);
  if (exact) return exact;
  for (const key of keys) {
    const newest = visible.findLast((entry) => entry.key.startsWith(key));
    if (newest) return newest;
  }
  return undefined;
}
