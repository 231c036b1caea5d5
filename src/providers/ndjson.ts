/**
 * Reads lines of JSON that CLIs print. They are not trusted: an unexpected line or field is `undefined`, never an
 * error (PROVIDER1). The readers interpret the fields.
 */

export type JsonObject = Readonly<Record<string, unknown>>;

/** The object on this line; `undefined` for other text, incomplete lines and other JSON values. */
export function parseLine(line: string): JsonObject | undefined {
  // Most other lines are plain text, and throwing a SyntaxError for each is slow.
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

/** The objects in a list; anything else is omitted. */
export function asObjects(value: unknown): readonly JsonObject[] {
  const entries: readonly unknown[] = Array.isArray(value) ? value : [];
  return entries.map(asObject).filter((entry) => entry !== undefined);
}

/** The value if it is a text that is not empty. */
export function asText(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined;
}

export function asNumber(value: unknown): number | undefined {
  return typeof value === 'number' && Number.isFinite(value) ? value : undefined;
}

/** One line of at most `limit` characters, for the log. Any white space becomes one blank. */
export function oneLine(text: string, limit = 200): string {
  // Truncate first: an agent may pass a text of megabytes to a tool.
  const line = text
    .slice(0, limit * 4)
    .replace(/\s+/g, ' ')
    .trim();
  return line.length > limit ? `${line.slice(0, limit - 1)}…` : line;
}
