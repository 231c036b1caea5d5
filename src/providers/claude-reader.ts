/**
 * Reads the output of `claude -p --output-format stream-json --verbose --include-partial-messages`. Observed with
 * Claude Code 2.1.197 and 2.1.330, which write the keys of a line in different orders.
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
} from './exit-failures.js';
import { asNumber, asObject, asObjects, asText, type JsonObject } from './ndjson.js';
import type { AgentEvent, TurnOutcome, TurnReader, Usage } from './provider.js';
import { createTurnReader, messagePartEvents } from './turn-reader.js';
import { addUsage, subtractUsage, toUsage } from './usage.js';

const title = 'Claude Code';
export const installHint = 'Install it with `npm install -g @anthropic-ai/claude-code`.';

/** Texts of errors for which the result line has no status. */
const patterns: FailurePatterns = [
  ['session-lost', /no conversation found|does not match any session title|requires a valid session ID/i],
  ['context', /prompt is too long|request too large|context (window|limit|length)/i],
  // Waiting or retrying does not help an account without credit.
  ['auth', /not logged in|\/login|invalid (api|x-api-)key|authenticat|oauth token|credit balance|billing/i],
  ['rate-limit', /rate.?limit|usage limit|hit your .{0,40}limit|limit reached/i],
  ['overloaded', /overloaded|connection|connect to|ECONN|ETIMEDOUT|timed out|server-side issue/i],
];

/** An answer of the model that is not complete yet. */
interface OpenAnswer {
  readonly id: string;
  readonly usage: Usage;
}

export function createClaudeReader(before: Usage): TurnReader {
  const state = new ClaudeStream();
  return createTurnReader(
    (object) => state.take(object),
    (exit) => state.outcome(exit, before),
    () => state.model,
  );
}

class ClaudeStream {
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

  get model(): string | undefined {
    return this.#model;
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
    switch (object.type) {
      case 'system':
        return this.#system(object);
      case 'stream_event':
        return this.#part(asObject(object.event) ?? {}, conversation);
      case 'assistant':
        return this.#assistant(asObject(object.message) ?? {}, conversation);
      case 'user':
        return this.#close(conversation);
      case 'result':
        return this.#takeResult(object);
      default:
        return [];
    }
  }

  #system(object: JsonObject): readonly AgentEvent[] {
    this.#version = asText(object.claude_code_version) ?? this.#version;
    if (object.subtype === 'init') this.#model = asText(object.model);
    if (object.subtype === 'permission_denied') {
      const tool = asText(object.tool_name) ?? 'a tool';
      return [{ type: 'notice', message: `${title} was denied permission to use ${tool}.` }];
    }
    return object.subtype === 'api_retry' ? this.#retry(object) : [];
  }

  #retry(object: JsonObject): readonly AgentEvent[] {
    const delayMs = asNumber(object.retry_delay_ms) ?? 0;
    const attempt = asNumber(object.attempt) ?? 1;
    this.#waitMs = isBeyondBackoff(delayMs, attempt) ? Math.ceil(delayMs) : undefined;
    const what = asNumber(object.error_status) ?? asText(object.error) ?? 'an error';
    const seconds = (delayMs / 1000).toFixed(1);
    return [
      {
        type: 'notice',
        message: `The model service answered ${what}; ${title} retries in ${seconds} s.`,
      },
    ];
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
    // The CLI reports its own errors as text of this model and repeats them in the result line.
    if (message.model === '<synthetic>') return [];
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
    const models = asObject(object.model_usage_since_last_result);
    if (models !== undefined) this.#resultCost = (this.#resultCost ?? 0) + costOf(models);
    return closed;
  }

  outcome(exit: ProcessExit, before: Usage): TurnOutcome {
    const failure = abnormalExitFailure(exit, title, installHint) ?? this.#failure(exit);
    const total = asNumber(this.#result?.total_cost_usd);
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
    if (result === undefined) return missingResultFailure(exit, title, patterns);
    if (result.is_error === false && result.subtype === 'success') return exitCodeFailure(exit, title);
    const failure = resultFailure(result, exit);
    const waits = failure.kind === 'rate-limit' || failure.kind === 'overloaded';
    return waits && this.#waitMs !== undefined ? { ...failure, retryAfterMs: this.#waitMs } : failure;
  }
}

/**
 * Claude Code waits as long as Retry-After requires, otherwise 0.5 s doubled at every try, plus up to a quarter.
 * It prints the delay but not its source (2.1.330). A delay well above that comes from the service.
 */
function isBeyondBackoff(delayMs: number, attempt: number): boolean {
  return delayMs > 500 * 2 ** (attempt - 1) * 1.5;
}

/** An API error has subtype `success`, `is_error` true and, from the service, a status. */
function resultFailure(result: JsonObject, exit: ProcessExit): Failure {
  const errors = Array.isArray(result.errors) ? result.errors.flatMap((entry) => asText(entry) ?? []) : [];
  const message =
    asText(result.result) ??
    asText(errors.join('\n')) ??
    asText(exit.stderrTail) ??
    `${title} reported no reason.`;
  if (result.subtype === 'error_max_turns' || result.subtype === 'error_max_budget_usd')
    return { ...classifyFailure(message, []), kind: 'guard' };
  if (result.terminal_reason === 'prompt_too_long')
    return { ...classifyFailure(message, []), kind: 'context' };
  const kind = kindOfStatus(asNumber(result.api_error_status) ?? 0);
  return kind === undefined ? classifyFailure(message, patterns) : { ...classifyFailure(message, []), kind };
}

function kindOfStatus(status: number): Failure['kind'] | undefined {
  if (status === 401 || status === 403) return 'auth';
  if (status === 429) return 'rate-limit';
  if (status === 413) return 'context';
  return status >= 500 ? 'overloaded' : undefined;
}

function usageFrom(value: unknown): Usage {
  const usage = asObject(value) ?? {};
  return toUsage({
    inputTokens: asNumber(usage.input_tokens),
    outputTokens: asNumber(usage.output_tokens),
    cacheReadTokens: asNumber(usage.cache_read_input_tokens),
    cacheWriteTokens: asNumber(usage.cache_creation_input_tokens),
  });
}

function costOf(models: JsonObject): number {
  return Object.values(models).reduce<number>(
    (sum, model) => sum + (asNumber(asObject(model)?.costUSD) ?? 0),
    0,
  );
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
