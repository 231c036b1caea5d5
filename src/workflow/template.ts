/**
 * Templates: text that contains `{name}`. This module parses and fills them; `resolve-name.ts` resolves names.
 *
 * TEMPLATE1 One pass: an inserted value is neither expanded nor cleaned again, because it may come from outside.
 * TEMPLATE2 A line of the template that contains a name and is blank after filling is removed. Lines that are
 *           blank in the template stay, and so do blank lines inside an inserted value.
 */

export interface Template {
  readonly lines: readonly TemplateLine[];
}

type TemplateLine = readonly Piece[];
type Piece = { readonly text: string } | { readonly name: string };

// The order matters: an escape is matched before a name, so `{{a}}` is the text `{a}` and `{{{a}}}` is `{` value `}`.
const token = /\{\{|\}\}|\{([\p{L}\p{M}\p{N}_./-]+)\}/gu;

/** Never fails: a brace that is neither an escape nor encloses a name is text. */
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

/** The names in the template, each once, in order of first use. */
export function templateNames(template: Template): readonly string[] {
  const found = template.lines.flat().flatMap((piece) => ('name' in piece ? [piece.name] : []));
  return [...new Set(found)];
}

/** Fills the template. A name that resolves to `undefined` becomes empty text. */
export function renderTemplate(template: Template, resolve: (name: string) => string | undefined): string {
  return template.lines.flatMap((line) => renderLine(line, resolve)).join('\n');
}

function renderLine(line: TemplateLine, resolve: (name: string) => string | undefined): readonly string[] {
  const filled = line.map((piece) => ('name' in piece ? (resolve(piece.name) ?? '') : piece.text)).join('');
  const hasName = line.some((piece) => 'name' in piece);
  return hasName && filled.trim() === '' ? [] : [filled];
}
