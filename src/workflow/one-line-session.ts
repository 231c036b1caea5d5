/**
 * `session: from: tests`, as the language's documentation writes it, is not YAML: a mapping may not begin on
 * the line of its key. This makes a plain text of the value, `from:□tests`, without moving any other
 * character, so that every offset stays honest. It reads tokens, not lines: what looks like it in a comment,
 * a quoted text or a block of text is left alone.
 */
import { Lexer } from 'yaml';

// Private use area: takes the place of the one blank, and is no blank to YAML.
const mark = '\uE000';

/** Text of the same length in which every one-line `session: from:` is valid YAML. */
export function rewriteOneLineSessions(text: string): string {
  let rewritten = '';
  let done = 0;
  for (const offset of blanksAfterFrom(text)) {
    rewritten += text.slice(done, offset) + mark;
    done = offset + 1;
  }
  return rewritten + text.slice(done);
}

/** The value as the user wrote it. */
export function withoutMark(value: string): string {
  return value.startsWith(`from:${mark}`) ? value.replace(mark, ' ') : value;
}

type Token = { readonly source: string; readonly offset: number; readonly plain: boolean };

const shape: readonly ((token: Token) => boolean)[] = [
  (token) => token.plain && token.source === 'session',
  (token) => token.source === ':',
  (token) => /^[ \t]+$/.test(token.source),
  (token) => token.plain && token.source === 'from',
  (token) => token.source === ':',
  (token) => /^[ \t]+$/.test(token.source),
  (token) => token.plain || /^["']/.test(token.source),
];

function* blanksAfterFrom(text: string): Generator<number> {
  let matched = 0;
  let blank = 0;
  for (const token of tokens(text)) {
    matched = shape[matched]?.(token) ? matched + 1 : shape[0]?.(token) ? 1 : 0;
    if (matched === shape.length - 1) blank = token.offset;
    if (matched < shape.length) continue;
    yield blank;
    matched = 0;
  }
}

// yaml 2.9 marks its tokens: \x1f announces a plain or block text, \x02 a document, \x18 the end of a broken
// flow collection. None of them stands in the source, so none counts for the offset.
const announcesText = '\x1f';
const withoutLength = new Set(['\x02', '\x18']);

function* tokens(text: string): Generator<Token> {
  let offset = 0;
  let plain = false;
  for (const source of new Lexer().lex(text)) {
    if (!plain && source === announcesText) {
      plain = true;
    } else if (plain || !withoutLength.has(source)) {
      yield { source, offset, plain };
      offset += source.length;
      plain = false;
    }
  }
}
