/** Names what an input accepts, as a sentence. */
export function useOneOf(allowed: readonly string[]): string {
  return `Use one of: ${allowed.map((one) => `\`${one}\``).join(', ')}.`;
}

/** A value as messages show it: on one line, 100 characters at most. */
export function quoted(text: string): string {
  const shown = JSON.stringify(text);
  return shown.length <= 100 ? shown : `${shown.slice(0, 97)}…"`;
}
