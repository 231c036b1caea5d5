/** Compares settings regardless of the order and the layout in which a CLI writes them. Pure. */
import { asObject, type JsonObject } from './ndjson.js';

/** The part of a JSON object that `select` returns, as text. Empty text is `{}`; text that is no JSON object stays. */
export function canonicalJson(text: string, select: (settings: JsonObject) => unknown): string {
  const settings = text.trim() === '' ? {} : parseObject(text);
  return settings === undefined ? text : JSON.stringify(sorted(select(settings)));
}

function parseObject(text: string): JsonObject | undefined {
  try {
    return asObject(JSON.parse(text.replace(/^\uFEFF/, '')));
  } catch {
    return undefined;
  }
}

function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  const object = asObject(value);
  if (object === undefined) return value;
  return Object.fromEntries(
    Object.entries(object)
      .sort()
      .map(([key, inner]) => [key, sorted(inner)]),
  );
}
