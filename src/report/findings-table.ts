/** The findings of the reviews of a run, as a table of the summary. Pure. */
import type { Finding } from '../outputs/findings.js';
import { isOfEarlierAttempt } from './earlier-calls.js';
import { escapeText } from './markdown-text.js';
import type { Report } from './report.js';

/** The summary is a page; `report.json` and the result files have all findings. */
const maxRows = 50;
const maxCharacters = 600;

const marks: Readonly<Record<Finding['severity'], string>> = { error: '❌', warning: '⚠️', notice: 'ℹ️' };

/** `undefined` if there are none. */
export function findingsTable({ steps }: Report): string | undefined {
  const rows = steps
    .filter(({ path }) => !isOfEarlierAttempt(path, steps))
    .flatMap(({ path, result }) => (result?.findings ?? []).map((finding) => row(path, finding)));
  if (rows.length === 0) return undefined;
  const more = rows.length - maxRows;
  const head = [
    '**Findings**',
    '',
    '|  | Place | Finding | Step |',
    '| --- | --- | --- | --- |',
    ...rows.slice(0, maxRows),
  ];
  const note = `${more} more ${more === 1 ? 'finding is' : 'findings are'} in the report.`;
  return (more > 0 ? [...head, '', note] : head).join('\n');
}

function row(step: string, { severity, message, suggestion, ...place }: Finding): string {
  const what = escapeText(shorten(message));
  const advice = suggestion === undefined ? '' : `<br>Suggestion: ${escapeText(shorten(suggestion))}`;
  return `| ${marks[severity]} ${severity} | ${escapeText(describePlace(place))} | ${what}${advice} | ${escapeText(step)} |`;
}

/** `src/a.ts:12-14`. Empty if the finding has no place. */
export function describePlace({ path, line, endLine }: Pick<Finding, 'path' | 'line' | 'endLine'>): string {
  const lines = line === undefined ? '' : `:${line}${endLine === undefined ? '' : `-${endLine}`}`;
  return path === undefined ? '' : `${path}${lines}`;
}

function shorten(text: string): string {
  const characters = [...text];
  return characters.length <= maxCharacters ? text : `${characters.slice(0, maxCharacters - 1).join('')}…`;
}
