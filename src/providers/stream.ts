/** What the readers of all CLIs share: a line becomes an object, and what is no object is no event (P1). */

import type { Exit } from '../system/process.js';
import { asObject, asText, type JsonObject, oneLine, parseLine } from './ndjson.js';
import type { AgentEvent, TurnOutcome, TurnReader } from './provider.js';

export function readerOf(
  take: (object: JsonObject) => readonly AgentEvent[],
  end: (exit: Exit) => TurnOutcome,
  model: () => string | undefined = () => undefined,
): TurnReader {
  return {
    line: (line) => {
      const object = parseLine(line);
      return object === undefined ? [] : take(object);
    },
    end,
    model,
  };
}

/** What comes after an answer was said to be over and belongs to it all the same. */
export function ofLast(events: readonly AgentEvent[]): readonly AgentEvent[] {
  return events.map((event) =>
    event.type === 'text' || event.type === 'tool' ? { ...event, isOfLast: true } : event,
  );
}

/** A tool call; its detail is the first of the inputs in `telling` that is a text. */
export function toolCall(name: string, input: JsonObject, telling: readonly string[]): AgentEvent {
  const detail = telling.flatMap((key) => asText(input[key]) ?? [])[0];
  return { type: 'tool', name, ...(detail === undefined ? {} : { detail: oneLine(detail) }) };
}

/** A part of a message as Claude Code writes them, and those that speak its format. */
export function contentEvent(part: JsonObject, telling: readonly string[]): readonly AgentEvent[] {
  const text = part.type === 'text' ? asText(part.text) : undefined;
  if (text !== undefined) return [{ type: 'text', text }];
  if (part.type !== 'tool_use') return [];
  return [toolCall(asText(part.name) ?? 'tool', asObject(part.input) ?? {}, telling)];
}
