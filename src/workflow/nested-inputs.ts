/**
 * `validate: PATH` and `workflow: PATH` with inputs that are indented deeper than the key, as the language
 * reference shows them, are not valid YAML: PATH would be text and a mapping at once. This module rewrites both
 * to one key, `validate□PATH:`, with the inputs as its value. Only the colon moves, from before PATH to after
 * it, and PATH moves by one character. `splitRewrittenKey` splits the key again.
 */
import type { Span } from './diagnostic.js';
import { blankPlaceholder, isBlank, isQuoted, type Token, tokens } from './tokens.js';

/** Returns text of the same length in which nested inputs are valid YAML. */
export function rewriteNestedInputs(text: string): string {
  let rewritten = '';
  let done = 0;
  for (const { key, blanks, path } of findCalls(text)) {
    const keyEnd = key.offset + key.source.length;
    rewritten += `${text.slice(done, keyEnd)}${blankPlaceholder.repeat(blanks.source.length)}${path}:`;
    done = blanks.offset + blanks.source.length + path.length;
  }
  return rewritten + text.slice(done);
}

export interface RewrittenKey {
  /** `validate` or `workflow`. The spans refer to the original text. */
  readonly key: string;
  readonly at: Span;
  readonly path: string;
  readonly pathAt: Span;
}

/** The original key and path of a rewritten key; `undefined` for any other key. */
export function splitRewrittenKey(key: string, at: Span): RewrittenKey | undefined {
  const [, name, blanks, path] = rewrittenKeyPattern.exec(key) ?? [];
  if (name === undefined || blanks === undefined || path === undefined) return undefined;
  const start = at.start + name.length + 1 + blanks.length;
  return {
    key: name,
    at: { start: at.start, end: at.start + name.length },
    path: withoutQuotes(path),
    pathAt: { start, end: start + path.length },
  };
}

const rewrittenKeyPattern = new RegExp(
  `^(validate|workflow)(${blankPlaceholder}+)([^${blankPlaceholder}]+)$`,
  'u',
);

function withoutQuotes(path: string): string {
  return /^(["']).*\1$/.test(path) ? path.slice(1, -1) : path;
}

interface CallTokens {
  readonly key: Token;
  readonly blanks: Token;
  readonly path: string;
}

function* findCalls(text: string): Generator<CallTokens> {
  let before: readonly Token[] = [];
  for (const token of tokens(text)) {
    const [key, colon, blanks] = before;
    before = [...before.slice(-2), token];
    if (key === undefined || colon?.source !== ':' || blanks === undefined || !isBlank(blanks)) continue;
    if (!key.plain || (key.source !== 'validate' && key.source !== 'workflow')) continue;
    const path = readPath(token);
    if (path !== undefined && hasNestedKey(text, key.offset, token.offset + path.length))
      yield { key, blanks, path };
  }
}

/** Without quotes, YAML reads the deeper-indented inputs as part of the text. Its first line is the path. */
function readPath(token: Token): string | undefined {
  const line = token.source.split('\n', 1)[0] ?? '';
  if (isQuoted(token)) return line === token.source ? line : undefined;
  return token.plain ? line.trimEnd() : undefined;
}

function hasNestedKey(text: string, key: number, pathEnd: number): boolean {
  const rest = lineFrom(text, pathEnd);
  if (!/^\s*$|^\s+#/.test(rest)) return false;
  const column = key - (text.lastIndexOf('\n', key) + 1);
  let at = pathEnd + rest.length + 1;
  while (at < text.length) {
    const line = lineFrom(text, at);
    const indent = line.search(/[^ ]/);
    // A key: text that begins with no quote or dash, up to a colon and a space.
    if (indent >= 0 && !/^\s*(?:#|$)/.test(line))
      return indent > column && /^[^\s"'#[{&*!|>%@`-][^:]*:(?:\s|$)/.test(line.slice(indent));
    at += line.length + 1;
  }
  return false;
}

function lineFrom(text: string, at: number): string {
  const end = text.indexOf('\n', at);
  return text.slice(at, end === -1 ? text.length : end);
}
