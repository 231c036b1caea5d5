/**
 * Removes what people do not see in a text of GitHub but an agent would read: HTML comments and invisible characters.
 * Only for texts that people write on GitHub. Pure.
 */

/** A sequence that is one visible character: emoji joined by U+200D, or with U+FE0F after them. */
const emoji =
  /\p{Extended_Pictographic}\uFE0F?\p{EMod}?(?:\u200D\p{Extended_Pictographic}\uFE0F?\p{EMod}?)+|\p{Extended_Pictographic}\uFE0F|[0-9#*]\uFE0F\u20E3/u;

/**
 * Control characters but tab and newline, half of a pair, what Unicode says to show as nothing (zero width, bidi, soft
 * hyphen, variation selectors, tags), marks of annotations, and format characters of scripts.
 */
const invisible =
  /[\p{Cs}\p{Default_Ignorable_Code_Point}\uFFF9-\uFFFB\u{13430}-\u{1343F}]|(?![\t\n])\p{Cc}/u;

const emojiOrInvisible = new RegExp(`(${emoji.source})|${invisible.source}`, 'gu');

/** Code: without invisible characters. HTML comments stay, because in code everybody sees them. */
export function cleanCode(text: string): string {
  return text
    .replaceAll(/\r\n?|[\u2028\u2029]/g, '\n')
    .replaceAll(emojiOrInvisible, (_, visible?: string) => visible ?? '');
}

/** Markdown: also without HTML comments, up to the end of the text if one is not closed. */
export function cleanMarkdown(text: string): string {
  let cleaned = cleanCode(text);
  // What is left around a comment can form another one.
  for (let rounds = 0; rounds < maxRounds && cleaned.includes('<!--'); rounds += 1)
    cleaned = cleaned.replaceAll(/<!--(?:-?>|[\s\S]*?(?:-->|$))/g, '');
  return cleaned.replaceAll(/<!-{2,}/g, '<!');
}

/** More than any honest text needs. */
const maxRounds = 10;

/** One line: for names, titles and paths. */
export function cleanLine(text: string): string {
  return cleanMarkdown(text)
    .replaceAll(/\s*\n\s*/g, ' ')
    .trim();
}
