/**
 * A fake of the GitHub Actions cache service v2 on 127.0.0.1, with faults on demand. It keeps entries in memory
 * and serves what `@actions/cache` 6.3.0 asks. Eviction, quotas and the REST interface are left out.
 */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { download, upload } from './cache/blobs.js';
import { createFaults, type Fault, type Operation } from './cache/faults.js';
import { json, type Reply } from './cache/reply.js';
import { createShelf, type Entry, type Place, type Shelf } from './cache/shelf.js';
import { type CacheGrant, makeToken, readToken } from './cache/token.js';
import { createEntry, finalizeEntry, findDownload, type TwirpCall } from './cache/twirp.js';

export type { Fault, Operation } from './cache/faults.js';
export type { CacheGrant } from './cache/token.js';

export interface CacheService {
  /** `http://127.0.0.1:PORT/`, for ACTIONS_RESULTS_URL. */
  readonly url: string;
  /** A bearer token for ACTIONS_RUNTIME_TOKEN that grants exactly this. */
  token(grant: CacheGrant): string;
  /** Oldest first; unfinished uploads too. */
  entries(): readonly StoredEntry[];
  /** Puts an entry there without a client, as a job of another run or an attacker would. */
  add(place: Place, body: Buffer): void;
  /** Changes the stored body of every entry with this key; throws when there is none. */
  corrupt(key: string, mutate: (body: Buffer) => Buffer): void;
  /** Removes every entry with this key; throws when there is none. */
  delete(key: string): void;
  fail(operation: Operation, fault: Fault): void;
  /** Takes back the faults of one operation, or all. */
  clear(operation?: Operation): void;
  /** What was asked so far, in order of arrival. */
  requests(): readonly CacheRequest[];
  close(): Promise<void>;
}

export interface StoredEntry extends Place {
  readonly id: number;
  readonly state: 'reserved' | 'stored';
  readonly body: Buffer;
}

export interface CacheRequest {
  readonly operation: Operation;
  readonly key: string;
  readonly restoreKeys?: readonly string[];
  readonly version: string;
  /** The HTTP status of the answer; `reset` when the connection was broken; absent while it is open. */
  status?: number | 'reset';
}

interface Served {
  readonly operation: Operation;
  readonly note: Omit<CacheRequest, 'operation' | 'status'>;
  answer(): Reply;
}

const service = '/twirp/github.actions.results.api.v1.CacheService/';

const methods = {
  CreateCacheEntry: { operation: 'create', answer: createEntry },
  FinalizeCacheEntryUpload: { operation: 'finalize', answer: finalizeEntry },
  GetCacheEntryDownloadURL: { operation: 'lookup', answer: findDownload },
} as const;

/** Starts it on a free port. The caller closes it. */
export async function startCacheService(): Promise<CacheService> {
  const shelf = createShelf();
  const faults = createFaults();
  const requests: CacheRequest[] = [];
  const ended = new AbortController();
  const server = createServer((request, response) => {
    const origin = `http://${request.headers.host}`;
    serve({ shelf, faults, requests, origin, signal: ended.signal }, request, response).catch(() =>
      response.destroy(),
    );
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const close = async () => {
    ended.abort();
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  };
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`,
    token: makeToken,
    ...storage(shelf),
    fail: faults.add,
    clear: faults.clear,
    requests: () => requests,
    close,
  };
}

function storage(shelf: Shelf): Pick<CacheService, 'entries' | 'add' | 'corrupt' | 'delete'> {
  return {
    entries: () => shelf.all().map(describe),
    add(place, body) {
      const entry = shelf.reserve(place);
      if (!entry) throw new Error(`an entry with the key ${place.key} is there already`);
      Object.assign(entry, { body, state: 'stored' });
    },
    corrupt(key, mutate) {
      const hit = shelf.all().filter((entry) => entry.key === key && entry.body !== undefined);
      if (hit.length === 0) throw new Error(`no stored entry has the key ${key}`);
      for (const entry of hit) entry.body = mutate(Buffer.from(entry.body ?? ''));
    },
    delete(key) {
      if (shelf.remove(key) === 0) throw new Error(`no entry has the key ${key}`);
    },
  };
}

function describe({ id, repository, scope, key, version, state, body }: Entry): StoredEntry {
  return { id, repository, scope, key, version, state, body: body ?? Buffer.alloc(0) };
}

interface Context {
  readonly shelf: Shelf;
  readonly faults: ReturnType<typeof createFaults>;
  readonly requests: CacheRequest[];
  readonly origin: string;
  readonly signal: AbortSignal;
}

async function serve(context: Context, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  const served = route(context, request, Buffer.concat(chunks));
  if ('status' in served) return send(response, served);
  const noted: CacheRequest = { operation: served.operation, ...served.note };
  context.requests.push(noted);
  const fault = context.faults.take(served.operation);
  if (fault?.delayMs) await sleep(fault.delayMs, undefined, { signal: context.signal });
  const spoiled = fault?.reset || fault?.status !== undefined;
  const reply = spoiled && fault.moment !== 'after' ? undefined : served.answer();
  noted.status = fault?.reset ? 'reset' : (fault?.status ?? reply?.status ?? 500);
  if (fault?.reset) request.socket.resetAndDestroy();
  else if (fault?.status !== undefined) send(response, faultReply(fault.status, fault.message));
  else if (reply) send(response, reply);
}

function faultReply(status: number, message = 'a fault of the test'): Reply {
  return json(status, { code: 'internal', msg: message });
}

function send(response: ServerResponse, reply: Reply): void {
  response.writeHead(reply.status, { ...reply.headers });
  response.end(reply.body);
}

function route(context: Context, request: IncomingMessage, body: Buffer): Served | Reply {
  const url = new URL(request.url ?? '/', context.origin);
  if (url.pathname.startsWith(service)) return routeCall(context, request, url, body);
  return routeBlob(context, request, url, body);
}

function routeCall(context: Context, request: IncomingMessage, url: URL, body: Buffer): Served | Reply {
  const method = methods[url.pathname.slice(service.length) as keyof typeof methods];
  if (method === undefined) return json(404, { code: 'bad_route', msg: `no such call: ${url.pathname}` });
  const grant = readToken(request.headers.authorization);
  if (!grant) return json(401, { code: 'unauthenticated', msg: 'the token is not one of this service' });
  const call = JSON.parse(body.toString()) as TwirpCall;
  const address = (entry: Entry) => `${context.origin}/account/caches/${entry.id}?sig=${entry.signature}`;
  const restoreKeys = call.restore_keys;
  return {
    operation: method.operation,
    note: { key: call.key, version: call.version, ...(restoreKeys?.length ? { restoreKeys } : {}) },
    answer: () => method.answer({ shelf: context.shelf, grant, address }, call),
  };
}

function routeBlob(context: Context, request: IncomingMessage, url: URL, body: Buffer): Served | Reply {
  const entry = context.shelf.byId(Number(url.pathname.match(/^\/account\/caches\/(\d+)$/)?.[1]));
  if (!entry) return json(404, { message: `nothing at ${url.pathname}` });
  if (url.searchParams.get('sig') !== entry.signature) return json(403, { message: 'wrong signature' });
  const note = { key: entry.key, version: entry.version };
  const { method = 'GET', headers } = request;
  if (method === 'PUT') {
    return { operation: 'upload', note, answer: () => upload(entry, url.searchParams, body) };
  }
  const range = (headers['x-ms-range'] ?? headers.range) as string | undefined;
  return { operation: 'download', note, answer: () => download(entry, method, range) };
}
