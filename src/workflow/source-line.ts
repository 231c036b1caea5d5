/** Formats one line of a workflow file, or a part of it, for people. Never throws, whatever the line contains. */

const width = 100;
const lead = 50;

export interface CutLine {
  readonly before: string;
  readonly marked: string;
  readonly after: string;
}

/** The line in three pieces, about 100 characters in total; `…` marks omitted text. */
export function cutAround(line: string, start: number, end: number): CutLine {
  const before = Array.from(line.slice(0, start));
  const marked = Array.from(line.slice(start, Math.max(start, end)));
  const after = Array.from(line.slice(Math.max(start, end)));
  if (before.length + marked.length + after.length <= width) {
    return { before: before.join(''), marked: marked.join(''), after: after.join('') };
  }
  const room = width - Math.min(before.length, lead);
  return {
    before: before.length > lead ? `…${before.slice(-lead).join('')}` : before.join(''),
    marked: head(marked, room),
    after: head(after, Math.max(0, room - marked.length)),
  };
}

function head(characters: readonly string[], room: number): string {
  return characters.length > room ? `${characters.slice(0, room).join('')}…` : characters.join('');
}

// East Asian characters and emoji take two columns in a terminal; marks and joiners take none.
const wide =
  /[\p{Emoji_Presentation}\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Hangul}\u3000-\u303f\uff01-\uff60]/u;
const zeroWidth = /[\p{Mn}\p{Me}\p{Cf}]/u;

/** Spaces as wide as the text. Tabs stay tabs, so that a caret below is in the right column. */
export function caretPadding(text: string): string {
  const padding = (character: string): string => {
    if (character === '\t') return '\t';
    if (zeroWidth.test(character)) return '';
    return wide.test(character) ? '  ' : ' ';
  };
  return Array.from(text, padding).join('');
}

/** Replaces control characters by `�`, because a terminal or a log would interpret them. Tabs stay. */
export function printable(text: string): string {
  return text.replace(/(?!\t)[\p{Cc}\u2028\u2029]/gu, '�');
}

/** User text for a message: on one line, with tabs and line breaks as `\\t` and `\\n`, at most 60 characters. */
export function excerpt(text: string): string {
  const onOneLine = text.slice(0, 200).replace(/[\t\r\n]/g, (blank) => JSON.stringify(blank).slice(1, -1));
  const characters = Array.from(printable(onOneLine));
  return characters.length > 60 ? `${characters.slice(0, 60).join('')}…` : characters.join('');
}
