/** Reads what `gemini --output-format stream-json` prints. Seen with Gemini CLI 0.61.0. */

import type { Failure } from '../failure.js';
import { defined } from '../optional-keys.js';
import type { ProcessExit } from '../system/process.js';
import {
  abnormalExitFailure,
  classifyFailure,
  exitCodeFailure,
  type FailurePatterns,
  missingResultFailure,
  withRetryAfter,
} from './exit-failures.js';
import { asNumber, asObject, asText, type JsonObject, oneLine } from './ndjson.js';
import type { AgentEvent, TurnOutcome, TurnReader, Usage } from './provider.js';
import { createTurnReader, markAsLastTurn, toolCallEvent } from './turn-reader.js';
import { toUsage } from './usage.js';

const title = 'Gemini CLI';
export const installHint = 'Install it with `npm install -g @google/gemini-cli`.';

/** What is used up for the day is not waited out. Every other limit speaks of quota and billing as well. */
const dailyQuotaPattern = /daily quota|perday/i;

/** What it says; the status of an answer of the service stands in the JSON that it passes on. */
const words: FailurePatterns = [
  ['session-lost', /error resuming session/i],
  ['context', /input token count|context (window|limit|length)|context_length_exceeded|"code":\s*413/i],
  ['guard', /max(imum)? session turns/i],
  ['auth', /"code":\s*40[13]\b|api.?key|(invalid|set an) auth method|authenticat|permission_denied/i],
  ['rate-limit', /"code":\s*429|rate.?limit|resource_exhausted|quota|too many requests/i],
  [
    'overloaded',
    /"code":\s*5\d\d|overloaded|unavailable|fetch failed|API Error: terminated|socket hang up|ECONN|ETIMEDOUT|timed? ?out/i,
  ],
];

/** The CLI ends with the status of the service's last answer, of which a process keeps the lowest 8 bits. */
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

/** What it ends with where it does not begin, or not go on; there is no final line then. */
const exitCodeKinds: Readonly<Record<number, Failure['kind']>> = { 41: 'auth', 53: 'guard' };

export function createGeminiReader(): TurnReader {
  const state = new GeminiStream();
  return createTurnReader(
    (object) => state.take(object),
    (exit) => state.outcome(exit),
    () => state.model,
  );
}

class GeminiStream {
  #session: string | undefined;
  #model: string | undefined;
  /** The words of the answer that is coming in, in many pieces, and those of the one before. */
  #pieces = '';
  #text = '';
  /** `none`: the next piece opens an answer; `open`: it has words; `told`: it is over but for its tool calls. */
  #answer: 'none' | 'open' | 'told' = 'none';
  #turns = 0;
  #error: string | undefined;
  #result: JsonObject | undefined;

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

  /** Warnings, and what kept an answer from being one. */
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

  /** An answer is over with its first call, so that a guard can stop it there; more calls may follow. */
  #tool(object: JsonObject): readonly AgentEvent[] {
    const told = [...this.#said(), toolEvent(object)];
    if (this.#answer === 'told') return markAsLastTurn(told);
    this.#answer = 'told';
    return [...told, this.#turn()];
  }

  /** Results of tools come when the whole answer has, so the next piece belongs to another. */
  #answered(): readonly AgentEvent[] {
    const said = this.#said();
    const answer = this.#answer;
    this.#answer = 'none';
    if (answer === 'told') return markAsLastTurn(said);
    return answer === 'open' ? [...said, this.#turn()] : said;
  }

  #said(): readonly AgentEvent[] {
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
    // An answer that was cut off counts: it has cost its input.
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
    if (this.#result === undefined) return missingResultFailure(exit, title, words, exitCodeKinds);
    if (this.#result.status === 'success') return exitCodeFailure(exit, title);
    const told = asText(asObject(this.#result.error)?.message) ?? this.#error;
    const failure = classifyFailure(told ?? asText(exit.stderrTail) ?? `${title} gave no reason.`, words);
    return withRetryAfter({ ...failure, kind: refineKind(failure, exit) });
  }
}

/** The status is surer than the words, but for what it does not say: for how long a limit holds. */
function refineKind(failure: Failure, exit: ProcessExit): Failure['kind'] {
  if (dailyQuotaPattern.test(failure.message)) return 'auth';
  return exitStatusKinds[exit.code ?? 0] ?? failure.kind;
}

/** Of this process alone. */
function usageFrom(value: unknown): Usage {
  const { input_tokens, output_tokens, cached, total_tokens } = asObject(value) ?? {};
  return tokenUsage({ input: input_tokens, output: output_tokens, cached, total: total_tokens });
}

/**
 * As Google counts: input includes what came from the cache; of the output the total alone includes the thoughts,
 * which are paid for like words.
 */
export function tokenUsage(
  tokens: Readonly<Record<'input' | 'output' | 'cached' | 'total', unknown>>,
): Usage {
  const [input, output, total] = [asNumber(tokens.input), asNumber(tokens.output), asNumber(tokens.total)];
  const thought = output === undefined ? undefined : Math.max(output, (total ?? 0) - (input ?? 0));
  return toUsage({ inputTokens: input, outputTokens: thought, cacheReadTokens: asNumber(tokens.cached) });
}

/** The first line may only say that the CLI chooses (`auto`); small models do small work beside the chosen one. */
function busiestModel(value: unknown): string | undefined {
  const models = Object.entries(asObject(asObject(value)?.models) ?? {}).map(
    ([name, stats]) => [name, asNumber(asObject(stats)?.total_tokens) ?? 0] as const,
  );
  return models.sort((a, b) => b[1] - a[1])[0]?.[0];
}

/** The parameters of Gemini CLI's tools that tell most, the most telling first. */
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
