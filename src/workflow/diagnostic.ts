/**
 * One problem of a workflow file, and how it is shown. The code works with offsets; lines and columns are
 * computed only for the output, because they need the text of the file.
 */
import { codes, type DiagnosticCode, type Severity } from './diagnostic-codes.js';
import { caretPadding, cutAround, printable } from './source-line.js';

export interface Diagnostic {
  readonly code: DiagnosticCode;
  readonly severity: Severity;
  /** What is wrong, and what to do about it. */
  readonly message: string;
  /** Offsets into the text of the file, end not included. */
  readonly start: number;
  readonly end: number;
}

/** A part of the text: offsets, end not included. */
export interface Span {
  readonly start: number;
  readonly end: number;
}

/** All values count from 1. `endColumn` is the column after the last character, in UTF-16 units as in editors. */
export interface Position {
  readonly line: number;
  readonly column: number;
  readonly endLine: number;
  readonly endColumn: number;
}

export interface SourceFile {
  /** Path relative to the root of the repository. */
  readonly file: string;
  readonly text: string;
}

/** A problem of this kind at this place. The code determines the severity. */
export function problem(code: DiagnosticCode, at: Span, message: string): Diagnostic {
  return { code, severity: codes[code].severity, message, start: at.start, end: Math.max(at.start, at.end) };
}

/** Lines and columns for annotations. Offsets beyond the text count as its end. */
export function positionOf(diagnostic: Span, text: string): Position {
  const from = lineAndColumn(text, diagnostic.start);
  const to = lineAndColumn(text, diagnostic.end);
  return { line: from.line, column: from.column, endLine: to.line, endColumn: to.column };
}

/**
 * `file:line:column: error: message [code]`, then the source line with its number, then carets under the
 * problem. Long lines are cut to about 100 characters around the carets. The text has no final line break.
 */
export function renderDiagnostic(diagnostic: Diagnostic, source: SourceFile): string {
  const { line, column } = positionOf(diagnostic, source.text);
  return `${source.file}:${line}:${column}: ${diagnostic.severity}: ${describeDiagnostic(diagnostic, source)}`;
}

/** The same without place and severity, for an annotation, which has both. */
export function describeDiagnostic(diagnostic: Diagnostic, source: SourceFile): string {
  const { line, column, endLine, endColumn } = positionOf(diagnostic, source.text);
  const { message, code } = diagnostic;
  const head = `${message} [${code}]`;
  const full = lineAt(source.text, diagnostic.start);
  const last = endLine === line ? endColumn - 1 : full.length;
  const { before, marked, after } = cutAround(full, column - 1, last);
  const gutter = String(line).padStart(4);
  const blank = ' '.repeat(gutter.length);
  const carets = '^'.repeat(Math.max(1, caretPadding(marked).length));
  const shown = printable(`${before}${marked}${after}`);
  return `${head}\n${gutter} | ${shown}\n${blank} | ${caretPadding(before)}${carets}`;
}

function lineAndColumn(text: string, offset: number): { readonly line: number; readonly column: number } {
  const end = Math.min(Math.max(0, offset), text.length);
  let line = 1;
  let lineStart = 0;
  for (let at = text.indexOf('\n'); at !== -1 && at < end; at = text.indexOf('\n', at + 1)) {
    line += 1;
    lineStart = at + 1;
  }
  return { line, column: end - lineStart + 1 };
}

function lineAt(text: string, offset: number): string {
  const from = offset === 0 ? 0 : text.lastIndexOf('\n', offset - 1) + 1;
  const to = text.indexOf('\n', from);
  return text.slice(from, to === -1 ? text.length : to).replace(/\r$/, '');
}
