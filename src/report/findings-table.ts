/** The findings of the reviews of a run, as a table of the summary. Pure. */
import type { Finding } from '../outputs/findings.js';
import { isOfEarlierAttempt } from './earlier-calls.js';
import { escapeText, inlineCode, markdownTable, paragraphs } from './markdown-text.js';
import type { Report } from './report.js';

/** The summary is a page; `report.json` and the result files have all findings. */
const maxRows = 50;
const maxCharacters = 600;

const severities = ['error', 'warning', 'notice'] as const;

/** The sign in front of a finding. */
export const severityMarks: Readonly<Record<Finding['severity'], string>> = {
  error: '❌',
  warning: '⚠️',
  notice: 'ℹ️',
};

/** `undefined` if there are none. */
export function findingsTable({ steps }: Report): string | undefined {
  const found = steps
    .filter(({ path }) => !isOfEarlierAttempt(path, steps))
    .flatMap(({ path, result }) => (result?.findings ?? []).map((finding) => ({ path, finding })));
  // With a single review, its name says nothing.
  const isOne = new Set(found.map(({ path }) => path)).size === 1;
  const rows = severities.flatMap((severity) =>
    found
      .filter(({ finding }) => finding.severity === severity)
      .map(({ path, finding }) => row(isOne ? '' : path, finding)),
  );
  if (rows.length === 0) return undefined;
  const more = rows.length - maxRows;
  const table = markdownTable(['Severity', 'Place', 'Finding', 'Step'], rows.slice(0, maxRows));
  const note = `${more} more ${more === 1 ? 'finding is' : 'findings are'} in the report.`;
  return paragraphs('**Findings**', table, more > 0 ? note : undefined);
}

function row(step: string, { severity, message, suggestion, ...place }: Finding): readonly string[] {
  const what = escapeText(shorten(message));
  const advice = suggestion === undefined ? '' : `<br>Suggestion: ${escapeText(shorten(suggestion))}`;
  const where = describePlace(place);
  return [
    `${severityMarks[severity]}&nbsp;${severity}`,
    where === '' ? '' : inlineCode(where),
    `${what}${advice}`,
    escapeText(step),
  ];
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
