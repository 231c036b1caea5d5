/**
 * `session: from: tests`, as the language's documentation writes it, is not YAML: a mapping may not begin on
 * the line of its key. This makes a plain text of the value, `from:□tests`, without moving any other
 * character, so that every offset stays honest. It reads tokens, not lines: what looks like it in a comment,
 * a quoted text or a block of text is left alone.
 */
import { blankPlaceholder, isBlank, isQuoted, type Token, tokens } from './tokens.js';

/** Text of the same length in which every one-line `session: from:` is valid YAML. */
export function rewriteOneLineSessions(text: string): string {
  let rewritten = '';
  let done = 0;
  for (const offset of blanksAfterFrom(text)) {
    rewritten += text.slice(done, offset) + blankPlaceholder;
    done = offset + 1;
  }
  return rewritten + text.slice(done);
}

/** The value as the user wrote it. */
export function withoutPlaceholder(value: string): string {
  return value.startsWith(`from:${blankPlaceholder}`) ? value.replace(blankPlaceholder, ' ') : value;
}

const shape: readonly ((token: Token) => boolean)[] = [
  (token) => token.plain && token.source === 'session',
  (token) => token.source === ':',
  isBlank,
  (token) => token.plain && token.source === 'from',
  (token) => token.source === ':',
  isBlank,
  (token) => token.plain || isQuoted(token),
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
