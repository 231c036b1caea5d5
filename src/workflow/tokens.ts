/** The tokens of a YAML text, for rewriting what the language's documentation writes and YAML does not read. */
import { Lexer } from 'yaml';

export interface Token {
  readonly source: string;
  readonly offset: number;
  /** A text without quotes, or a block of text. */
  readonly plain: boolean;
}

// Private use area: takes the place of blanks in rewritten text, and is no blank to YAML.
export const blankPlaceholder = '\uE000';

// yaml 2.9 marks its tokens: \x1f announces a plain or block text, \x02 a document, \x18 the end of a broken
// flow collection. None of them stands in the source, so none counts for the offset.
const announcesText = '\x1f';
const withoutLength = new Set(['\x02', '\x18']);

export function* tokens(text: string): Generator<Token> {
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

export const isBlank = ({ source }: Token): boolean => /^[ \t]+$/.test(source);
export const isQuoted = ({ source }: Token): boolean => /^["']/.test(source);
