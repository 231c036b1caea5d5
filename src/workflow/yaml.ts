/**
 * Reads a YAML text into a tree and reports its YAML problems. Time and depth are bounded for any text: the length
 * is checked first, the depth on the token level, because the YAML composer is recursive.
 */
import {
  Composer,
  type CST,
  type Document,
  isScalar,
  type Node,
  Parser,
  visit,
  type YAMLParseError,
} from 'yaml';
import { type Diagnostic, problem } from './diagnostic.js';
import { rewriteNestedInputs } from './nested-inputs.js';
import { rewriteOneLineSessions } from './one-line-session.js';
import { printable } from './source-line.js';
import type { YamlNode } from './yaml-node.js';
import { buildYamlNode } from './yaml-node-builder.js';

// 512 KB: far more than a workflow needs. yaml 2.9 takes seconds for a longer text that consists of errors.
const longest = 524_288;
const deepest = 100;

export interface YamlResult {
  /** Absent if the file has no content, or was rejected before it was read. */
  readonly tree?: YamlNode;
  readonly problems: readonly Diagnostic[];
  /** Offset of the first syntax error. The tree is unreliable from about there on. */
  readonly brokenAt?: number;
}

export function readYaml(text: string): YamlResult {
  if (text.length > longest) {
    const message = `The file is ${text.length} characters long, but the limit is ${longest}. Split the workflow into several files.`;
    return { problems: [problem('too-large', { start: 0, end: 0 }, message)] };
  }
  const tokens = [...new Parser().parse(rewriteSpellings(text))];
  const tooDeep = findTooDeep(deepest, tokens);
  if (tooDeep !== undefined) {
    const message = `The values here are nested more than ${deepest} levels deep. Reduce the nesting.`;
    return { problems: [problem('too-deep', { start: tooDeep, end: tooDeep + 1 }, message)] };
  }
  return fromDocuments(compose(tokens, text.length), text);
}

/** Returns text of the same length in which the spellings of the language reference are valid YAML. */
function rewriteSpellings(text: string): string {
  return rewriteNestedInputs(rewriteOneLineSessions(text));
}

// The tree builder finds duplicate keys in linear time; the check of the library compares all keys with all.
function compose(tokens: readonly CST.Token[], length: number): readonly Document.Parsed[] {
  const composer = new Composer({ uniqueKeys: false, prettyErrors: false });
  const documents = [...composer.compose(tokens, true, length)];
  return documents as readonly Document.Parsed[];
}

function fromDocuments([first, second]: readonly Document.Parsed[], text: string): YamlResult {
  if (first === undefined) return { problems: [] };
  const syntax = onePerLine(first.errors, text).map((error) => syntaxProblem(error, first, text.length));
  const tags = first.warnings.map(({ message, pos }) =>
    problem('yaml-tag', { start: pos[0], end: pos[1] }, `${sentence(message)} It has no effect. Remove it.`),
  );
  const problems = [...syntax, ...tags, ...(second === undefined ? [] : [manyDocumentsProblem(second)])];
  const broken = first.errors.length === 0 ? {} : { brokenAt: Math.min(...syntax.map(({ start }) => start)) };
  if (first.contents === null) return { problems, ...broken };
  const built = buildYamlNode(first.contents as Node);
  return { tree: built.tree, problems: [...problems, ...built.problems], ...broken };
}

function manyDocumentsProblem(second: Document.Parsed): Diagnostic {
  const start = second.range[0];
  const message =
    'A second YAML document begins here, but a workflow file contains only one. Put each workflow in its own file.';
  return problem('many-documents', { start, end: start }, message);
}

/** One mistake often causes several errors on a line; the first one describes it best. */
function onePerLine(errors: readonly YAMLParseError[], text: string): readonly YAMLParseError[] {
  let lineEnd = -1;
  const sorted = [...errors].sort((a, b) => a.pos[0] - b.pos[0]);
  return sorted.filter(({ pos }) => {
    if (pos[0] <= lineEnd) return false;
    const next = text.indexOf('\n', pos[0]);
    lineEnd = next === -1 ? text.length : next;
    return true;
  });
}

function syntaxProblem(error: YAMLParseError, document: Document.Parsed, length: number): Diagnostic {
  const { code, message, pos } = error;
  const [start, end] = code === 'MISSING_CHAR' ? (openingQuote(document, pos[0]) ?? pos) : pos;
  const [, , hint] = hints.find(([known, text]) => known === code && text.test(message)) ?? [];
  const text = hint === undefined ? sentence(message) : `${sentence(message)} ${hint}`;
  return problem('yaml-syntax', { start: Math.min(start, length), end: Math.min(end, length) }, text);
}

// yaml 2.9 reports a missing closing quote at the end of the file. The opening quote is a more helpful place.
function openingQuote(document: Document.Parsed, end: number): readonly [number, number] | undefined {
  let found: readonly [number, number] | undefined;
  visit(document, (_, node) => {
    if (!isScalar(node) || !node.range || (node.type !== 'QUOTE_DOUBLE' && node.type !== 'QUOTE_SINGLE'))
      return;
    if (node.range[0] < end && node.range[1] >= end) found = [node.range[0], node.range[0] + 1];
  });
  return found;
}

// Hints for error codes and messages of yaml 2.9 that a known mistake in workflow files causes.
const hints: readonly (readonly [code: string, message: RegExp, hint: string])[] = [
  [
    'BLOCK_AS_IMPLICIT_KEY',
    /compact mappings/,
    'Put text that contains `: ` in quotes, and put nested keys on lines of their own.',
  ],
  [
    'UNEXPECTED_TOKEN',
    /at node end/,
    'If text begins with `{`, `[` or a quote, put the whole text in quotes.',
  ],
  ['TAB_AS_INDENT', /./, 'Use spaces.'],
  ['BAD_INDENT', /./, 'Put all items of a list, and all keys of a mapping, in the same column.'],
  [
    'MISSING_CHAR',
    /Sequence item/,
    'Put all items of a list, and all keys of a mapping, in the same column.',
  ],
  ['MISSING_CHAR', /closing/, 'Add the closing quote: everything after the opening quote counts as text.'],
  ['BAD_SCALAR_START', /./, 'Put the text in quotes.'],
];

function sentence(message: string): string {
  const text = printable(message);
  return /[.!?…]$/.test(text) ? text : `${text}.`;
}

/** Offset of a value that is nested too deeply; `undefined` if there is none. Uses its own stack, not recursion, because a file may be hostile. */
function findTooDeep(limit: number, tokens: readonly CST.Token[]): number | undefined {
  const waiting = tokens.map((token) => ({ token: token as NestedToken, depth: 0 }));
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    const { token, depth } = next;
    if (depth > limit) return token.offset;
    for (const inner of innerTokens(token)) waiting.push({ token: inner, depth: depth + 1 });
  }
  return undefined;
}

interface NestedToken {
  readonly offset: number;
  readonly value?: NestedToken | null;
  readonly items?: readonly { readonly key?: NestedToken | null; readonly value?: NestedToken | null }[];
}

function innerTokens(token: NestedToken): readonly NestedToken[] {
  const inner = (token.items ?? []).flatMap((item) => [item.key, item.value]);
  return [token.value, ...inner].filter((one) => one !== undefined && one !== null);
}
