/**
 * Reads the output of `codex exec --json`. Observed with Codex 0.169.0.
 *
 * The stream does not mark the end of an answer of the model, so the items decide. An answer extends to its first
 * tool call, and includes the calls that start before a running one has ended. The next item belongs to the next
 * answer. Calls of one answer that run one after the other count as several turns. A command that the sandbox
 * refuses immediately has no item and does not count.
 */

import type { Failure } from '../failure.js';
import { defined } from '../optional-keys.js';
import type { ProcessExit } from '../system/process.js';
import {
  abnormalExitFailure,
  classifyFailure,
  exitCodeFailure,
  type FailurePatterns,
  missingResultFailure,
  quotaPatterns,
  rejectedKeyPatterns,
} from './exit-failures.js';
import { asObject, asObjects, asText, asTokens, type JsonObject, oneLine } from './ndjson.js';
import type { AgentEvent, TurnOutcome, TurnReader, Usage } from './provider.js';
import { readDuration } from './read-duration.js';
import { type TimeSource, withResetIn, withResetTime } from './reset-time.js';
import { createTurnReader, markAsLastTurn, refusedEvents, withLimits } from './turn-reader.js';
import { addUsage, subtractUsage, toUsage } from './usage.js';

const title = 'Codex';
export const installHint = 'Install it with `npm install -g @openai/codex`.';

/** Codex reports no status, only a sentence, for some errors its own (0.169.0). */
const patterns: FailurePatterns = [
  // A session of a model provider that is no longer configured cannot be resumed either.
  ['session-lost', /thread\/resume failed|no rollout found|no longer configured/i],
  ['context', /context window|context_length_exceeded|status 413/i],
  ...quotaPatterns,
  ...rejectedKeyPatterns,
  ['auth', /status 40[123]\b|missing environment variable|not logged in|(log|sign) ?in again|refresh token/i],
  ['rate-limit', /status:? 429|rate.?limit|usage limit|too many requests/i],
  [
    'overloaded',
    /high demand|overloaded|status:? 5\d\d|stream disconnected|error sending request|timed? ?out/i,
  ],
];

/**
 * The line with which the log of Codex reports that it waits for a Retry-After, without an upper limit (0.169.0):
 * `… WARN codex_core::responses_retry: … retrying sampling request (1/5 in 10799.9s)... … sampling_error=…`. Standard
 * output only has the error. `codex.ts` asks for this part of the log.
 */
export const retryLogModule = 'codex_core::responses_retry';
const retryLine = new RegExp(`${retryLogModule}: .*\\(\\d+/\\d+ in ([\\w.]+)\\).*sampling_error=(.*)`);

export function createCodexReader(before: Usage, time: TimeSource): TurnReader {
  const state = new CodexStream(time);
  const reader = createTurnReader(
    (object) => state.take(object),
    (exit) => state.outcome(exit, before),
    () => (state.hasEnded ? 'final' : 'none'),
  );
  return withLimits(reader, time, (line) => readRetryLine(line, time));
}

function readRetryLine(line: string, time: TimeSource): readonly AgentEvent[] {
  const found = retryLine.exec(line);
  if (found === null) return [];
  const [, wait = '', error = ''] = found;
  return refusedEvents(withResetIn(classifyFailure(error, patterns), readDuration(wait), time), true);
}

class CodexStream {
  readonly #time: TimeSource;
  #session: string | undefined;
  #text = '';
  /** `none`: the next item starts an answer; `open`: it has items; `counted`: only its tool calls are incomplete. */
  #answer: 'none' | 'open' | 'counted' = 'none';
  #running = new Set<string>();
  #turns = 0;
  #total: Usage | undefined;
  #final: 'completed' | 'failed' | undefined;
  #error: string | undefined;

  constructor(time: TimeSource) {
    this.#time = time;
  }

  get hasEnded(): boolean {
    return this.#final !== undefined;
  }

  take(object: JsonObject): readonly AgentEvent[] {
    switch (object.type) {
      case 'thread.started':
        return this.#noteSession(asText(object.thread_id));
      case 'item.started':
        return this.#started(asObject(object.item) ?? {});
      case 'item.completed':
        return this.#completed(asObject(object.item) ?? {});
      case 'error':
        return this.#noteError(asText(object.message));
      case 'turn.completed':
      case 'turn.failed':
        return this.#ended(object);
      default:
        return [];
    }
  }

  #noteSession(id: string | undefined): readonly AgentEvent[] {
    if (id === undefined || id === this.#session) return [];
    this.#session = id;
    return [{ type: 'session', id }];
  }

  /** Runs that succeed also print errors, for a retried request. Only the last one can be a failure. */
  #noteError(message: string | undefined): readonly AgentEvent[] {
    this.#error = message;
    if (message === undefined) return [];
    const failure = withResetTime(classifyFailure(message, patterns), this.#time);
    const isWaiting = message.startsWith('Reconnecting');
    return [{ type: 'notice', message: oneLine(message) }, ...refusedEvents(failure, isWaiting)];
  }

  #started(item: JsonObject): readonly AgentEvent[] {
    const tool = toolEvent(item);
    if (tool === undefined) return [];
    this.#running.add(asText(item.id) ?? '');
    if (this.#answer === 'counted') return markAsLastTurn([tool]);
    this.#answer = 'counted';
    return [tool, this.#turn()];
  }

  #completed(item: JsonObject): readonly AgentEvent[] {
    const text = asText(item.text);
    // Warnings are items of this type, also in runs that succeed.
    if (item.type === 'error') return [{ type: 'notice', message: oneLine(asText(item.message) ?? '') }];
    if (item.type === 'agent_message' && text !== undefined) return this.#message(text);
    if (toolEvent(item) === undefined) return [];
    const id = asText(item.id) ?? '';
    // Some kinds of calls are reported only at their end.
    const events = this.#running.has(id) ? [] : this.#started(item);
    this.#running.delete(id);
    if (this.#running.size === 0) this.#answer = 'none';
    return events;
  }

  #message(text: string): readonly AgentEvent[] {
    this.#text = text;
    const over = this.#answer === 'open' ? [this.#turn()] : [];
    this.#answer = 'open';
    return [...over, { type: 'text', text }];
  }

  #turn(): AgentEvent {
    this.#turns += 1;
    return { type: 'turn' };
  }

  #ended(object: JsonObject): readonly AgentEvent[] {
    const last = this.#answer === 'open' ? [this.#turn()] : [];
    this.#answer = 'none';
    this.#final = object.type === 'turn.completed' ? 'completed' : 'failed';
    this.#error = asText(asObject(object.error)?.message) ?? this.#error;
    const usage = asObject(object.usage);
    if (usage !== undefined) this.#total = codexUsage(usage);
    return last;
  }

  outcome(exit: ProcessExit, before: Usage): TurnOutcome {
    const failure = abnormalExitFailure(exit, title, installHint) ?? this.#failure(exit);
    // A message without a following tool call may be an incomplete answer.
    const turns = this.#turns + (this.#answer === 'open' ? 1 : 0);
    const total = this.#total;
    const spent = total === undefined ? {} : subtractUsage(total, tokensOf(before));
    const session = failure?.kind === 'session-lost' ? undefined : this.#session;
    return {
      status: failure === undefined ? 'done' : 'failed',
      text: this.#text,
      usage: addUsage(spent, turns === 0 ? {} : { turns }),
      ...defined({ session, failure, totals: total }),
    };
  }

  #failure(exit: ProcessExit): Failure | undefined {
    if (this.#final === 'completed') return exitCodeFailure(exit, title);
    const message = this.#error;
    if (this.#final === undefined) {
      const end = missingResultFailure(exit, title, patterns);
      // If standard error does not match, the error line decides.
      return end.kind === 'protocol' && message !== undefined
        ? classifyFailure(message, patterns, 'protocol')
        : end;
    }
    return classifyFailure(message ?? asText(exit.stderrTail) ?? `${title} reported no reason.`, patterns);
  }
}

/** The counts of the thread so far. Input includes tokens from the cache, as OpenAI counts. */
export function codexUsage(usage: JsonObject): Usage {
  return toUsage({
    inputTokens: asTokens(usage.input_tokens),
    outputTokens: asTokens(usage.output_tokens),
    cacheReadTokens: asTokens(usage.cached_input_tokens),
    cacheWriteTokens: asTokens(usage.cache_write_input_tokens),
  });
}

/** Without turns: they are counted for this process only, so nothing is subtracted. */
function tokensOf({ inputTokens, outputTokens, cacheReadTokens, cacheWriteTokens }: Usage): Usage {
  return toUsage({ inputTokens, outputTokens, cacheReadTokens, cacheWriteTokens });
}

/** The event of an item that is a tool call; `undefined` for other items. */
function toolEvent(item: JsonObject): AgentEvent | undefined {
  const detail = toolDetail(item);
  if (detail === undefined) return undefined;
  const line = oneLine(detail);
  return { type: 'tool', name: String(item.type), ...(line === '' ? {} : { detail: line }) };
}

function toolDetail(item: JsonObject): string | undefined {
  switch (item.type) {
    case 'command_execution':
      return withoutShell(asText(item.command) ?? '');
    case 'file_change':
      return asObjects(item.changes)
        .flatMap(({ path }) => asText(path) ?? [])
        .join(' ');
    case 'mcp_tool_call':
      return [item.server, item.tool].flatMap((part) => asText(part) ?? []).join('.');
    case 'web_search':
      return asText(item.query) ?? '';
    case 'collab_tool_call':
      return asText(item.tool) ?? '';
    default:
      return undefined;
  }
}

/** Codex reports the whole call, `/bin/bash -lc 'npm test'`; this returns the inner command. */
function withoutShell(command: string): string {
  const inner = /^\S*sh -l?c (.*)$/s.exec(command)?.[1] ?? command;
  return /^'[^']*'$/.test(inner) ? inner.slice(1, -1) : inner;
}
