/**
 * Reads the output of `claude -p --output-format stream-json --verbose --include-partial-messages`. Observed with
 * Claude Code 2.1.197 and 2.1.330, which write the keys of a line in different orders.
 */

import type { Failure } from '../failure.js';
import { defined } from '../optional-keys.js';
import type { ProcessExit } from '../system/process.js';
import {
  installHint,
  isBeyondBackoff,
  kindOfStatus,
  limitReached,
  patterns,
  resultFailure,
  title,
} from './claude-failures.js';
import { UsageLimits } from './claude-limits.js';
import { abnormalExitFailure, exitCodeFailure, missingResultFailure } from './exit-failures.js';
import { asNumber, asObject, asObjects, asText, asTokens, asUsd, type JsonObject } from './ndjson.js';
import type { AgentEvent, ResultState, TurnOutcome, TurnReader, Usage } from './provider.js';
import { type TimeSource, withResetAt, withResetIn } from './reset-time.js';
import { createTurnReader, messagePartEvents, refusedEvents, withLimits } from './turn-reader.js';
import { addUsage, subtractUsage, toUsage } from './usage.js';

/** An answer of the model that is not complete yet. */
interface OpenAnswer {
  readonly id: string;
  readonly usage: Usage;
}

export function createClaudeReader(before: Usage, time: TimeSource): TurnReader {
  const state = new ClaudeStream(time);
  const reader = createTurnReader(
    (object) => state.take(object),
    (exit) => state.outcome(exit, before),
    () => state.resultState,
    () => state.model,
    (line) => state.skim(line),
  );
  return withLimits(reader, time);
}

/**
 * The start of a line with a part of a text, as 2.1.197 and 2.1.330 print it. These are most lines of a stream, and
 * they tell nothing that the complete answer does not repeat. In another order of keys, such a line is parsed.
 */
const textPart = '{"type":"stream_event","event":{"type":"content_block_delta",';

class ClaudeStream {
  readonly #time: TimeSource;
  readonly #limits = new UsageLimits();
  #session: string | undefined;
  #version: string | undefined;
  #model: string | undefined;
  #text = '';
  /** Newest answer of the main conversation (key '') and of each sub-agent (key: the id of its tool call). */
  readonly #open = new Map<string, OpenAnswer>();
  /** Ids of complete answers. The stream reports each answer twice: in parts and as a line. */
  readonly #over = new Set<string>();
  #spent: Usage = {};
  #result: JsonObject | undefined;
  #resultCost: number | undefined;
  #waitMs: number | undefined;
  /** The newest line about answers or results is a result. */
  #endsWithResult = false;
  #hasBackgroundTasks = false;
  /** A usage limit is reached, and no answer came since. */
  #isRefused = false;

  constructor(time: TimeSource) {
    this.#time = time;
  }

  /**
   * With a background task, a result is not the last one: the CLI waits for the task, for at most 10 minutes, and lets
   * the model answer again. It then prints another result (2.1.330).
   */
  get resultState(): ResultState {
    if (!this.#endsWithResult) return 'none';
    return this.#hasBackgroundTasks ? 'provisional' : 'final';
  }

  get model(): string | undefined {
    return this.#model;
  }

  /** Whether the line is a part of a text in a known session. */
  skim(line: string): boolean {
    if (this.#session === undefined || !line.startsWith(textPart)) return false;
    this.#endsWithResult = false;
    return true;
  }

  take(object: JsonObject): readonly AgentEvent[] {
    const id = asText(object.session_id);
    const isKnown = id === undefined || id === this.#session;
    this.#session = id ?? this.#session;
    const events = this.#byType(object);
    return isKnown ? events : [{ type: 'session', id }, ...events];
  }

  #byType(object: JsonObject): readonly AgentEvent[] {
    const conversation = asText(object.parent_tool_use_id) ?? '';
    if (isAnswerType(object.type)) this.#endsWithResult = false;
    if (isAnswerType(object.type) && !isErrorAnswer(object)) this.#isRefused = false;
    switch (object.type) {
      case 'system':
        return this.#system(object);
      case 'stream_event':
        return this.#part(asObject(object.event) ?? {}, conversation);
      case 'assistant':
        if (isErrorAnswer(object)) return [];
        return this.#assistant(asObject(object.message) ?? {}, conversation);
      case 'user':
        return this.#close(conversation);
      case 'result':
        return this.#takeResult(object);
      case 'rate_limit_event':
        return this.#limit(asObject(object.rate_limit_info) ?? {});
      default:
        return [];
    }
  }

  #system(object: JsonObject): readonly AgentEvent[] {
    this.#version = asText(object.claude_code_version) ?? this.#version;
    if (object.subtype === 'init') this.#model = asText(object.model);
    if (object.subtype === 'background_tasks_changed')
      this.#hasBackgroundTasks = asObjects(object.tasks).length > 0;
    if (object.subtype === 'permission_denied') {
      const tool = asText(object.tool_name) ?? 'a tool';
      return [{ type: 'notice', message: `${title} was denied permission to use ${tool}.` }];
    }
    return object.subtype === 'api_retry' ? this.#retry(object) : [];
  }

  /** The CLI reports the state of the usage limits after each answer. At a reached limit it ends. */
  #limit(info: JsonObject): readonly AgentEvent[] {
    this.#isRefused = this.#limits.take(info);
    return this.#isRefused ? refusedEvents(this.#limitFailure(limitReached), false) : [];
  }

  #limitFailure(failure: Failure): Failure {
    return withResetAt(failure, this.#limits.resetsAt(), this.#time);
  }

  #retry(object: JsonObject): readonly AgentEvent[] {
    const delayMs = asNumber(object.retry_delay_ms) ?? 0;
    const attempt = asNumber(object.attempt) ?? 1;
    this.#waitMs = isBeyondBackoff(delayMs, attempt) ? Math.ceil(delayMs) : undefined;
    const what = asNumber(object.error_status) ?? asText(object.error) ?? 'an error';
    const seconds = (delayMs / 1000).toFixed(1);
    const message = `The model service answered ${what}; ${title} retries in ${seconds} s.`;
    const notice: AgentEvent = { type: 'notice', message };
    if (kindOfStatus(asNumber(object.error_status) ?? 0) !== 'rate-limit') return [notice];
    const failure = withResetIn({ kind: 'rate-limit', message }, this.#waitMs, this.#time);
    return [notice, ...refusedEvents(failure, true)];
  }

  /** Parts report the final number of output tokens; whole lines report the number at the start of the answer. */
  #part(event: JsonObject, conversation: string): readonly AgentEvent[] {
    if (event.type === 'message_start') {
      const message = asObject(event.message) ?? {};
      return this.#begin(conversation, asText(message.id), usageFrom(message.usage));
    }
    const open = this.#open.get(conversation);
    if (open !== undefined && event.type === 'message_delta')
      this.#open.set(conversation, { ...open, usage: { ...open.usage, ...usageFrom(event.usage) } });
    return event.type === 'message_stop' ? this.#close(conversation) : [];
  }

  #assistant(message: JsonObject, conversation: string): readonly AgentEvent[] {
    const begun = this.#begin(conversation, asText(message.id), usageFrom(message.usage));
    const events = asObjects(message.content).flatMap((part) => messagePartEvents(part, detailKeys));
    const texts = events.flatMap((event) => (event.type === 'text' ? event.text : []));
    if (texts.length > 0 && conversation === '') this.#text = texts.join('\n');
    return [...begun, ...events];
  }

  #begin(conversation: string, id: string | undefined, usage: Usage): readonly AgentEvent[] {
    const open = this.#open.get(conversation);
    if (id !== undefined && (open?.id === id || this.#over.has(id))) return [];
    const closed = this.#close(conversation);
    this.#open.set(conversation, { id: id ?? '', usage });
    return closed;
  }

  #close(conversation: string): readonly AgentEvent[] {
    const open = this.#open.get(conversation);
    if (open === undefined) return [];
    this.#open.delete(conversation);
    this.#over.add(open.id);
    this.#spent = addUsage(this.#spent, open.usage, { turns: 1 });
    return [{ type: 'turn', usage: open.usage }];
  }

  #takeResult(object: JsonObject): readonly AgentEvent[] {
    const closed = [...this.#open.keys()].flatMap((conversation) => this.#close(conversation));
    this.#result = object;
    this.#endsWithResult = true;
    const models = asObject(object.model_usage_since_last_result);
    const cost = models && costOf(models);
    if (cost !== undefined) this.#resultCost = (this.#resultCost ?? 0) + cost;
    return closed;
  }

  outcome(exit: ProcessExit, before: Usage): TurnOutcome {
    const failure = abnormalExitFailure(exit, title, installHint) ?? this.#failure(exit);
    const total = asUsd(this.#result?.total_cost_usd);
    const session = failure?.kind === 'session-lost' ? undefined : this.#session;
    return {
      status: failure === undefined ? 'done' : 'failed',
      text: (failure === undefined ? asText(this.#result?.result) : undefined) ?? this.#text,
      usage: this.#usage(total, before),
      ...defined({ session, failure }),
      // Versions that print the cost since the last result count over the whole session; of others this is unknown.
      ...(total === undefined || this.#resultCost === undefined ? {} : { totals: { costUsd: total } }),
      ...defined({ version: this.#version, model: this.#model }),
    };
  }

  /** The result line has the tokens of this process. From some version on, its cost is that of the session. */
  #usage(total: number | undefined, before: Usage): Usage {
    // An incomplete answer has cost its input.
    const unfinished = [...this.#open.values()].map(({ usage }) => addUsage(usage, { turns: 1 }));
    const counted = addUsage(this.#spent, ...unfinished);
    const rest =
      total === undefined ? {} : subtractUsage({ costUsd: total }, toUsage({ costUsd: before.costUsd }));
    const cost = this.#resultCost === undefined ? rest : { costUsd: this.#resultCost };
    return { ...counted, ...usageFrom(this.#result?.usage), ...cost };
  }

  #failure(exit: ProcessExit): Failure | undefined {
    const result = this.#result;
    if (result === undefined && this.#isRefused) return this.#limitFailure(limitReached);
    if (result === undefined) return missingResultFailure(exit, title, patterns);
    if (result.is_error === false && result.subtype === 'success') return exitCodeFailure(exit, title);
    return this.#withWait(resultFailure(result, exit));
  }

  /** The limit that is reached is more exact than the wait before the last try, and this than the text. */
  #withWait(failure: Failure): Failure {
    const limited = this.#isRefused ? this.#limitFailure(failure) : failure;
    if (limited.acceptsAgainAt !== undefined || this.#waitMs === undefined) return limited;
    if (failure.kind === 'overloaded') return { ...failure, retryAfterMs: this.#waitMs };
    return withResetIn(failure, this.#waitMs, this.#time);
  }
}

/** The CLI reports its own errors as text of this model and repeats them in the result line. */
function isErrorAnswer({ type, message }: JsonObject): boolean {
  return type === 'assistant' && asObject(message)?.model === '<synthetic>';
}

function isAnswerType(type: unknown): boolean {
  return type === 'assistant' || type === 'user' || type === 'stream_event';
}

function usageFrom(value: unknown): Usage {
  const usage = asObject(value) ?? {};
  return toUsage({
    inputTokens: asTokens(usage.input_tokens),
    outputTokens: asTokens(usage.output_tokens),
    cacheReadTokens: asTokens(usage.cache_read_input_tokens),
    cacheWriteTokens: asTokens(usage.cache_creation_input_tokens),
  });
}

/** `undefined` if one of the costs is unknown. */
function costOf(models: JsonObject): number | undefined {
  const costs = Object.values(models).map((model) => asObject(model)?.costUSD ?? 0);
  const known = costs.flatMap((cost) => asUsd(cost) ?? []);
  return known.length < costs.length ? undefined : known.reduce((sum, cost) => sum + cost, 0);
}

/** The most informative inputs of Claude Code's tools, the best first. */
const detailKeys = [
  'command',
  'file_path',
  'notebook_path',
  'pattern',
  'path',
  'url',
  'query',
  'description',
  'prompt',
];
