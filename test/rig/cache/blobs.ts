/** Bodies of entries at signed URLs: the part of Azure Blob Storage that the cache client uses. */

import { json, type Reply } from './reply.js';

export interface Blob {
  readonly signature: string;
  readonly blocks: Map<string, Buffer>;
  state: 'reserved' | 'stored';
  body: Buffer | undefined;
}

/** One PUT; for files above 128 MiB `comp=block` for every piece and `comp=blocklist` at the end. */
export function upload(entry: Blob, query: URLSearchParams, body: Buffer): Reply {
  if (entry.state === 'stored') return json(403, { message: 'the entry is finished' });
  const step = query.get('comp');
  if (step === 'block') entry.blocks.set(query.get('blockid') ?? '', body);
  else entry.body = step === 'blocklist' ? joinBlocks(entry, body.toString()) : body;
  return { status: 201, headers: blobHeaders(entry) };
}

function joinBlocks(entry: Blob, list: string): Buffer {
  const ids = [...list.matchAll(/<(?:Latest|Uncommitted|Committed)>([^<]*)</g)].map(
    (match) => match[1] ?? '',
  );
  return Buffer.concat(ids.map((id) => entry.blocks.get(id) ?? Buffer.alloc(0)));
}

/** The whole body, or the piece in a `Range` or `x-ms-range` header. */
export function download(entry: Blob, method: string, range: string | undefined): Reply {
  const body = entry.body ?? Buffer.alloc(0);
  const headers = { ...blobHeaders(entry), 'accept-ranges': 'bytes', 'x-ms-blob-type': 'BlockBlob' };
  if (method === 'HEAD')
    return { status: 200, headers: { ...headers, 'content-length': String(body.length) } };
  const [, from, to] = range?.match(/^bytes=(\d+)-(\d*)$/) ?? [];
  if (from === undefined) return { status: 200, headers, body };
  const start = Number(from);
  if (start >= body.length) return { status: 416, headers: { 'content-range': `bytes */${body.length}` } };
  const end = to ? Math.min(Number(to), body.length - 1) : body.length - 1;
  const contentRange = { 'content-range': `bytes ${start}-${end}/${body.length}` };
  return { status: 206, headers: { ...headers, ...contentRange }, body: body.subarray(start, end + 1) };
}

function blobHeaders(entry: Blob): Record<string, string> {
  return {
    etag: `"${entry.signature}"`,
    'last-modified': new Date(0).toUTCString(),
    'x-ms-request-id': entry.signature,
    'x-ms-version': '2025-01-05',
  };
}
