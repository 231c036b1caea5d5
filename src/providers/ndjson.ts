/**
 * Reads lines of JSON that CLIs print. They are not trusted: an unexpected line or field is `undefined`, never an
 * error (PROVIDER1). The readers interpret the fields.
 */

export type JsonObject = Readonly<Record<string, unknown>>;

/** The object on this line; `undefined` for other text, incomplete lines and other JSON values. */
export function parseLine(line: string): JsonObject | undefined {
  // Most other lines are plain text, and throwing a SyntaxError for each is slow.
  if (!line.startsWith('{') && !line.trimStart().startsWith('{')) return undefined;
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

/** Larger numbers of tokens or dollars are no real ones. */
const limits = { tokens: 1e12, usd: 1e6 };

/** The value if it can be an amount of tokens. */
export function asTokens(value: unknown): number | undefined {
  return isAmount(value, limits.tokens) ? value : undefined;
}

/** The value if it can be a cost in dollars. */
export function asUsd(value: unknown): number | undefined {
  return isAmount(value, limits.usd) ? value : undefined;
}

function isAmount(value: unknown, maximum: number): value is number {
  return typeof value === 'number' && value >= 0 && value <= maximum;
}

export interface IgnoredNumber {
  readonly name: string;
  readonly value: number;
}

/** No reader looks deeper. A line may be nested so deep that a search of all of it would exceed the stack. */
const deepestNumber = 8;
const tokenName = /tokens?$|^(?:input|output|cached?|read|write|reasoning|total)$/i;
const costName = /cost(?:_?usd)?$/i;
/** What the agent or its tools wrote, not the CLI. */
const foreignFields: ReadonlySet<string> = new Set([
  'content',
  'input',
  'parameters',
  'result',
  'item',
  'state',
  'text',
]);

/** The numbers in a line that are no real amounts, so that readers leave them out. */
export function ignoredNumbers(object: JsonObject): readonly IgnoredNumber[] {
  const found: IgnoredNumber[] = [];
  collectIgnored(object, found, 1);
  return found;
}

/** A plain loop that skips texts, because this runs for every line: a search of its text takes longer than parsing it. */
function collectIgnored(object: JsonObject, found: IgnoredNumber[], depth: number): void {
  for (const name in object) {
    const value = object[name];
    if (typeof value === 'number') {
      if (isIgnored(name, value)) found.push({ name, value });
    } else if (typeof value === 'object' && depth < deepestNumber && !foreignFields.has(name)) {
      const inner = asObject(value);
      if (inner !== undefined) collectIgnored(inner, found, depth + 1);
    }
  }
}

function isIgnored(name: string, value: number): boolean {
  // The usual numbers, without a search of their name.
  if (value >= 0 && value <= limits.usd) return false;
  if (costName.test(name)) return !isAmount(value, limits.usd);
  return tokenName.test(name) && !isAmount(value, limits.tokens);
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
