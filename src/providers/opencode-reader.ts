/**
 * Reads the output of `opencode run --format json`. Observed with OpenCode 1.18.33.
 *
 * There is no final line: a run succeeds if its last step ends with `stop`. An error is final only if no step
 * follows. For example, OpenCode reports a full context as an error, summarizes it and continues.
 */

import type { Failure, FailureKind } from '../failure.js';
import { defined } from '../optional-keys.js';
import type { ProcessExit } from '../system/process.js';
import { stripAnsi } from '../system/strip-ansi.js';
import {
  abnormalExitFailure,
  classifyFailure,
  exitCodeFailure,
  type FailurePatterns,
  isRefusedStatus,
  missingResultFailure,
  quotaPatterns,
  refusedFailure,
  rejectedKeyPatterns,
} from './exit-failures.js';
import { asNumber, asObject, asText, asTokens, asUsd, type JsonObject, oneLine } from './ndjson.js';
import type { AgentEvent, TurnOutcome, TurnReader, Usage } from './provider.js';
import { type TimeSource, withResetAt, withResetIn, withResetTime } from './reset-time.js';
import { createTurnReader, refusedEvents, toolCallEvent, withLimits } from './turn-reader.js';
import { addUsage, toUsage } from './usage.js';

const title = 'OpenCode';
export const installHint = 'Install it with `npm install -g opencode-ai`.';

const patterns: FailurePatterns = [
  ['session-lost', /session not found|invalid session id/i],
  ['context', /context window|context length|context_length_exceeded|prompt is too long/i],
  ...quotaPatterns,
  ...rejectedKeyPatterns,
  ['auth', /unauthorized/i],
  ['rate-limit', /rate.?limit|usage limit|too many requests/i],
  [
    'overloaded',
    /overloaded|unavailable|high demand|timed? ?out|unable to connect|connection (error|refused|reset)/i,
  ],
];

/**
 * The line with which the log reports a refused request (1.18.33). Then OpenCode waits for as long as the service asks,
 * without output: issue 40747 of its repository. The log has the words of the service, but not its Retry-After.
 * Requests with `small=true` are for the title of a session. `opencode.ts` asks for the log.
 */
const errorLine = /\bmessage="stream error".* small=false\b.* error\.error=("(?:[^"\\]|\\.)*")/;

export function createOpencodeReader(_before: Usage, time: TimeSource): TurnReader {
  const state = new OpencodeStream(time);
  const reader = createTurnReader(
    (object) => state.take(object),
    (exit) => state.outcome({ ...exit, stderrTail: stripAnsi(exit.stderrTail) }),
    () => (state.hasEnded ? 'final' : 'none'),
  );
  return withLimits(reader, time, (line) => readErrorLine(line, time));
}

function readErrorLine(line: string, time: TimeSource): readonly AgentEvent[] {
  const quoted = errorLine.exec(line)?.[1];
  const message = quoted === undefined ? undefined : unquoted(quoted);
  if (message === undefined) return [];
  return refusedEvents(withResetTime(classifyFailure(message, patterns), time), true);
}

/** The log writes texts as JSON does. */
function unquoted(text: string): string | undefined {
  try {
    return asText(JSON.parse(text))?.replace(/^AI_\w+: /, '');
  } catch {
    return undefined;
  }
}

class OpencodeStream {
  readonly #time: TimeSource;
  #session: string | undefined;
  /** Text of the last step. */
  #text: readonly string[] = [];
  #usage: Usage = {};
  #turns = 0;
  /** Why the last step ended; `undefined` while a step runs. */
  #reason: string | undefined;
  #error: JsonObject | undefined;

  constructor(time: TimeSource) {
    this.#time = time;
  }

  /** Another step can follow an error, but not a `stop`. */
  get hasEnded(): boolean {
    return this.#reason === 'stop';
  }

  take(object: JsonObject): readonly AgentEvent[] {
    const known = this.#noteSession(object);
    return known.length === 0 ? this.#read(object) : [...known, ...this.#read(object)];
  }

  /** Every line names the session. */
  #noteSession({ type, sessionID }: JsonObject): readonly AgentEvent[] {
    const id = asText(sessionID);
    if (id === undefined || asText(type) === undefined || id === this.#session) return [];
    this.#session = id;
    return [{ type: 'session', id }];
  }

  #read(object: JsonObject): readonly AgentEvent[] {
    const part = asObject(object.part) ?? {};
    switch (object.type) {
      case 'step_start':
        this.#reason = undefined;
        this.#text = [];
        return [];
      case 'text':
        return this.#textEvents(asText(part.text));
      case 'tool_use':
        return toolEvents(part);
      case 'step_finish':
        return [this.#finished(part)];
      case 'error':
        return this.#failed(asObject(object.error) ?? {});
      default:
        return [];
    }
  }

  #textEvents(text: string | undefined): readonly AgentEvent[] {
    if (text === undefined) return [];
    this.#text = [...this.#text, text];
    return [{ type: 'text', text }];
  }

  #finished(part: JsonObject): AgentEvent {
    const usage = stepUsage(part);
    this.#turns += 1;
    this.#usage = addUsage(this.#usage, usage);
    this.#reason = asText(part.reason) ?? 'unknown';
    return Object.keys(usage).length === 0 ? { type: 'turn' } : { type: 'turn', usage };
  }

  #failed(error: JsonObject): readonly AgentEvent[] {
    this.#error = error;
    this.#reason = undefined;
    return [{ type: 'notice', message: oneLine(messageOf(error)) }];
  }

  outcome(exit: ProcessExit): TurnOutcome {
    const failure = abnormalExitFailure(exit, title, installHint) ?? this.#failure(exit);
    const session = failure?.kind === 'session-lost' ? undefined : this.#session;
    return {
      status: failure === undefined ? 'done' : 'failed',
      text: this.#text.join('\n'),
      usage: addUsage(this.#usage, this.#turns === 0 ? {} : { turns: this.#turns }),
      ...defined({ session, failure }),
    };
  }

  #failure(exit: ProcessExit): Failure | undefined {
    if (this.#reason === 'stop') {
      // The exit code is 1 after every reported error, even if the run continued after it.
      const hasContinued = this.#error !== undefined && exit.code === 1;
      return hasContinued ? undefined : exitCodeFailure(exit, title);
    }
    if (this.#reason === undefined && this.#error !== undefined) return errorFailure(this.#error, this.#time);
    const end = missingResultFailure(exit, title, patterns);
    const ending = this.#reason === undefined || this.#reason === 'tool-calls' ? undefined : this.#reason;
    if (ending === undefined || exit.code !== 0) return end;
    return { kind: 'protocol', message: `The last answer of ${title} is incomplete: ${ending}.` };
  }
}

/**
 * The usage of one answer. The reported output excludes reasoning. OpenCode reports a cost of 0 for a model
 * without a price, so 0 counts as not reported (PROVIDER3).
 */
function stepUsage(part: JsonObject): Usage {
  const tokens = asObject(part.tokens) ?? {};
  const cache = asObject(tokens.cache) ?? {};
  const output = asTokens(tokens.output);
  return toUsage({
    inputTokens: asTokens(tokens.input),
    outputTokens: output === undefined ? undefined : output + (asTokens(tokens.reasoning) ?? 0),
    cacheReadTokens: asTokens(cache.read),
    cacheWriteTokens: asTokens(cache.write),
    costUsd: asUsd(part.cost) || undefined,
  });
}

const detailKeys = ['command', 'filePath', 'path', 'pattern', 'url', 'query', 'description', 'name'];

function toolEvents(part: JsonObject): readonly AgentEvent[] {
  const name = asText(part.tool);
  if (name === undefined) return [];
  const input = asObject(asObject(part.state)?.input) ?? {};
  return [toolCallEvent(name, input, detailKeys)];
}

function messageOf(error: JsonObject): string {
  return asText(asObject(error.data)?.message) ?? asText(error.name) ?? `${title} reported no reason.`;
}

function errorFailure(error: JsonObject, time: TimeSource): Failure {
  const data = asObject(error.data) ?? {};
  const message = messageOf(error);
  // The answer of the service often contains more than OpenCode's message about it.
  const answer = `${message} ${asText(data.responseBody) ?? ''}`;
  const byBody = classifyFailure(answer, patterns);
  const status = asNumber(data.statusCode);
  const kind = kindOf(asText(error.name), status, byBody.kind) ?? byBody.kind;
  if (isRefusedStatus(status) && !patterns.some(([, pattern]) => pattern.test(answer)))
    return refusedFailure(classifyFailure(withHint(message), []));
  const failure =
    kind === 'crash' ? classifyFailure(withHint(message), []) : { kind, message: withHint(message) };
  return withRetryAfter(withResetTime(failure, time, answer), asObject(data.responseHeaders) ?? {}, time);
}

/** The kind that the name of the error and the status imply; `undefined` if only the text can decide. */
function kindOf(
  name: string | undefined,
  status: number | undefined,
  byWords: FailureKind,
): FailureKind | undefined {
  if (name === 'ContextOverflowError' || status === 413) return 'context';
  if (name === 'ProviderAuthError' || (status !== undefined && [401, 402, 403].includes(status)))
    return 'auth';
  if (name === 'MessageOutputLengthError') return 'protocol';
  if (status === 429) return byWords === 'auth' ? 'auth' : 'rate-limit';
  return status !== undefined && status >= 500 ? 'overloaded' : undefined;
}

/** Adds a hint to the only message that OpenCode prints for an unknown model or a missing key. */
function withHint(message: string): string {
  if (!message.startsWith('Unexpected server error')) return message;
  return `${message} Usually OpenCode does not know the model or has no key for it. Run \`opencode models\` to list the usable models.`;
}

/** Headers of the service are more exact than its words: a number of milliseconds or seconds, or a date. */
function withRetryAfter(failure: Failure, headers: JsonObject, time: TimeSource): Failure {
  const ms = Number(asText(headers['retry-after-ms']));
  if (Number.isFinite(ms)) return withResetIn(failure, ms, time);
  const after = asText(headers['retry-after']);
  const seconds = Number(after);
  if (Number.isFinite(seconds)) return withResetIn(failure, Math.ceil(seconds * 1000), time);
  return withResetAt(failure, after === undefined ? undefined : Date.parse(after), time);
}
