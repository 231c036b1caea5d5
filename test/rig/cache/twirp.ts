/** The three calls of the cache service v2, as `@actions/cache` 6.3.0 makes them. `blobs.ts` handles the bodies. */

import type { CacheEntries, CacheEntry } from './cache-entries.js';
import { json, type Reply } from './reply.js';
import type { CacheGrant } from './token.js';

export interface TwirpCall {
  readonly key: string;
  readonly version: string;
  readonly restore_keys?: readonly string[];
  readonly size_bytes?: string;
}

export interface TwirpContext {
  readonly entries: CacheEntries;
  readonly grant: CacheGrant;
  /** The signed URL of an entry's body. */
  addressOf(entry: CacheEntry): string;
}

/** Real texts from logs of read-only runs and duplicate keys in GitHub issues, 2026. */
export const writeDenied = 'cache write denied: token has no writable scopes';
export const readDenied = 'cache read denied: token has no readable scopes';
export const duplicate = 'cache entry with the same key, version, and scope already exists';

export function createEntry({ entries, grant, addressOf }: TwirpContext, call: TwirpCall): Reply {
  if (grant.write === undefined) return json(200, { ok: false, message: writeDenied });
  const entry = entries.reserve(identityOf(grant, grant.write, call));
  if (!entry) return json(409, { code: 'already_exists', msg: duplicate });
  return json(200, { ok: true, signed_upload_url: addressOf(entry) });
}

export function finalizeEntry({ entries, grant }: TwirpContext, call: TwirpCall): Reply {
  if (grant.write === undefined) return json(200, { ok: false, message: writeDenied });
  const entry = entries.findExact(identityOf(grant, grant.write, call));
  if (entry?.body === undefined) return json(404, { code: 'not_found', msg: 'no upload to finalize' });
  if (entry.body.length !== Number(call.size_bytes)) {
    return json(200, { ok: false, message: `size is ${entry.body.length}, not ${call.size_bytes}` });
  }
  entry.state = 'stored';
  return json(200, { ok: true, entry_id: String(entry.id) });
}

export function findDownloadUrl({ entries, grant, addressOf }: TwirpContext, call: TwirpCall): Reply {
  if (grant.read.length === 0) return json(403, { code: 'permission_denied', msg: readDenied });
  const entry = entries.findMatch(grant, [call.key, ...(call.restore_keys ?? [])], call.version);
  if (!entry) return json(200, { ok: false });
  return json(200, { ok: true, signed_download_url: addressOf(entry), matched_key: entry.key });
}

function identityOf(grant: CacheGrant, scope: string, call: TwirpCall) {
  return { repository: grant.repository, scope, key: call.key, version: call.version };
}
