/** Reads the output of `qwen --output-format stream-json`. Observed with Qwen Code 0.24.4. */

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
import { asNumber, asObject, asObjects, asText, asTokens, type JsonObject } from './ndjson.js';
import type { AgentEvent, TurnOutcome, TurnReader, Usage } from './provider.js';
import { type TimeSource, withResetIn } from './reset-time.js';
import {
  createTurnReader,
  markAsLastTurn,
  messagePartEvents,
  refusedEvents,
  withLimits,
} from './turn-reader.js';
import { addUsage, subtractUsage, toUsage } from './usage.js';

const title = 'Qwen Code';
export const installHint = 'Install it with `npm install -g @qwen-code/qwen-code`.';

/** The messages of the CLI. The status of the service follows `API Error:`. */
const patterns: FailurePatterns = [
  ['session-lost', /no saved session found/i],
  ['context', /context (window|limit|length)|maximum context|input length|API Error: 413/i],
  ['guard', /max session turns/i],
  ...quotaPatterns,
  ...rejectedKeyPatterns,
  ['auth', /API Error: 40[123]\b|auth type|authenticat|arrearage/i],
  ['rate-limit', /API Error: 429|rate.?limit|throttl|quota|too many requests/i],
  ['overloaded', /API Error: 5\d\d|overloaded|connection error|fetch failed|ECONN|ETIMEDOUT|timed? ?out/i],
];

/** Exit codes of a process that prints no final line. */
const exitCodeKinds: Readonly<Record<number, Failure['kind']>> = { 53: 'guard', 55: 'guard' };

/** Standard error says why and how long the CLI waits, standard output only how long: `Retrying in 20s (attempt 1/10): …`. */
const retryLine = /^Retrying in (\d+)s \(attempt \d+\/\d+\): (.*)/;

export function createQwenReader(before: Usage, time: TimeSource): TurnReader {
  const state = new QwenStream();
  const reader = createTurnReader(
    (object) => state.take(object),
    (exit) => state.outcome(exit, before),
    () => (state.hasEnded ? 'final' : 'none'),
    () => state.model,
  );
  return withLimits(reader, time, (line) => readRetryLine(line, time));
}

function readRetryLine(line: string, time: TimeSource): readonly AgentEvent[] {
  const found = retryLine.exec(line);
  if (found === null) return [];
  const [, seconds, error = ''] = found;
  return refusedEvents(withResetIn(classifyFailure(error, patterns), Number(seconds) * 1000, time), true);
}

class QwenStream {
  #session: string | undefined;
  #version: string | undefined;
  #model: string | undefined;
  #text = '';
  /** Ids of the counted answers: several lines may have the id of one answer. */
  readonly #answers = new Set<string>();
  #spent: Usage = {};
  #result: JsonObject | undefined;
  /** No answer came after the result. */
  #endsWithResult = false;

  get hasEnded(): boolean {
    return this.#endsWithResult;
  }

  get model(): string | undefined {
    return this.#model;
  }

  take(object: JsonObject): readonly AgentEvent[] {
    return [...this.#noteSession(asText(object.session_id)), ...this.#byType(object)];
  }

  #byType(object: JsonObject): readonly AgentEvent[] {
    switch (object.type) {
      case 'system':
        return this.#system(object);
      case 'assistant':
        this.#endsWithResult = false;
        return this.#answer(asObject(object.message) ?? {}, asText(object.parent_tool_use_id));
      case 'result':
        this.#result = object;
        this.#endsWithResult = true;
        return [];
      default:
        return [];
    }
  }

  #noteSession(id: string | undefined): readonly AgentEvent[] {
    if (id === undefined || id === this.#session) return [];
    this.#session = id;
    return [{ type: 'session', id }];
  }

  #system(object: JsonObject): readonly AgentEvent[] {
    this.#version = asText(object.qwen_code_version) ?? this.#version;
    if (object.subtype === 'init') this.#model = asText(object.model);
    if (object.subtype !== 'retry') return [];
    const delayMs = asNumber(asObject(object.data)?.delayMs);
    const when = delayMs === undefined ? 'immediately' : `in ${(delayMs / 1000).toFixed(1)} s`;
    return [{ type: 'notice', message: `The model service refused the request; ${title} retries ${when}.` }];
  }

  #answer(message: JsonObject, agent: string | undefined): readonly AgentEvent[] {
    const events = asObjects(message.content).flatMap((part) => messagePartEvents(part, detailKeys));
    const texts = events.flatMap((event) => (event.type === 'text' ? event.text : []));
    // The CLI reports an error of the service as text of the model and repeats it in the last line.
    if (texts.some(isServiceError)) return [];
    if (texts.length > 0 && agent === undefined) this.#text = texts.join('\n');
    const id = asText(message.id) ?? '';
    if (this.#answers.has(id)) return markAsLastTurn(events);
    this.#answers.add(id);
    const usage = usageFrom(message.usage);
    this.#spent = addUsage(this.#spent, usage, { turns: 1 });
    return [...events, { type: 'turn', usage }];
  }

  outcome(exit: ProcessExit, before: Usage): TurnOutcome {
    const failure = abnormalExitFailure(exit, title, installHint) ?? this.#failure(exit);
    const totals = usageFrom(this.#result?.usage);
    const hasTotals = Object.keys(totals).length > 0;
    const session = failure?.kind === 'session-lost' ? undefined : this.#session;
    return {
      status: failure === undefined ? 'done' : 'failed',
      text: (failure === undefined ? asText(this.#result?.result) : undefined) ?? this.#text,
      usage: { ...this.#spent, ...(hasTotals ? subtractUsage(totals, tokensOf(before)) : {}) },
      ...defined({ session, failure }),
      ...(hasTotals ? { totals } : {}),
      ...defined({ version: this.#version, model: this.#model }),
    };
  }

  #failure(exit: ProcessExit): Failure | undefined {
    const result = this.#result;
    if (result === undefined) return missingResultFailure(exit, title, patterns, exitCodeKinds);
    const message = asText(asObject(result.error)?.message) ?? asText(result.result);
    // Older versions report an error of the service as a success (0.15.10).
    const isDone =
      result.is_error === false && result.subtype === 'success' && !isServiceError(message ?? '');
    if (isDone) return exitCodeFailure(exit, title);
    return classifyFailure(message ?? asText(exit.stderrTail) ?? `${title} reported no reason.`, patterns);
  }
}

/** The second form is that of a quota whose reset the service names (0.24.4). */
function isServiceError(text: string): boolean {
  return /^(?:\[API Error: |Quota exhausted: )/.test(text);
}

/** Usage of an answer, or of the session so far. Input includes tokens from the cache, as OpenAI counts. */
function usageFrom(value: unknown): Usage {
  const usage = asObject(value) ?? {};
  return toUsage({
    inputTokens: asTokens(usage.input_tokens),
    outputTokens: asTokens(usage.output_tokens),
    cacheReadTokens: asTokens(usage.cache_read_input_tokens),
  });
}

/** Without turns: they are counted for this process only, so nothing is subtracted. */
function tokensOf({ inputTokens, outputTokens, cacheReadTokens }: Usage): Usage {
  return toUsage({ inputTokens, outputTokens, cacheReadTokens });
}

/** The most informative inputs of Qwen Code's tools, the best first. */
const detailKeys = [
  'command',
  'file_path',
  'absolute_path',
  'pattern',
  'path',
  'query',
  'description',
  'prompt',
  'url',
];
