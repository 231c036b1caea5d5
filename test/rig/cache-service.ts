/**
 * A fake of the GitHub Actions cache service v2 and of the artifact service on 127.0.0.1, with faults on demand. They have
 * one address on GitHub, too. It stores entries in memory and serves the requests of `@actions/cache` 6.3.0 and
 * `@actions/artifact` 6.2.1. It has no eviction, no quotas and no REST interface (`github/server.ts` has one).
 */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import type { ArtifactOperation } from './artifacts/artifact-calls.js';
import { type ArtifactShelf, createArtifactShelf } from './artifacts/artifact-shelf.js';
import { type RoutedArtifact, routeArtifacts } from './artifacts/route-artifacts.js';
import { download, upload } from './cache/blobs.js';
import {
  type CacheEntries,
  type CacheEntry,
  createCacheEntries,
  type EntryIdentity,
} from './cache/cache-entries.js';
import { type CacheOperation, createFaults, type Fault, type ServiceOperation } from './cache/faults.js';
import { json, type Reply } from './cache/reply.js';
import { type CacheGrant, makeToken, readToken } from './cache/token.js';
import { createEntry, finalizeEntry, findDownloadUrl, type TwirpCall } from './cache/twirp.js';

export type { CacheOperation, Fault, ServiceOperation } from './cache/faults.js';
export type { CacheGrant } from './cache/token.js';

export interface CacheService {
  /** `http://127.0.0.1:PORT/`, for ACTIONS_RESULTS_URL. */
  readonly url: string;
  /** A bearer token for ACTIONS_RUNTIME_TOKEN that grants exactly this. */
  token(grant: CacheGrant): string;
  /** Oldest first; unfinished uploads too. */
  entries(): readonly StoredEntry[];
  /** Adds an entry without a client, as a job of another run or an attacker would. */
  add(place: EntryIdentity, body: Buffer): void;
  /** Changes the stored body of every entry with this key; throws if there is none. */
  corrupt(key: string, mutate: (body: Buffer) => Buffer): void;
  /** Removes every entry with this key; throws if there is none. */
  delete(key: string): void;
  injectFault(operation: ServiceOperation, fault: Fault): void;
  /** Removes the faults of one operation, or all. */
  clearFaults(operation?: ServiceOperation): void;
  /** The requests to the cache so far, in order of arrival. */
  requests(): readonly CacheRequest[];
  /** The artifacts of the repository. Pass it to `startGitHub` to have them in the REST API, too. */
  readonly shelf: ArtifactShelf;
  /** The requests to the artifact service so far, in order of arrival. */
  artifactRequests(): readonly ArtifactRequest[];
  close(): Promise<void>;
}

export interface StoredEntry extends EntryIdentity {
  readonly id: number;
  readonly state: 'reserved' | 'stored';
  readonly body: Buffer;
}

export interface CacheRequest {
  readonly operation: CacheOperation;
  readonly key: string;
  readonly restoreKeys?: readonly string[];
  readonly version: string;
  /** The HTTP status of the answer; `reset` if the connection was broken; absent while the request is open. */
  status?: number | 'reset';
}

export interface ArtifactRequest {
  readonly operation: ArtifactOperation;
  readonly name: string;
  status?: number | 'reset';
}

interface RoutedRequest {
  readonly operation: CacheOperation;
  readonly details: Omit<CacheRequest, 'operation' | 'status'>;
  answer(): Reply;
}

const servicePath = '/twirp/github.actions.results.api.v1.CacheService/';

const methods = {
  CreateCacheEntry: { operation: 'create', answer: createEntry },
  FinalizeCacheEntryUpload: { operation: 'finalize', answer: finalizeEntry },
  GetCacheEntryDownloadURL: { operation: 'lookup', answer: findDownloadUrl },
} as const;

/** Starts the service on a free port. The caller must close it. */
export async function startCacheService(): Promise<CacheService> {
  const entries = createCacheEntries();
  const faults = createFaults();
  const requests: CacheRequest[] = [];
  const shelf = createArtifactShelf();
  const artifactRequests: ArtifactRequest[] = [];
  const ended = new AbortController();
  const server = createServer((request, response) => {
    const origin = `http://${request.headers.host}`;
    const context = { entries, faults, requests, shelf, artifactRequests, origin, signal: ended.signal };
    serve(context, request, response).catch(() => response.destroy());
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
    ...entryMethods(entries),
    injectFault: faults.add,
    clearFaults: faults.clear,
    requests: () => requests,
    shelf,
    artifactRequests: () => artifactRequests,
    close,
  };
}

function entryMethods(entries: CacheEntries): Pick<CacheService, 'entries' | 'add' | 'corrupt' | 'delete'> {
  return {
    entries: () => entries.list().map(describeEntry),
    add(identity, body) {
      const entry = entries.reserve(identity);
      if (!entry) throw new Error(`an entry with the key ${identity.key} already exists`);
      Object.assign(entry, { body, state: 'stored' });
    },
    corrupt(key, mutate) {
      const matches = entries.list().filter((entry) => entry.key === key && entry.body !== undefined);
      if (matches.length === 0) throw new Error(`no stored entry has the key ${key}`);
      for (const entry of matches) entry.body = mutate(Buffer.from(entry.body ?? ''));
    },
    delete(key) {
      if (entries.remove(key) === 0) throw new Error(`no entry has the key ${key}`);
    },
  };
}

function describeEntry({ id, repository, scope, key, version, state, body }: CacheEntry): StoredEntry {
  return { id, repository, scope, key, version, state, body: body ?? Buffer.alloc(0) };
}

interface ServiceContext {
  readonly entries: CacheEntries;
  readonly faults: ReturnType<typeof createFaults>;
  readonly requests: CacheRequest[];
  readonly shelf: ArtifactShelf;
  readonly artifactRequests: ArtifactRequest[];
  readonly origin: string;
  readonly signal: AbortSignal;
}

async function serve(
  context: ServiceContext,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  const routed = route(context, request, Buffer.concat(chunks));
  if ('status' in routed) return send(response, routed);
  const logged = logRequest(context, routed);
  const fault = context.faults.take(routed.operation);
  if (fault?.delayMs) await sleep(fault.delayMs, undefined, { signal: context.signal });
  const isFaulty = fault?.reset || fault?.status !== undefined;
  const reply = isFaulty && fault.moment !== 'after' ? undefined : routed.answer();
  logged.status = fault?.reset ? 'reset' : (fault?.status ?? reply?.status ?? 500);
  if (fault?.reset) request.socket.resetAndDestroy();
  else if (fault?.status !== undefined) send(response, faultReply(fault.status, fault));
  else if (reply) send(response, reply);
}

function logRequest(
  context: ServiceContext,
  routed: RoutedRequest | RoutedArtifact,
): { status?: number | 'reset' } {
  if ('details' in routed) {
    const request: CacheRequest = { operation: routed.operation, ...routed.details };
    context.requests.push(request);
    return request;
  }
  const request: ArtifactRequest = { operation: routed.operation, name: routed.name };
  context.artifactRequests.push(request);
  return request;
}

function faultReply(status: number, { message = 'an injected fault', retryAfter }: Fault): Reply {
  const reply = json(status, { code: 'internal', msg: message });
  if (retryAfter === undefined) return reply;
  return { ...reply, headers: { ...reply.headers, 'retry-after': String(retryAfter) } };
}

function send(response: ServerResponse, reply: Reply): void {
  response.writeHead(reply.status, { ...reply.headers });
  response.end(reply.body);
}

function route(
  context: ServiceContext,
  request: IncomingMessage,
  body: Buffer,
): RoutedRequest | RoutedArtifact | Reply {
  const url = new URL(request.url ?? '/', context.origin);
  const { method = 'GET', headers } = request;
  const range = (headers['x-ms-range'] ?? headers.range) as string | undefined;
  const { authorization } = headers;
  const routed = routeArtifacts(context.shelf, { method, url, authorization, range, body });
  if (routed !== undefined) return routed;
  if (url.pathname.startsWith(servicePath)) return routeCall(context, request, url, body);
  return routeBlob(context, request, url, body);
}

function routeCall(
  context: ServiceContext,
  request: IncomingMessage,
  url: URL,
  body: Buffer,
): RoutedRequest | Reply {
  const method = methods[url.pathname.slice(servicePath.length) as keyof typeof methods];
  if (method === undefined) return json(404, { code: 'bad_route', msg: `no such call: ${url.pathname}` });
  const grant = readToken(request.headers.authorization);
  if (!grant) return json(401, { code: 'unauthenticated', msg: 'the token is not one of this service' });
  const call = JSON.parse(body.toString()) as TwirpCall;
  const addressOf = (entry: CacheEntry) =>
    `${context.origin}/account/caches/${entry.id}?sig=${entry.signature}`;
  const restoreKeys = call.restore_keys;
  return {
    operation: method.operation,
    details: { key: call.key, version: call.version, ...(restoreKeys?.length ? { restoreKeys } : {}) },
    answer: () => method.answer({ entries: context.entries, grant, addressOf }, call),
  };
}

function routeBlob(
  context: ServiceContext,
  request: IncomingMessage,
  url: URL,
  body: Buffer,
): RoutedRequest | Reply {
  const entry = context.entries.findById(Number(url.pathname.match(/^\/account\/caches\/(\d+)$/)?.[1]));
  if (!entry) return json(404, { message: `nothing at ${url.pathname}` });
  if (url.searchParams.get('sig') !== entry.signature) return json(403, { message: 'wrong signature' });
  const details = { key: entry.key, version: entry.version };
  const { method = 'GET', headers } = request;
  if (method === 'PUT') {
    return { operation: 'upload', details, answer: () => upload(entry, url.searchParams, body) };
  }
  const range = (headers['x-ms-range'] ?? headers.range) as string | undefined;
  return { operation: 'download', details, answer: () => download(entry, method, range) };
}
