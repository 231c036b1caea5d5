/**
 * Separates the text in a TypeScript file from its code, with a small scanner (TypeScript 7 has no API for this).
 * Both functions return text of the same length with the same line breaks, so that offsets and lines stay valid.
 * `\0` replaces every other character.
 */

/** Keeps only the comments, without their markers. */
export function commentsIn(source: string): string {
  return keepParts(source, 'comment', (text) => text.replaceAll(commentMarker, blanks));
}

/** Keeps only string and template literals that contain a space: people or agents may read those. */
export function textsIn(source: string): string {
  return keepParts(source, 'string', (text) => (text.includes(' ') ? text : hidden(text)));
}

const commentMarker = /^[ \t]*(?:\/\*\*?|\/\/|\*(?!\/))|\*\/$/gm;

type PartKind = 'code' | 'comment' | 'string';

interface SourcePart {
  readonly kind: PartKind;
  readonly text: string;
}

function keepParts(source: string, kind: PartKind, convert: (text: string) => string): string {
  const pieces = partsOf(source).map((part) => (part.kind === kind ? convert(part.text) : hidden(part.text)));
  return pieces.join('');
}

const hidden = (text: string): string => text.replaceAll(/\S/g, '\0');
const blanks = (text: string): string => ' '.repeat(text.length);

const comment = /\/\/[^\n]*|\/\*.*?\*\//sy;
const quoted = /'(?:\\.|[^'\\\n])*'|"(?:\\.|[^"\\\n])*"/sy;
const regex = /\/(?:\\.|\[(?:\\.|[^\]\\\n])*\]|[^/\\[\n])+\/[a-z]*/y;
const other = /[\w$]+|./sy;
/** From a backtick, or from the brace that ends an expression, to the next expression or the end. */
const templatePart = /[`}](?:\\.|\$(?!\{)|[^`\\$])*(?:\$\{|`)/sy;

function partsOf(source: string): readonly SourcePart[] {
  const parts: SourcePart[] = [];
  /** For each template around the current position, the number of open braces in its expression. */
  const openBraces: number[] = [];
  for (let at = 0; at < source.length; ) {
    const part = nextPart(source, at, openBraces.at(-1) === 0);
    trackBraces(openBraces, part.text);
    parts.push(part);
    at += part.text.length;
  }
  return parts;
}

function nextPart(source: string, at: number, mayEndExpression: boolean): SourcePart {
  const first = source[at];
  if (first === '`' || (first === '}' && mayEndExpression))
    return { kind: 'string', text: matchAt(templatePart, source, at) ?? first };
  const commentText = matchAt(comment, source, at);
  if (commentText !== undefined) return { kind: 'comment', text: commentText };
  const quotedText = matchAt(quoted, source, at);
  if (quotedText !== undefined) return { kind: 'string', text: quotedText };
  const regexText = mayBeginRegex(source, at) ? matchAt(regex, source, at) : undefined;
  return { kind: 'code', text: regexText ?? matchAt(other, source, at) ?? '' };
}

function trackBraces(openBraces: number[], text: string): void {
  const [last] = openBraces.slice(-1);
  const isTemplatePart = text.length > 1 && /^[`}]/.test(text);
  if (isTemplatePart && text.startsWith('}')) openBraces.pop();
  if (isTemplatePart && text.endsWith('${')) openBraces.push(0);
  if (last === undefined || isTemplatePart) return;
  if (text === '{') openBraces[openBraces.length - 1] = last + 1;
  if (text === '}') openBraces[openBraces.length - 1] = last - 1;
}

/** A slash after a value is a division. */
function mayBeginRegex(source: string, slash: number): boolean {
  const before = source.slice(Math.max(0, slash - 200), slash).trimEnd();
  return /(?:^|[(,=:[!&|?{};+~>]|\b(?:return|typeof|case|in|of))$/.test(before);
}

function matchAt(pattern: RegExp, source: string, at: number): string | undefined {
  pattern.lastIndex = at;
  return pattern.exec(source)?.[0];
}
