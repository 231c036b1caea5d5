/**
 * Templates: text with `{name}` in it. Parsing and filling only; what a name stands for is `resolve-name.ts`.
 *
 * T1 One pass: what was inserted is never looked at again, neither expanded nor cleaned (contract 5.4).
 * T2 A template line that held a name and is blank once filled goes away; lines that were blank in the
 *    template stay, and so do blank lines inside an inserted value.
 */

export interface Template {
  readonly lines: readonly TemplateLine[];
}

type TemplateLine = readonly Piece[];
type Piece = { readonly text: string } | { readonly name: string };

// In this order: an escape is taken before a name, so `{{a}}` is the text `{a}` and `{{{a}}}` is `{` value `}`.
const token = /\{\{|\}\}|\{([\p{L}\p{M}\p{N}_./-]+)\}/gu;

/** Never fails: a brace that is neither an escape nor round a name is text. */
export function parseTemplate(text: string): Template {
  return { lines: text.split('\n').map(parseLine) };
}

function parseLine(line: string): TemplateLine {
  const pieces: Piece[] = [];
  let done = 0;
  for (const match of line.matchAll(token)) {
    if (match.index > done) pieces.push({ text: line.slice(done, match.index) });
    pieces.push(match[1] === undefined ? { text: match[0].slice(0, 1) } : { name: match[1] });
    done = match.index + match[0].length;
  }
  if (done < line.length) pieces.push({ text: line.slice(done) });
  return pieces;
}

/** The names in it, each once, in the order they first come. */
export function templateNames(template: Template): readonly string[] {
  const found = template.lines.flat().flatMap((piece) => ('name' in piece ? [piece.name] : []));
  return [...new Set(found)];
}

/** Fills it in; a name that resolves to `undefined` becomes nothing. */
export function renderTemplate(template: Template, resolve: (name: string) => string | undefined): string {
  return template.lines.flatMap((line) => renderLine(line, resolve)).join('\n');
}

function renderLine(line: TemplateLine, resolve: (name: string) => string | undefined): readonly string[] {
  const filled = line.map((piece) => ('name' in piece ? (resolve(piece.name) ?? '') : piece.text)).join('');
  const hasName = line.some((piece) => 'name' in piece);
  return hasName && filled.trim() === '' ? [] : [filled];
}
