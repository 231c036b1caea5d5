/** Cuts texts at the ends of lines to a number of bytes. Pure. */

/** The first lines that have at most `maxBytes`, without the last newline; the text itself if it is short enough. */
export function cutAtLine(text: string, maxBytes: number): string {
  const bytes = Buffer.from(text);
  if (bytes.length <= maxBytes) return text;
  const end = bytes.lastIndexOf('\n', maxBytes);
  if (end >= 0) return bytes.subarray(0, end).toString();
  // One very long line. A character of several bytes is not cut in two.
  return bytes
    .subarray(0, maxBytes)
    .toString()
    .replace(/\uFFFD+$/, '');
}
