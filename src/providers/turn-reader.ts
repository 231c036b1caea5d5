/** Shared by the readers of all CLIs: a line becomes an object; a line that is not an object gives no event (PROVIDER1). */

import type { Failure } from '../failure.js';
import type { ProcessExit } from '../system/process.js';
import { stripAnsi } from '../system/strip-ansi.js';
import { asObject, asText, ignoredNumbers, type JsonObject, oneLine, parseLine } from './ndjson.js';
import type { AgentEvent, ResultState, TurnOutcome, TurnReader } from './provider.js';
import { type TimeSource, withResetTime } from './reset-time.js';

/** `skim`: takes a frequent line that gives no events from its text, because parsing takes most of the time. */
export function createTurnReader(
  take: (object: JsonObject) => readonly AgentEvent[],
  end: (exit: ProcessExit) => TurnOutcome,
  resultState: () => ResultState,
  model: () => string | undefined = () => undefined,
  skim: (line: string) => boolean = () => false,
): TurnReader {
  return {
    readLine: (line) => {
      if (skim(line)) return [];
      const object = parseLine(line);
      if (object === undefined) return [];
      const ignored = ignoredNumbers(object);
      const events = take(object);
      return ignored.length === 0
        ? events
        : [...events, ...ignored.map((number) => ({ type: 'ignored-number', ...number }) as const)];
    },
    finish: end,
    currentModel: model,
    resultState,
  };
}

/** Marks events that come after the `turn` event of the answer to which they belong. */
export function markAsLastTurn(events: readonly AgentEvent[]): readonly AgentEvent[] {
  return events.map((event) =>
    event.type === 'text' || event.type === 'tool' ? { ...event, isOfLast: true } : event,
  );
}

/** A tool call. Its detail is the first of the inputs in `detailKeys` that is a text. */
export function toolCallEvent(name: string, input: JsonObject, detailKeys: readonly string[]): AgentEvent {
  const detail = detailKeys.flatMap((key) => asText(input[key]) ?? [])[0];
  return { type: 'tool', name, ...(detail === undefined ? {} : { detail: oneLine(detail) }) };
}

/** A part of a message in the format of Claude Code, which other CLIs use too. */
export function messagePartEvents(part: JsonObject, detailKeys: readonly string[]): readonly AgentEvent[] {
  const text = part.type === 'text' ? asText(part.text) : undefined;
  if (text !== undefined) return [{ type: 'text', text }];
  if (part.type !== 'tool_use') return [];
  return [toolCallEvent(asText(part.name) ?? 'tool', asObject(part.input) ?? {}, detailKeys)];
}

/** Characters. Messages about limits are short, and a search of a line of megabytes takes long. */
const longestErrorLine = 20_000;

/**
 * The reader of a CLI whose service may limit requests: with the time of the reset in its failure, and with what single
 * lines of standard error, without colours, say about a limit.
 */
export function withLimits(
  reader: TurnReader,
  time: TimeSource,
  readErrorLine: (line: string) => readonly AgentEvent[] = () => [],
): TurnReader {
  return {
    ...reader,
    readErrorLine: (line) => (line.length > longestErrorLine ? [] : readErrorLine(stripAnsi(line))),
    finish(exit) {
      const outcome = reader.finish(exit);
      const { failure } = outcome;
      return failure === undefined ? outcome : { ...outcome, failure: withResetTime(failure, time) };
    },
  };
}

/** The event of a refused request, if the service limits requests. */
export function refusedEvents(failure: Failure, isWaiting: boolean): readonly AgentEvent[] {
  return failure.kind === 'rate-limit' ? [{ type: 'refused', failure, isWaiting }] : [];
}
