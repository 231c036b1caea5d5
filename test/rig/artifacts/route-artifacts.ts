/** Routes the requests of the artifact service: its calls, and the bodies at signed URLs. */
import { download, upload } from '../cache/blobs.js';
import { json, type Reply } from '../cache/reply.js';
import { artifactJobOf, readToken } from '../cache/token.js';
import {
  type ArtifactCall,
  type ArtifactOperation,
  artifactMethods,
  artifactServicePath,
} from './artifact-calls.js';
import type { ArtifactShelf } from './artifact-shelf.js';

export interface ServiceRequest {
  readonly method: string;
  readonly url: URL;
  readonly authorization: string | undefined;
  readonly range: string | undefined;
  readonly body: Buffer;
}

export interface RoutedArtifact {
  readonly operation: ArtifactOperation;
  /** The name of the artifact; empty for a list. */
  readonly name: string;
  answer(): Reply;
}

/** `undefined` if the request is for another service. */
export function routeArtifacts(
  shelf: ArtifactShelf,
  request: ServiceRequest,
): RoutedArtifact | Reply | undefined {
  const { pathname } = request.url;
  if (pathname.startsWith(artifactServicePath)) return routeArtifactCall(shelf, request);
  const id = /^\/account\/artifacts\/(\d+)$/.exec(pathname)?.[1];
  return id === undefined ? undefined : routeArtifactBody(shelf, request, Number(id));
}

function routeArtifactCall(shelf: ArtifactShelf, request: ServiceRequest): RoutedArtifact | Reply {
  const { url, authorization, body } = request;
  const method = artifactMethods[url.pathname.slice(artifactServicePath.length)];
  if (method === undefined) return json(404, { code: 'bad_route', msg: `no such call: ${url.pathname}` });
  const grant = readToken(authorization);
  if (!grant) return json(401, { code: 'unauthenticated', msg: 'the token is not one of this service' });
  const call = JSON.parse(body.toString()) as ArtifactCall;
  const addressOf = (id: number, signature: string) =>
    `${url.origin}/account/artifacts/${id}?sig=${signature}`;
  const context = { shelf, job: artifactJobOf(grant), addressOf };
  return {
    operation: method.operation,
    name: call.name ?? call.name_filter ?? '',
    answer: () => method.handle(context, call),
  };
}

function routeArtifactBody(
  shelf: ArtifactShelf,
  request: ServiceRequest,
  id: number,
): RoutedArtifact | Reply {
  const { method, url, range, body } = request;
  const uploaded = shelf.uploads.get(id);
  if (method === 'PUT' && uploaded !== undefined) {
    if (url.searchParams.get('sig') !== uploaded.signature) return json(403, { message: 'wrong signature' });
    const answer = () => upload(uploaded, url.searchParams, body);
    return { operation: 'artifact upload', name: uploaded.name, answer };
  }
  const found = shelf.artifacts.find((artifact) => artifact.id === id);
  if (found === undefined) return json(404, { message: `nothing at ${url.pathname}` });
  const blob = { signature: 'download', blocks: new Map(), state: 'stored' as const, body: found.body };
  const type = { 'content-type': 'application/zip' };
  const answer = () => {
    const reply = download(blob, method, range);
    return { ...reply, headers: { ...reply.headers, ...type } };
  };
  return { operation: 'artifact download', name: found.name, answer };
}
