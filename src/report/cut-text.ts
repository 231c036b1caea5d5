/** Shortens a text to a number of bytes. Cut after redaction only: half a secret is not found any more. Pure. */

/** The most that a text in `report.json` and the output `result` have. */
export const maxResultBytes = 64 * 1024;

/** At most `max` bytes of UTF-8: the start of the text, and a note with the number of bytes that are missing. */
export function cutText(text: string, max: number = maxResultBytes): string {
  const size = Buffer.byteLength(text);
  if (size <= max) return text;
  const start = startOf(text, Math.max(0, max - note(size).length - 2));
  return `${start}${note(size - Buffer.byteLength(start))}`;
}

function note(bytes: number): string {
  return `\n\n[... ${bytes} more bytes]`;
}

/** As many whole characters as fit. */
function startOf(text: string, max: number): string {
  const bytes = Buffer.from(text);
  let end = max;
  // A byte `10xxxxxx` continues a character.
  while (end > 0 && ((bytes[end] ?? 0) & 0xc0) === 0x80) end -= 1;
  return bytes.toString('utf8', 0, end);
}
