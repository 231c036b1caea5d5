/** Shortens a text in its middle: error output usually names the cause at its start or at its end. */

/**
 * At most `max` characters (UTF-16 code units): the first and the last lines of `text`, and between them a marker
 * with the number of removed characters. A line is cut only if it does not fit into its half.
 */
export function cutMiddle(text: string, max: number): string {
  if (text.length <= max) return text;
  const room = max - marker(text.length).length;
  if (room <= 0) return keepCharacters(text.slice(0, Math.max(0, max)));
  const head = headOf(text, Math.ceil(room / 2));
  const tail = tailOf(text, room - head.length);
  return head + marker(text.length - head.length - tail.length) + tail;
}

function marker(characters: number): string {
  return `\n[… ${characters} characters left out …]\n`;
}

/** Whole lines without the last line end, or a part of the first line if not even that fits. */
function headOf(text: string, room: number): string {
  const end = text.lastIndexOf('\n', room);
  return end > 0 ? text.slice(0, end) : keepCharacters(text.slice(0, room));
}

function tailOf(text: string, room: number): string {
  const start = text.indexOf('\n', text.length - room - 1);
  return start !== -1 && start < text.length - 1
    ? text.slice(start + 1)
    : keepCharacters(text.slice(text.length - room));
}

/** Removes half of a surrogate pair, which a cut can leave at either end. */
function keepCharacters(text: string): string {
  return text.replace(/^[\uDC00-\uDFFF]|[\uD800-\uDBFF]$/g, '');
}
