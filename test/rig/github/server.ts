/**
 * GitHub's REST and GraphQL API on 127.0.0.1, for the requests that the action sends: pages with `Link`, ETags, faults on
 * demand, and the state as data. It does not check what a token may do, except for `missingPermissions`.
 */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { cleanUpAfterTest } from '../../fakes/clean-ups.js';
import type { ArtifactShelf } from '../artifacts/artifact-shelf.js';
import type { Repository } from '../repository.js';
import { answerOfFault, createGitHubFaults, type GitHubFault } from './faults.js';
import { paged, tagged } from './pages.js';
import { type Answer, problem } from './reply.js';
import { findRoute, type Route, type RouteCall } from './router.js';
import { githubRoutes } from './routes.js';
import { createGitHubState, type GitHubState } from './state.js';

export interface GitHubRequest {
  readonly method: string;
  /** Without the query. */
  readonly path: string;
  readonly query: string;
  /** Parsed JSON, or `undefined`. */
  readonly body: unknown;
  /** The status of the answer; `reset` if the connection was broken; absent while the request is open. */
  status?: number | 'reset';
}

export interface GitHubServer {
  /** For GITHUB_API_URL: no slash at the end. */
  readonly url: string;
  readonly state: GitHubState;
  /** In order of arrival. */
  requests(): readonly GitHubRequest[];
  inject(fault: GitHubFault): void;
  clearFaults(): void;
  /** Before the end of the test, if it starts many. */
  close(): void;
}

export interface GitHubServerOptions {
  readonly git: Repository;
  /** Default: `octo/sample`, the repository of the rig's jobs. */
  readonly repository?: string;
  /** The artifacts of the jobs (`harness.cache.shelf`). Default: none. */
  readonly shelf?: ArtifactShelf;
}

/** Starts the server on a free port. It is closed after the test. */
export async function startGitHub(options: GitHubServerOptions): Promise<GitHubServer> {
  const state = createGitHubState(options.repository ?? 'octo/sample', options.git, options.shelf);
  const faults = createGitHubFaults();
  const requests: GitHubRequest[] = [];
  const context = { state, faults, requests, routes: githubRoutes(state) };
  const server = createServer((request, response) => {
    serve(context, request, response).catch(() => response.destroy());
  });
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  const close = () => {
    server.closeAllConnections();
    server.close();
  };
  cleanUpAfterTest(close);
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    state,
    requests: () => requests,
    inject: faults.add,
    clearFaults: faults.clear,
    close,
  };
}

interface ServerContext {
  readonly state: GitHubState;
  readonly faults: ReturnType<typeof createGitHubFaults>;
  readonly requests: GitHubRequest[];
  readonly routes: readonly Route[];
}

async function serve(
  context: ServerContext,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  const bytes = Buffer.concat(chunks);
  const origin = `http://${request.headers.host}`;
  const url = new URL(request.url ?? '/', origin);
  const method = request.method ?? 'GET';
  const logged: GitHubRequest = { method, path: url.pathname, query: url.search, body: parsed(bytes) };
  context.requests.push(logged);
  const fault = context.faults.take(method, url.pathname);
  const isServed = fault === undefined || fault.moment === 'after';
  const answer = isServed
    ? await answerTo(context, logged, bytes, url, request.headers)
    : answerOfFault(fault);
  if (fault?.reset) {
    logged.status = 'reset';
    request.socket.resetAndDestroy();
    return;
  }
  const sent = withLimit(context.state, fault === undefined ? answer : answerOfFault(fault));
  logged.status = sent.status;
  send(response, sent);
}

function withLimit(state: GitHubState, answer: Answer): Answer {
  if (state.requestsLeft === undefined) return answer;
  state.requestsLeft = Math.max(0, state.requestsLeft - 1);
  return { ...answer, headers: { 'x-ratelimit-remaining': String(state.requestsLeft), ...answer.headers } };
}

async function answerTo(
  { routes }: ServerContext,
  { method, path, body }: GitHubRequest,
  bytes: Buffer,
  url: URL,
  headers: RouteCall['headers'],
): Promise<Answer> {
  const found = findRoute(routes, method, path);
  if (found === undefined) return problem(404, `the test server has no route ${method} ${path}`);
  const { route, params } = found;
  const call: RouteCall = {
    params,
    query: url.searchParams,
    body: body as RouteCall['body'],
    bytes,
    headers,
    origin: url.origin,
  };
  const answer = paged(await route.handle(call), route, call, path);
  return method === 'GET' ? tagged(answer, call, textOf(answer.body).toString()) : answer;
}

function parsed(bytes: Buffer): unknown {
  try {
    return JSON.parse(bytes.toString());
  } catch {
    return undefined;
  }
}

function textOf(body: unknown): string | Buffer {
  if (body === undefined) return '';
  return typeof body === 'string' || Buffer.isBuffer(body) ? body : JSON.stringify(body);
}

function send(response: ServerResponse, { status, headers = {}, body }: Answer): void {
  const isPlain = body === undefined || typeof body === 'string' || Buffer.isBuffer(body);
  const type = isPlain ? {} : { 'content-type': 'application/json; charset=utf-8' };
  response.writeHead(status, { ...type, ...headers }).end(textOf(body));
}
