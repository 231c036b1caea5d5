/**
 * Lines of JSON as the CLIs print them, read without trust: a line or a field that is not what was expected
 * is `undefined`, never an error (P1). What the fields mean is left to the readers.
 */

export type JsonObject = Readonly<Record<string, unknown>>;

/** The object on this line; `undefined` for noise, half lines and other JSON values. */
export function parseLine(line: string): JsonObject | undefined {
  // Most noise is plain text, and a thrown SyntaxError for every line of it is slow.
  if (!line.trimStart().startsWith('{')) return undefined;
  try {
    return asObject(JSON.parse(line));
  } catch {
    return undefined;
  }
}

export function asObject(value: unknown): JsonObject | undefined {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
    ? (value as JsonObject)
    : undefined;
}

/** The objects in a list; anything else is left out. */
export function asObjects(value: unknown): readonly JsonObject[] {
  const entries: readonly unknown[] = Array.isArray(value) ? value : [];
  return entries.map(asObject).filter((entry) => entry !== undefined);
}

/** A text that is not empty. */
export function asText(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined;
}

export function asNumber(value: unknown): number | undefined {
  return typeof value === 'number' && Number.isFinite(value) ? value : undefined;
}

/** One line of at most `limit` characters, for the log; white space of any kind becomes one blank. */
export function oneLine(text: string, limit = 200): string {
  // Cut first: an agent may hand a tool a text of megabytes.
  const line = text
    .slice(0, limit * 4)
    .replace(/\s+/g, ' ')
    .trim();
  return line.length > limit ? `${line.slice(0, limit - 1)}…` : line;
}
