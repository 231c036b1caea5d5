/** What the readers of all CLIs share: a line becomes an object, and what is no object is no event (P1). */

import type { ProcessExit } from '../system/process.js';
import { asObject, asText, type JsonObject, oneLine, parseLine } from './ndjson.js';
import type { AgentEvent, TurnOutcome, TurnReader } from './provider.js';

export function createTurnReader(
  take: (object: JsonObject) => readonly AgentEvent[],
  end: (exit: ProcessExit) => TurnOutcome,
  model: () => string | undefined = () => undefined,
): TurnReader {
  return {
    readLine: (line) => {
      const object = parseLine(line);
      return object === undefined ? [] : take(object);
    },
    finish: end,
    currentModel: model,
  };
}

/** What comes after an answer was said to be over and belongs to it all the same. */
export function markAsLastTurn(events: readonly AgentEvent[]): readonly AgentEvent[] {
  return events.map((event) =>
    event.type === 'text' || event.type === 'tool' ? { ...event, isOfLast: true } : event,
  );
}

/** A tool call; its detail is the first of the inputs in `telling` that is a text. */
export function toolCallEvent(name: string, input: JsonObject, detailKeys: readonly string[]): AgentEvent {
  const detail = detailKeys.flatMap((key) => asText(input[key]) ?? [])[0];
  return { type: 'tool', name, ...(detail === undefined ? {} : { detail: oneLine(detail) }) };
}

/** A part of a message as Claude Code writes them, and those that speak its format. */
export function messagePartEvents(part: JsonObject, detailKeys: readonly string[]): readonly AgentEvent[] {
  const text = part.type === 'text' ? asText(part.text) : undefined;
  if (text !== undefined) return [{ type: 'text', text }];
  if (part.type !== 'tool_use') return [];
  return [toolCallEvent(asText(part.name) ?? 'tool', asObject(part.input) ?? {}, detailKeys)];
}
