/**
 * Reads the output of `cursor-agent --print --output-format stream-json`. This follows its documentation
 * (2026.03.20): the CLI was unavailable for tests. The last line is a result. A run that fails may print none, and
 * the reason is on standard error.
 */

import type { Failure } from '../failure.js';
import { defined } from '../optional-keys.js';
import type { ProcessExit } from '../system/process.js';
import { stripAnsi } from '../system/strip-ansi.js';
import {
  abnormalExitFailure,
  classifyFailure,
  exitCodeFailure,
  type FailurePatterns,
  missingResultFailure,
  quotaPatterns,
  rejectedKeyPatterns,
} from './exit-failures.js';
import { asObject, asObjects, asText, asTokens, type JsonObject } from './ndjson.js';
import type { AgentEvent, TurnOutcome, TurnReader, Usage } from './provider.js';
import { type TimeSource, withResetTime } from './reset-time.js';
import { createTurnReader, refusedEvents, toolCallEvent, withLimits } from './turn-reader.js';
import { addUsage, toUsage } from './usage.js';

const title = 'Cursor';
export const installHint =
  'Install it in an earlier step, see https://cursor.com/docs/cli; it is not on npm.';

/** Derived from the messages of other CLIs: no failure of this one was observed. */
const patterns: FailurePatterns = [
  ['session-lost', /(chat|session|conversation)\b.*\b(not found|does not exist)|no such chat/i],
  ['context', /context (window|length)|(prompt|conversation) is too long/i],
  ...quotaPatterns,
  ...rejectedKeyPatterns,
  ['auth', /unauthenticated|not logged in|authentication|unauthorized|\b40[123]\b|quota/i],
  ['rate-limit', /rate.?limit|usage limit|too many requests|\b429\b/i],
  ['overloaded', /overloaded|internal server error|unavailable|\b5\d\d\b|timed? ?out|connection|ECONN/i],
];

export function createCursorReader(_before: Usage, time: TimeSource): TurnReader {
  const state = new CursorStream();
  const reader = createTurnReader(
    (object) => state.take(object),
    (exit) => state.outcome({ ...exit, stderrTail: stripAnsi(exit.stderrTail) }),
    () => (state.hasEnded ? 'final' : 'none'),
  );
  return withLimits(reader, time, (line) => readErrorLine(line, time));
}

/** Whether the CLI then waits or ends is not known, so only its silence decides. */
function readErrorLine(line: string, time: TimeSource): readonly AgentEvent[] {
  return refusedEvents(withResetTime(classifyFailure(line, patterns), time), false);
}

class CursorStream {
  #session: string | undefined;
  #text = '';
  /** Id of the present answer. */
  #call: string | undefined;
  #turns = 0;
  #result: JsonObject | undefined;

  get hasEnded(): boolean {
    return this.#result !== undefined;
  }

  take(object: JsonObject): readonly AgentEvent[] {
    return [...this.#noteSession(object), ...this.#read(object)];
  }

  /** Every line contains the id. */
  #noteSession({ type, session_id }: JsonObject): readonly AgentEvent[] {
    const id = asText(session_id);
    if (id === undefined || asText(type) === undefined || id === this.#session) return [];
    this.#session = id;
    return [{ type: 'session', id }];
  }

  #read(object: JsonObject): readonly AgentEvent[] {
    if (object.type === 'assistant') return [...this.#answers(object), ...this.#texts(object)];
    if (object.type === 'tool_call' && object.subtype === 'started')
      return [...this.#answers(object), ...toolEvents(asObject(object.tool_call) ?? {})];
    return object.type === 'result' ? this.#ended(object) : [];
  }

  /** A turn ends when the next answer starts: tool calls have the id of their answer. */
  #answers(object: JsonObject): readonly AgentEvent[] {
    const call = asText(object.model_call_id);
    if (call === undefined || call === this.#call) return [];
    const over = this.#endTurn();
    this.#call = call;
    return over;
  }

  #endTurn(): readonly AgentEvent[] {
    if (this.#call === undefined) return [];
    this.#call = undefined;
    this.#turns += 1;
    return [{ type: 'turn' }];
  }

  #texts(object: JsonObject): readonly AgentEvent[] {
    const content = asObjects(asObject(object.message)?.content);
    const text = content
      .flatMap((block) => (block.type === 'text' ? (asText(block.text) ?? []) : []))
      .join('');
    if (text === '') return [];
    this.#text = text;
    return [{ type: 'text', text }];
  }

  #ended(object: JsonObject): readonly AgentEvent[] {
    this.#result = object;
    return this.#endTurn();
  }

  outcome(exit: ProcessExit): TurnOutcome {
    const failure = abnormalExitFailure(exit, title, installHint) ?? this.#failure(exit);
    const turns = this.#turns + (this.#call === undefined ? 0 : 1);
    const session = failure?.kind === 'session-lost' ? undefined : this.#session;
    return {
      status: failure === undefined ? 'done' : 'failed',
      text: asText(this.#result?.result) ?? this.#text,
      usage: addUsage(resultUsage(this.#result), turns === 0 ? {} : { turns }),
      ...defined({ session, failure }),
    };
  }

  #failure(exit: ProcessExit): Failure | undefined {
    if (this.#result === undefined) return missingResultFailure(exit, title, patterns);
    if (this.#result.is_error === false) return exitCodeFailure(exit, title);
    return classifyFailure(
      asText(this.#result.result) ?? (exit.stderrTail || `${title} reported no reason.`),
      patterns,
    );
  }
}

function resultUsage(result: JsonObject | undefined): Usage {
  const usage = asObject(result?.usage) ?? {};
  return toUsage({
    inputTokens: asTokens(usage.inputTokens),
    outputTokens: asTokens(usage.outputTokens),
    cacheReadTokens: asTokens(usage.cacheReadTokens),
    cacheWriteTokens: asTokens(usage.cacheWriteTokens),
  });
}

/** `{"shellToolCall":{"args":{"command":…}}}`: the only key names the tool. */
function toolEvents(call: JsonObject): readonly AgentEvent[] {
  const name = Object.keys(call)[0];
  if (name === undefined) return [];
  const input = asObject(asObject(call[name])?.args) ?? {};
  const detailKeys = ['command', 'path', 'pattern', 'query', 'url'];
  return [toolCallEvent(name.replace(/ToolCall$/, ''), input, detailKeys)];
}
