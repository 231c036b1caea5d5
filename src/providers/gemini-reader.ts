/** Reads the output of `gemini --output-format stream-json`. Observed with Gemini CLI 0.61.0. */

import type { Failure } from '../failure.js';
import { defined } from '../optional-keys.js';
import type { ProcessExit } from '../system/process.js';
import {
  abnormalExitFailure,
  classifyFailure,
  exitCodeFailure,
  type FailurePatterns,
  limitWithReset,
  missingResultFailure,
  rejectedKeyPatterns,
} from './exit-failures.js';
import { asObject, asText, asTokens, type JsonObject, oneLine } from './ndjson.js';
import type { AgentEvent, TurnOutcome, TurnReader, Usage } from './provider.js';
import { type TimeSource, withResetTime } from './reset-time.js';
import { createTurnReader, markAsLastTurn, refusedEvents, toolCallEvent, withLimits } from './turn-reader.js';
import { toUsage } from './usage.js';

const title = 'Gemini CLI';
export const installHint = 'Install it with `npm install -g @google/gemini-cli`.';

/** Waiting does not help if the quota of the day is used up. Messages of other limits also mention quota and billing. */
const dailyQuotaPattern = /daily quota|perday/i;

/** The messages of the CLI. The status of the service is in the JSON that it passes on. */
const patterns: FailurePatterns = [
  ['session-lost', /error resuming session/i],
  ['context', /input token count|context (window|limit|length)|context_length_exceeded|"code":\s*413/i],
  ['guard', /max(imum)? session turns/i],
  ['rate-limit', limitWithReset],
  ...rejectedKeyPatterns,
  ['auth', /"code":\s*40[13]\b|(invalid|set an) auth method|authenticat|permission_denied/i],
  ['rate-limit', /"code":\s*429|rate.?limit|resource_exhausted|quota|too many requests/i],
  [
    'overloaded',
    /"code":\s*5\d\d|overloaded|unavailable|fetch failed|API Error: terminated|socket hang up|ECONN|ETIMEDOUT|timed? ?out/i,
  ],
];

/** The exit code is the status of the service's last answer, of which a process returns the lowest 8 bits. */
const exitStatusKinds: Readonly<Record<number, Failure['kind']>> = {
  145: 'auth',
  147: 'auth',
  157: 'context',
  173: 'rate-limit',
  244: 'overloaded',
  246: 'overloaded',
  247: 'overloaded',
  248: 'overloaded',
};

/** Exit codes of a CLI that cannot start or continue. It prints no final line in these cases. */
const exitCodeKinds: Readonly<Record<number, Failure['kind']>> = { 41: 'auth', 53: 'guard' };

/**
 * The lines of standard error with which the CLI reports that it waits, for hours if the service asks for it (0.61.0):
 * `Attempt 1 failed: … Your quota will reset after 3h0m0s.. Retrying after 11660807ms...`, and
 * `Attempt 1 failed with status 429. Retrying with backoff...`. A message of several lines ends with `Retrying`.
 */
const retryLine = /\bRetrying after \d|\bfailed with status 429\b.*\bRetrying\b/;

export function createGeminiReader(_before: Usage, time: TimeSource): TurnReader {
  const state = new GeminiStream();
  const reader = createTurnReader(
    (object) => state.take(object),
    (exit) => state.outcome(exit),
    () => (state.hasEnded ? 'final' : 'none'),
    () => state.model,
  );
  return withLimits(reader, time, (line) => readRetryLine(line, time));
}

function readRetryLine(line: string, time: TimeSource): readonly AgentEvent[] {
  if (!retryLine.test(line)) return [];
  return refusedEvents(withResetTime({ kind: 'rate-limit', message: oneLine(line, 1000) }, time), true);
}

class GeminiStream {
  #session: string | undefined;
  #model: string | undefined;
  /** The text so far of the present answer, which arrives in pieces. */
  #pieces = '';
  /** The text of the previous answer. */
  #text = '';
  /** `none`: the next piece starts an answer; `open`: it has text; `counted`: only its tool calls are incomplete. */
  #answer: 'none' | 'open' | 'counted' = 'none';
  #turns = 0;
  #error: string | undefined;
  #result: JsonObject | undefined;

  get hasEnded(): boolean {
    return this.#result !== undefined;
  }

  get model(): string | undefined {
    return this.#model;
  }

  take(object: JsonObject): readonly AgentEvent[] {
    switch (object.type) {
      case 'init':
        this.#model = asText(object.model);
        return this.#noteSession(asText(object.session_id));
      case 'message':
        return object.role === 'assistant' ? this.#piece(asText(object.content)) : [];
      case 'tool_use':
        return this.#tool(object);
      case 'tool_result':
        return this.#answered();
      case 'error':
        return this.#noteError(asText(object.message));
      case 'result':
        this.#result = object;
        return this.#answered();
      default:
        return [];
    }
  }

  #noteSession(id: string | undefined): readonly AgentEvent[] {
    if (id === undefined || id === this.#session) return [];
    this.#session = id;
    return [{ type: 'session', id }];
  }

  /** Warnings, and errors that prevented an answer. */
  #noteError(message: string | undefined): readonly AgentEvent[] {
    if (message === undefined) return [];
    this.#error = message;
    return [{ type: 'notice', message: oneLine(message) }];
  }

  #piece(text: string | undefined): readonly AgentEvent[] {
    if (text === undefined) return [];
    this.#pieces += text;
    if (this.#answer === 'none') this.#answer = 'open';
    return [];
  }

  /** An answer counts at its first call, so that a guard can stop it there. More calls may follow. */
  #tool(object: JsonObject): readonly AgentEvent[] {
    const events = [...this.#textEvents(), toolEvent(object)];
    if (this.#answer === 'counted') return markAsLastTurn(events);
    this.#answer = 'counted';
    return [...events, this.#turn()];
  }

  /** Results of tools come after the whole answer, so the next piece belongs to the next answer. */
  #answered(): readonly AgentEvent[] {
    const events = this.#textEvents();
    const answer = this.#answer;
    this.#answer = 'none';
    if (answer === 'counted') return markAsLastTurn(events);
    return answer === 'open' ? [...events, this.#turn()] : events;
  }

  #textEvents(): readonly AgentEvent[] {
    if (this.#pieces === '') return [];
    this.#text = this.#pieces;
    this.#pieces = '';
    return [{ type: 'text', text: this.#text }];
  }

  #turn(): AgentEvent {
    this.#turns += 1;
    return { type: 'turn' };
  }

  outcome(exit: ProcessExit): TurnOutcome {
    const failure = abnormalExitFailure(exit, title, installHint) ?? this.#failure(exit);
    const session = failure?.kind === 'session-lost' ? undefined : this.#session;
    // An incomplete answer counts: it has cost its input.
    const turns = this.#turns + (this.#answer === 'open' ? 1 : 0);
    const model = busiestModel(this.#result?.stats) ?? this.#model;
    return {
      status: failure === undefined ? 'done' : 'failed',
      text: this.#pieces === '' ? this.#text : this.#pieces,
      usage: { ...usageFrom(this.#result?.stats), ...(turns === 0 ? {} : { turns }) },
      ...defined({ session, failure, model }),
    };
  }

  #failure(exit: ProcessExit): Failure | undefined {
    if (this.#result === undefined) return missingResultFailure(exit, title, patterns, exitCodeKinds);
    if (this.#result.status === 'success') return exitCodeFailure(exit, title);
    const message = asText(asObject(this.#result.error)?.message) ?? this.#error;
    const failure = classifyFailure(
      message ?? asText(exit.stderrTail) ?? `${title} reported no reason.`,
      patterns,
    );
    return { ...failure, kind: refineKind(failure, exit) };
  }
}

/** The exit code is more reliable than the text, but it does not distinguish a daily limit from a short one. */
function refineKind(failure: Failure, exit: ProcessExit): Failure['kind'] {
  if (limitWithReset.test(failure.message)) return 'rate-limit';
  if (dailyQuotaPattern.test(failure.message)) return 'auth';
  return exitStatusKinds[exit.code ?? 0] ?? failure.kind;
}

/** Of this process only. */
function usageFrom(value: unknown): Usage {
  const { input_tokens, output_tokens, cached, total_tokens } = asObject(value) ?? {};
  return tokenUsage({ input: input_tokens, output: output_tokens, cached, total: total_tokens });
}

/**
 * Tokens as Google counts them. Input includes tokens from the cache. Thoughts cost as much as output, but only the
 * total includes them.
 */
export function tokenUsage(
  tokens: Readonly<Record<'input' | 'output' | 'cached' | 'total', unknown>>,
): Usage {
  const [input, output, total] = [asTokens(tokens.input), asTokens(tokens.output), asTokens(tokens.total)];
  const outputTokens = output === undefined ? undefined : Math.max(output, (total ?? 0) - (input ?? 0));
  return toUsage({ inputTokens: input, outputTokens, cacheReadTokens: asTokens(tokens.cached) });
}

/** The first line may only report `auto`, and small models do small tasks in addition to the chosen one. */
function busiestModel(value: unknown): string | undefined {
  const models = Object.entries(asObject(asObject(value)?.models) ?? {}).map(
    ([name, stats]) => [name, asTokens(asObject(stats)?.total_tokens) ?? 0] as const,
  );
  return models.sort((a, b) => b[1] - a[1])[0]?.[0];
}

/** The most informative parameters of Gemini CLI's tools, the best first. */
const detailKeys = [
  'command',
  'file_path',
  'absolute_path',
  'pattern',
  'path',
  'dir_path',
  'query',
  'prompt',
  'url',
];

function toolEvent(object: JsonObject): AgentEvent {
  return toolCallEvent(asText(object.tool_name) ?? 'tool', asObject(object.parameters) ?? {}, detailKeys);
}
