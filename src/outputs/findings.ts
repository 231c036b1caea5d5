/**
 * The findings in the verdict of a `validate` step: what its agent found, each at a place in the repository if it has
 * one. Models write such lists in slightly different forms, so reading is lenient. Pure.
 */
import { defined } from '../optional-keys.js';

export const severities = ['error', 'warning', 'notice'] as const;

export type FindingSeverity = (typeof severities)[number];

export interface Finding {
  /** Relative to the repository root, with `/`. Absent: the finding has no place, or its place does not exist. */
  readonly path?: string;
  /** Counts from 1. Absent: the finding concerns the file as a whole. */
  readonly line?: number;
  readonly endLine?: number;
  readonly severity: FindingSeverity;
  readonly message: string;
  /** What to do about it, or the lines that should replace the lines of the place. */
  readonly suggestion?: string;
}

export interface ReadFindings {
  readonly findings: readonly Finding[];
  /** What is wrong with the entries that were dropped: one sentence part each. */
  readonly problems: readonly string[];
}

/** More findings than that are no review that a person can read. */
const maxFindings = 500;

/** Words of models and tools for the three severities. */
const severityWords: Readonly<Record<string, FindingSeverity>> = {
  error: 'error',
  critical: 'error',
  blocker: 'error',
  high: 'error',
  major: 'error',
  warning: 'warning',
  warn: 'warning',
  medium: 'warning',
  notice: 'notice',
  note: 'notice',
  info: 'notice',
  low: 'notice',
  minor: 'notice',
  nit: 'notice',
  suggestion: 'notice',
};

/** Reads the value of `findings`. An entry that is not valid is dropped; the verdict itself still counts. */
export function readFindings(value: unknown): ReadFindings {
  if (value === undefined || value === null) return { findings: [], problems: [] };
  if (!Array.isArray(value)) return { findings: [], problems: ['"findings" is not a list'] };
  const read = value.slice(0, maxFindings).map(readFinding);
  const surplus = value.length - maxFindings;
  return {
    findings: read.filter((one) => typeof one !== 'string'),
    problems: [
      ...read.flatMap((one, index) => (typeof one === 'string' ? [`finding ${index + 1} ${one}`] : [])),
      ...(surplus > 0 ? [`there are ${surplus} more than ${maxFindings} findings`] : []),
    ],
  };
}

/** The finding, or what is wrong with it. */
function readFinding(entry: unknown): Finding | string {
  if (typeof entry !== 'object' || entry === null || Array.isArray(entry)) return 'is not an object';
  const fields = entry as Readonly<Record<string, unknown>>;
  const { message, suggestion } = fields;
  if (typeof message !== 'string' || message.trim() === '') return 'has no "message"';
  const severity = readSeverity(fields.severity);
  if (severity === undefined)
    return `has the "severity" ${quoteValue(fields.severity)}, not "error", "warning" or "notice"`;
  if (suggestion !== undefined && suggestion !== null && typeof suggestion !== 'string')
    return 'has a "suggestion" that is not a string';
  const place = readPlace(fields);
  if (typeof place === 'string') return place;
  const words = suggestion?.trim() ? suggestion : undefined;
  return { ...place, severity, message: message.trim(), ...defined({ suggestion: words }) };
}

function readSeverity(value: unknown): FindingSeverity | undefined {
  if (value === undefined || value === null) return 'warning';
  return typeof value === 'string' ? severityWords[value.trim().toLowerCase()] : undefined;
}

type PlaceFields = Pick<Finding, 'path' | 'line' | 'endLine'>;

/** The place as the agent wrote it; whether it exists is checked by `placeFinding`. */
function readPlace(fields: Readonly<Record<string, unknown>>): PlaceFields | string {
  const path = fields.path ?? undefined;
  if (path !== undefined && typeof path !== 'string') return 'has a "path" that is not a string';
  const line = readLine(fields.line);
  const endLine = readLine(fields.endLine);
  if (line === 'invalid') return `has the "line" ${quoteValue(fields.line)}, not a number from 1`;
  if (endLine === 'invalid') return `has the "endLine" ${quoteValue(fields.endLine)}, not a number from 1`;
  const name = path?.trim() ?? '';
  if (name === '') return {};
  if (line === undefined) return { path: name };
  const last = endLine !== undefined && endLine > line ? endLine : undefined;
  return { path: name, line, ...defined({ endLine: last }) };
}

/** Models write "no line" as null, 0 or an empty text, and numbers as text. */
function readLine(value: unknown): number | undefined | 'invalid' {
  if (value === undefined || value === null || value === '' || value === 0) return undefined;
  const number = typeof value === 'string' && /^\d{1,9}$/.test(value.trim()) ? Number(value) : value;
  if (typeof number !== 'number' || !Number.isSafeInteger(number) || number < 1) return 'invalid';
  return number;
}

function quoteValue(value: unknown): string {
  const text = JSON.stringify(value) ?? String(value);
  return text.length > 60 ? `${text.slice(0, 59)}…` : text;
}

/** Where the agent worked, and what is there. */
export interface FindingPlaces {
  /** Absolute path of the repository. */
  readonly root: string;
  /** The working directory relative to `root`, with a `/` at the end; empty: `root` itself. */
  readonly prefix: string;
  /** The number of lines of a file of the repository; `undefined` if there is no such file. */
  countLines(path: string): number | undefined;
}

/**
 * The finding with a place that exists. An agent may name a path relative to the repository or to its working
 * directory. A line that does not exist is dropped, a path that does not exist with it.
 */
export function placeFinding(finding: Finding, places: FindingPlaces): Finding {
  const { path, line, endLine, ...rest } = finding;
  if (path === undefined) return rest;
  for (const candidate of candidatesFor(path, places)) {
    const lines = places.countLines(candidate);
    if (lines === undefined) continue;
    if (line === undefined || line > lines) return { path: candidate, ...rest };
    const last = endLine === undefined ? undefined : Math.min(endLine, lines);
    return { path: candidate, line, ...defined({ endLine: last === line ? undefined : last }), ...rest };
  }
  return rest;
}

function candidatesFor(path: string, { root, prefix }: FindingPlaces): readonly string[] {
  const inside = path.startsWith(`${root}/`) ? path.slice(root.length + 1) : path;
  const plain = inside.replace(/^(?:\.\/)+/, '');
  const isUnsafe = plain === '' || plain.startsWith('/') || /[\0\\]/.test(plain);
  if (isUnsafe || plain.split('/').some((name) => name === '..' || name === '.')) return [];
  return [...new Set([plain, `${prefix}${plain}`])];
}
