/**
 * A text of an agent as Markdown for GitHub: it keeps its lists, tables and code, but does nothing. It pings nobody,
 * refers to no issue, loads no image, contains no HTML and no invisible characters, and cannot hide anything or change
 * what follows it. Pure.
 *
 * A blank without width (U+200B) follows each sign that could start something. It is the character itself, because an
 * entity would be visible in code. Only the lines of a fenced block at the start of a line stay exactly as they are: such
 * a block interrupts everything else (CommonMark 0.31, "Fenced code blocks"), so GitHub always reads it as code. Of code
 * in any other place, this reader and GitHub could disagree.
 */
import { cleanCode } from '../event/clean-text.js';
import { cutText } from './cut-text.js';

const blank = '\u200b';

/** What starts a tag, a comment, an entity, an image, a mention, a reference, or a definition, which nobody sees. */
const starts = /<(?=[a-z/!?])|&(?=#|[a-z][a-z\d]*;)|!(?=\[)|@(?=\S)|#(?=\d)|\bGH-(?=\d)|\](?=:)/gi;

/** The address of an issue or a pull request is a reference to it, too. */
const addresses = /(?:https?:\/\/|www\.)\S+/gi;
const references = /\/(?:issues|pull|pulls|discussions|commit)\/(?=\w)/gi;

/**
 * What a commit message orders: no CI, and a trailer that names somebody as an author (GitHub documentation, "Skipping
 * workflow runs" and "Creating a commit with multiple authors").
 */
const orders =
  /\[(?=(?:skip ci|ci skip|no ci|skip actions|actions skip)\])|^[ \t]*(?:skip-checks|[a-z-]+-by)(?=\s*:)/gim;

/** For a comment or a review. */
export function agentMarkdown(text: string): string {
  return inertLines(text, (line) => line);
}

/**
 * For the message of a commit, and for a pull request, whose text can become such a message. GitHub does not read that as
 * Markdown, so no line is code: in a fenced block, a mention is a mention, too.
 */
export function agentMessage(text: string): string {
  return inertLines(text, inert).replace(orders, `$&${blank}`);
}

/**
 * As much of the text as has at most `max` bytes when it is Markdown (`toMarkdown`), which adds characters.
 * `undefined` if hardly anything fits.
 */
export function markdownWithin(
  text: string,
  max: number,
  toMarkdown: (text: string) => string,
): { readonly markdown: string; readonly isWhole: boolean } | undefined {
  for (let size = max; size > 100; size = Math.floor(size * 0.7)) {
    const markdown = toMarkdown(cutText(text, size));
    if (Buffer.byteLength(markdown) <= max) return { markdown, isWhole: Buffer.byteLength(text) <= size };
  }
  return undefined;
}

/** `ofCode`: what becomes of a line in a fenced block. A block that is open at the end is closed. */
function inertLines(text: string, ofCode: (line: string) => string): string {
  const lines: string[] = [];
  let fence: OpenFence | undefined;
  for (const line of cleanCode(text).trim().split('\n')) {
    if (fence === undefined) {
      fence = openingOf(line);
      lines.push(fence === undefined ? inert(line) : `${fence.marks}${inert(fence.info)}`);
    } else {
      if (isClosing(line, fence)) fence = undefined;
      lines.push(ofCode(line));
    }
  }
  return [...lines, ...(fence === undefined ? [] : [fence.marks])].join('\n');
}

interface OpenFence {
  readonly marks: string;
  readonly info: string;
}

/** Backticks in the rest of the line make it a piece of code in a paragraph. */
function openingOf(line: string): OpenFence | undefined {
  const [, ticks, tickInfo, tildes, tildeInfo] = /^(?:(`{3,})([^`]*)|(~{3,})(.*))$/.exec(line) ?? [];
  const marks = ticks ?? tildes;
  return marks === undefined ? undefined : { marks, info: tickInfo ?? tildeInfo ?? '' };
}

function isClosing(line: string, { marks }: OpenFence): boolean {
  const found = /^ {0,3}(`{3,}|~{3,})[ \t]*$/.exec(line)?.[1];
  return found !== undefined && found[0] === marks[0] && found.length >= marks.length;
}

function inert(line: string): string {
  return line
    .replace(starts, `$&${blank}`)
    .replace(addresses, (address) => address.replace(references, `$&${blank}`));
}
