/** Tokens of a YAML text, for rewriting spellings of the language reference that are not valid YAML. */
import { Lexer } from 'yaml';

export interface Token {
  readonly source: string;
  readonly offset: number;
  /** Whether this is a plain (unquoted) scalar or a block scalar. */
  readonly plain: boolean;
}

// Replaces spaces in rewritten text. A character of the private use area, so that YAML does not treat it as a space.
export const blankPlaceholder = '\uE000';

// yaml 2.9 adds marker tokens: \x1f before a plain or block scalar, \x02 before a document, \x18 at the end of a
// broken flow collection. They are not part of the source, so they do not count for the offset.
const scalarMarker = '\x1f';
const zeroLengthMarkers = new Set(['\x02', '\x18']);

export function* tokens(text: string): Generator<Token> {
  let offset = 0;
  let plain = false;
  for (const source of new Lexer().lex(text)) {
    if (!plain && source === scalarMarker) {
      plain = true;
    } else if (plain || !zeroLengthMarkers.has(source)) {
      yield { source, offset, plain };
      offset += source.length;
      plain = false;
    }
  }
}

export const isBlank = ({ source }: Token): boolean => /^[ \t]+$/.test(source);
export const isQuoted = ({ source }: Token): boolean => /^["']/.test(source);
