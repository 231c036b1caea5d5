/**
 * Text → tree, or what is wrong with it as YAML. Bounded in time and depth for any text: length is checked
 * before anything, depth on the token level, because the step after it recurses.
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

// 512 KB: far more than a workflow needs, and yaml 2.9 takes seconds for a longer text that is all errors.
const longest = 524_288;
const deepest = 100;

export interface YamlResult {
  /** Absent when there is nothing to look at. */
  readonly tree?: YamlNode;
  readonly problems: readonly Diagnostic[];
  /** Offset of the first fault of syntax: what the tree holds from about there on is guesswork. */
  readonly brokenAt?: number;
}

export function readYaml(text: string): YamlResult {
  if (text.length > longest) {
    const message = `The file is ${text.length} characters long; ${longest} are allowed.`;
    return { problems: [problem('too-large', { start: 0, end: 0 }, message)] };
  }
  const tokens = [...new Parser().parse(rewriteSpellings(text))];
  const tooDeep = findTooDeep(deepest, tokens);
  if (tooDeep !== undefined) {
    const message = `The values here are nested more than ${deepest} deep.`;
    return { problems: [problem('too-deep', { start: tooDeep, end: tooDeep + 1 }, message)] };
  }
  return fromDocuments(compose(tokens, text.length), text);
}

/** Text of the same length in which the spellings of the language's documentation are valid YAML. */
export function rewriteSpellings(text: string): string {
  return rewriteNestedInputs(rewriteOneLineSessions(text));
}

// Keys that stand twice are found by our own tree, which needs no comparison of all with all.
function compose(tokens: readonly CST.Token[], length: number): readonly Document.Parsed[] {
  const composer = new Composer({ uniqueKeys: false, prettyErrors: false });
  const documents = [...composer.compose(tokens, true, length)];
  return documents as readonly Document.Parsed[];
}

function fromDocuments([first, second]: readonly Document.Parsed[], text: string): YamlResult {
  if (first === undefined) return { problems: [] };
  const syntax = onePerLine(first.errors, text).map((error) => syntaxProblem(error, first, text.length));
  const tags = first.warnings.map(({ message, pos }) =>
    problem('yaml-tag', { start: pos[0], end: pos[1] }, `${sentence(message)} It has no effect: remove it.`),
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
    'A second YAML document begins here; a workflow file holds one. Put each workflow in its own file.';
  return problem('many-documents', { start, end: start }, message);
}

/** One slip often gives several errors on a line; the first one says what it is. */
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

// yaml 2.9 tells of a quote that is never closed at the end of the file, where nobody would look for it.
function openingQuote(document: Document.Parsed, end: number): readonly [number, number] | undefined {
  let found: readonly [number, number] | undefined;
  visit(document, (_, node) => {
    if (!isScalar(node) || !node.range || (node.type !== 'QUOTE_DOUBLE' && node.type !== 'QUOTE_SINGLE'))
      return;
    if (node.range[0] < end && node.range[1] >= end) found = [node.range[0], node.range[0] + 1];
  });
  return found;
}

// Error codes and messages of yaml 2.9 behind which a slip is known that people make in workflow files.
const hints: readonly (readonly [code: string, message: RegExp, hint: string])[] = [
  [
    'BLOCK_AS_IMPLICIT_KEY',
    /compact mappings/,
    'Text that holds `: ` has to be in quotes, and what belongs below a key stands on lines of its own.',
  ],
  [
    'UNEXPECTED_TOKEN',
    /at node end/,
    'Text that begins with `{`, `[` or a quote has to be in quotes as a whole.',
  ],
  ['TAB_AS_INDENT', /./, 'Use spaces.'],
  ['BAD_INDENT', /./, 'Keys of one mapping stand one below the other, in the same column.'],
  ['MISSING_CHAR', /Sequence item/, 'Keys of one mapping stand one below the other, in the same column.'],
  ['MISSING_CHAR', /closing/, 'Everything after the quote is taken for text.'],
  ['BAD_SCALAR_START', /./, 'Put the text in quotes.'],
];

function sentence(message: string): string {
  const text = printable(message);
  return /[.!?…]$/.test(text) ? text : `${text}.`;
}

/** Where a value lies deeper than that; `undefined` if none does. Walks with its own stack, as a file may be hostile. */
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
