/**
 * A model service on 127.0.0.1 for the real CLIs: Anthropic Messages, OpenAI Responses, OpenAI Chat Completions and
 * Gemini streamGenerateContent. It records every request and answers by rules, or by markers in the prompt. The
 * answer to a plain prompt is every TOKEN-… in the request, which proves what the CLI really sent of earlier turns.
 *
 * Markers, each one answer of the model, in their order in the newest prompt:
 *   [[write:PATH|CONTENT]]  [[read:PATH]]  [[bash:COMMAND]]  [[say:TEXT]]  [[fail:STATUS]]  [[fail:429:SECONDS]]
 *   [[fail:context]]  [[fail:quota]]  [[fail:model]]  [[fail:conversation]]  [[hang]]  [[cut]] (the connection breaks)
 *   [[loop:COMMAND]] (the same tool call without end)  [[delay:MS]] (before the next answer)
 */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { answerFromMarkers, type ModelAnswer } from '../providers/model/answer.js';
import { formatOf, type Json, type ModelRequest, readRequest } from '../providers/model/request.js';
import { sendAnswer, usagePerAnswer } from '../providers/model/wire.js';

export type { ModelAnswer } from '../providers/model/answer.js';
export { type ModelRequest, userTexts, type WireFormat } from '../providers/model/request.js';

/** The answer to a request; if `undefined`, the next rule decides, and finally the markers. */
export type ModelRule = (request: ModelRequest) => ModelAnswer | undefined;

export interface ModelServer {
  /** `http://127.0.0.1:PORT`, without a path. */
  readonly url: string;
  /** Every model request so far, oldest first. */
  readonly requests: readonly ModelRequest[];
  /** Resolves with a matching request: an earlier one or the next one. */
  waitForRequest(matches: (request: ModelRequest) => boolean): Promise<ModelRequest>;
  close(): Promise<void>;
}

async function readBody(http: IncomingMessage): Promise<Json> {
  const chunks: Buffer[] = [];
  for await (const chunk of http) chunks.push(chunk as Buffer);
  const text = Buffer.concat(chunks).toString('utf8');
  return text.startsWith('{') ? JSON.parse(text) : {};
}

type Handler = (http: IncomingMessage, response: ServerResponse) => Promise<void>;

/** Records a request, then answers it by the first rule that applies, otherwise by the markers. */
function createHandler(
  rules: readonly ModelRule[],
  recordRequest: (request: ModelRequest) => number,
): Handler {
  return async (http, response) => {
    const body = await readBody(http);
    const path = http.url ?? '';
    const format = formatOf(path);
    if (format === undefined) return void response.writeHead(404).end('{}');
    if (path.includes('count_tokens')) return void response.end(`{"input_tokens":${usagePerAnswer.input}}`);
    const request = readRequest(format, http, body);
    const number = recordRequest(request);
    const ruleAnswer = rules.reduce<ModelAnswer | undefined>(
      (found, rule) => found ?? rule(request),
      undefined,
    );
    const answer = ruleAnswer ?? answerFromMarkers(request);
    setTimeout(sendAnswer, answer.delayMs ?? 0, request, answer, `${number}`, response).unref();
  };
}

type RequestMatcher = (request: ModelRequest) => boolean;

/** Starts the server on a free port. `rules` apply in order, before the markers. */
export async function startModelServer(
  options: { readonly rules?: readonly ModelRule[] } = {},
): Promise<ModelServer> {
  const requests: ModelRequest[] = [];
  const waiters = new Map<RequestMatcher, (request: ModelRequest) => void>();
  const recordRequest = (request: ModelRequest): number => {
    for (const [matches, resolve] of waiters) {
      if (matches(request) && waiters.delete(matches)) resolve(request);
    }
    return requests.push(request);
  };
  const server = createServer(createHandler(options.rules ?? [], recordRequest));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    requests,
    waitForRequest: (matches) => {
      const found = requests.find(matches);
      return found ? Promise.resolve(found) : new Promise((resolve) => waiters.set(matches, resolve));
    },
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
