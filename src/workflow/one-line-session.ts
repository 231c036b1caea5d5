/**
 * `session: from: tests`, as the language reference shows it, is not valid YAML: a mapping must not begin on
 * the line of its key. This module rewrites the value to a plain scalar, `from:□tests`. No character moves, so
 * all offsets stay correct. It reads tokens, not lines, and therefore ignores similar text in comments, quoted
 * text and block scalars.
 */
import { blankPlaceholder, isBlank, isQuoted, type Token, tokens } from './tokens.js';

/** Returns text of the same length in which every one-line `session: from:` is valid YAML. */
export function rewriteOneLineSessions(text: string): string {
  let rewritten = '';
  let done = 0;
  for (const offset of blanksAfterFrom(text)) {
    rewritten += text.slice(done, offset) + blankPlaceholder;
    done = offset + 1;
  }
  return rewritten + text.slice(done);
}

/** The value as the file contains it. */
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
