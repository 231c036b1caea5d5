/**
 * The entries of the cache service and its rules of matching, without HTTP.
 * Rules: GitHub docs, "Dependency caching reference", and threads of actions/cache as of 2026-11.
 *
 * C1 A key is unique per repository, version and scope, also while its upload is unfinished; nothing is overwritten.
 * C2 Scopes are looked through in the token's order; in each one: the exact key, then the key as a prefix,
 *    then every restore key as a prefix; the newest created wins. An unfinished upload is never found.
 */
import { randomUUID } from 'node:crypto';
import type { CacheGrant } from './token.js';

export interface Entry {
  readonly id: number;
  readonly repository: string;
  readonly scope: string;
  readonly key: string;
  readonly version: string;
  /** Part of the signed addresses. */
  readonly signature: string;
  readonly blocks: Map<string, Buffer>;
  state: 'reserved' | 'stored';
  body: Buffer | undefined;
}

export interface Place {
  readonly repository: string;
  readonly scope: string;
  readonly key: string;
  readonly version: string;
}

export interface Shelf {
  /** `undefined`: the place is taken (C1). */
  reserve(place: Place): Entry | undefined;
  reserved(place: Place): Entry | undefined;
  find(grant: CacheGrant, keys: readonly string[], version: string): Entry | undefined;
  byId(id: number): Entry | undefined;
  /** Oldest first. */
  all(): readonly Entry[];
  /** Returns how many went. */
  remove(key: string): number;
}

export function createShelf(): Shelf {
  let entries: readonly Entry[] = [];
  let lastId = 0;
  const at = (place: Place) => entries.find((entry) => isAt(entry, place));
  return {
    reserve(place) {
      if (at(place)) return undefined;
      lastId += 1;
      const entry = { ...place, id: lastId, signature: randomUUID(), ...unfinished() };
      entries = [...entries, entry];
      return entry;
    },
    reserved: at,
    find: (grant, keys, version) => findEntry(entries, grant, keys, version),
    byId: (id) => entries.find((entry) => entry.id === id),
    all: () => entries,
    remove(key) {
      const before = entries.length;
      entries = entries.filter((entry) => entry.key !== key);
      return before - entries.length;
    },
  };
}

function unfinished(): Pick<Entry, 'blocks' | 'state' | 'body'> {
  return { blocks: new Map(), state: 'reserved', body: undefined };
}

function isAt(entry: Entry, place: Place): boolean {
  return (
    entry.repository === place.repository &&
    entry.scope === place.scope &&
    entry.key === place.key &&
    entry.version === place.version
  );
}

function findEntry(
  entries: readonly Entry[],
  grant: CacheGrant,
  keys: readonly string[],
  version: string,
): Entry | undefined {
  for (const scope of grant.read) {
    const visible = entries.filter(
      (entry) =>
        entry.state === 'stored' &&
        entry.repository === grant.repository &&
        entry.scope === scope &&
        entry.version === version,
    );
    const found = findKey(visible, keys);
    if (found) return found;
  }
  return undefined;
}

function findKey(visible: readonly Entry[], keys: readonly string[]): Entry | undefined {
  const exact = visible.find((entry) => entry.key === keys[0]);
  if (exact) return exact;
  for (const key of keys) {
    const newest = visible.findLast((entry) => entry.key.startsWith(key));
    if (newest) return newest;
  }
  return undefined;
}
