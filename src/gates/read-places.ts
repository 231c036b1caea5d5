/** Reads places from the output of compilers, linters and test runners. Pure. */
import { defined } from '../optional-keys.js';
import type { FindingSeverity } from '../outputs/findings.js';
import { stripAnsi } from '../system/strip-ansi.js';
import { fileHeadings, messageHeadings, type PlacePattern, placePatterns } from './place-patterns.js';

/** A place as a tool printed it. Whether the file exists is unknown. */
export interface PrintedPlace {
  /** Absolute, or relative to the directory of the command; the name of a file alone if the tool prints no more. */
  readonly file: string;
  readonly line: number;
  readonly endLine?: number;
  readonly column?: number;
  readonly severity: FindingSeverity;
  readonly message: string;
}

/** More places than that are looked at for no output. */
const maxPlaces = 200;
const maxLines = 20_000;
/** Longer lines are no messages of a tool. */
const maxLineLength = 2_000;
const maxMessageLength = 500;

/** The places in an output, in its order, without those that only explain another one. */
export function readPlaces(output: string): readonly PrintedPlace[] {
  const places = new Map<string, PrintedPlace>();
  const context: ReadContext = { file: undefined, message: undefined, severity: undefined };
  const lines = output.split('\n', maxLines).map((line) => stripAnsi(line).trimEnd());
  for (const [index, line] of lines.entries()) {
    if (line.length > maxLineLength) continue;
    const place = readLine(line, lines, index, context);
    if (place === undefined) noteHeading(line, context);
    else if (place !== 'explanation') places.set(`${place.file}:${place.line}:${place.message}`, place);
    if (places.size >= maxPlaces) break;
  }
  return [...places.values()];
}

/** What the lines so far said about the lines to come. */
interface ReadContext {
  file: string | undefined;
  message: string | undefined;
  severity: FindingSeverity | undefined;
}

function noteHeading(line: string, context: ReadContext): void {
  const file = firstMatch(fileHeadings, line)?.file;
  if (file !== undefined) context.file = file;
  const heading = firstMatch(messageHeadings, line);
  if (heading === undefined) return;
  context.message = heading.message;
  context.severity = severityOf(heading.severity);
}

function firstMatch(patterns: readonly RegExp[], line: string): Readonly<Record<string, string>> | undefined {
  for (const pattern of patterns) {
    const groups = pattern.exec(line)?.groups;
    if (groups !== undefined) return groups;
  }
  return undefined;
}

function readLine(
  line: string,
  lines: readonly string[],
  index: number,
  context: ReadContext,
): PrintedPlace | 'explanation' | undefined {
  // Every place has a number, and most lines have none.
  if (!/\d/.test(line)) return undefined;
  for (const pattern of placePatterns) {
    const groups = pattern.pattern.exec(line)?.groups;
    if (groups !== undefined) return toPlace(pattern, groups, nextText(lines, index), context);
  }
  return undefined;
}

/** A compiler's note explains the error before it; a note of ShellCheck has a code and is its own finding. */
const isShellCheckNote = /\[SC\d{1,5}\]$/;

type Groups = Readonly<Record<string, string | undefined>>;

function toPlace(
  { message: messageIn, file: fileIn, isFrame }: PlacePattern,
  groups: Groups,
  next: string,
  context: ReadContext,
): PrintedPlace | 'explanation' | undefined {
  const values = groups.properties === undefined ? groups : { ...groups, ...propertiesOf(groups.properties) };
  const { severity } = values;
  if (severity === 'note' && !isShellCheckNote.test(values.message ?? '')) return 'explanation';
  const file = fileIn === 'before' ? context.file : (values.file ?? withEnding(values.javaClass));
  const own = messageIn === 'before' ? context.message : messageIn === 'after' ? next : values.message;
  // A later frame of the same stack, or a place that nothing explains.
  if (file === undefined || (isFrame && own === undefined)) return isFrame ? 'explanation' : undefined;
  const read: FindingSeverity | undefined = messageIn === 'before' ? context.severity : severityOf(severity);
  if (isFrame && !isForeignFrame(file)) context.message = undefined;
  if (isFrame && isForeignFrame(file)) return 'explanation';
  return {
    file,
    line: Number(values.line),
    ...defined({ endLine: numberOf(values.endLine), column: numberOf(values.column ?? values.col) }),
    severity: read ?? 'error',
    message: unescapeMessage(own ?? values.name ?? 'failed', groups)
      .trim()
      .slice(0, maxMessageLength),
  };
}

function withEnding(javaClass: string | undefined): string | undefined {
  return javaClass === undefined ? undefined : `${javaClass}.java`;
}

/** The frames of a library come before those of the test. */
function isForeignFrame(file: string): boolean {
  return /(?:^|\/)(?:node_modules|vendor|site-packages)\/|^node:/.test(file);
}

/** `file=a.ts,line=1` of a workflow command. */
function propertiesOf(text: string): Groups {
  const pairs = text.split(',').map((pair) => {
    const end = pair.indexOf('=');
    return [pair.slice(0, Math.max(0, end)).trim(), unescapeProperty(pair.slice(end + 1))] as const;
  });
  return Object.fromEntries(
    pairs.filter(([name]) => ['file', 'line', 'endLine', 'col', 'column'].includes(name)),
  );
}

/** Only a workflow command has these escapes, and only its first line is the message: a stack follows. */
function unescapeMessage(text: string, { properties }: Groups): string {
  if (properties === undefined) return text;
  return (text.split(/%0A/i, 1)[0] ?? '').replace(/%0D/gi, '').replace(/%25/g, '%');
}

function unescapeProperty(text: string): string {
  return text.replace(/%3A/gi, ':').replace(/%2C/gi, ',').replace(/%25/g, '%');
}

function numberOf(text: string | undefined): number | undefined {
  return text !== undefined && /^\d{1,7}$/.test(text) ? Number(text) : undefined;
}

/** The next line with words, without the mark that Biome puts before it. */
function nextText(lines: readonly string[], index: number): string {
  const next = lines.slice(index + 1, index + 4).find((line) => line.trim() !== '') ?? '';
  return next.slice(0, maxLineLength).replace(/^\s*[×✖!ℹi] /, '');
}

const severityWords: Readonly<Record<string, FindingSeverity>> = {
  'fatal error': 'error',
  error: 'error',
  warning: 'warning',
  notice: 'notice',
  note: 'notice',
  info: 'notice',
  style: 'notice',
  c: 'notice',
  r: 'notice',
  i: 'notice',
  w: 'warning',
  e: 'error',
  f: 'error',
};

function severityOf(word: string | undefined): FindingSeverity | undefined {
  return word === undefined ? undefined : severityWords[word.toLowerCase()];
}
