/**
 * The job summary: a page that a person reads in half a minute. First the status and what went wrong, then what the
 * run made, then the steps. Everything else is folded. Pure.
 */
import type { RunState } from '../journal/run-state.js';
import { type Redactor, redactDeep } from '../security/redact.js';
import { approvalDetails } from './approval-details.js';
import { changesSection, type RunChanges } from './changed-files.js';
import { failureDetails } from './failures.js';
import { findingsTable } from './findings-table.js';
import { fitSummary } from './fit-summary.js';
import type { GateLabels } from './gate-labels.js';
import { headline } from './headline.js';
import { codeBlock, escapeMessage, escapeText, folded } from './markdown-text.js';
import type { Report } from './report.js';
import { resultDetails } from './result-details.js';
import { sessionDetails } from './session-details.js';
import { stepsTable, taskRows } from './steps-table.js';
import { taskTable } from './task-rows.js';

export { codeBlock, escapeText };

/** A larger graph is folded, because the page would be long. */
const maxGraphLines = 50;
const maxWarnings = 50;
const maxWarningCharacters = 2_000;

export interface SummaryFacts {
  readonly report: Report;
  readonly state: RunState;
  /** What a re-run does; absent if there is nothing to re-run. */
  readonly rerun?: string;
  /** Warnings of this run without duplicates. */
  readonly warnings: readonly string[];
  /** What the run changed against its start tree. */
  readonly changes?: RunChanges;
  readonly gateLabels?: GateLabels;
  /** The text of `runGraph`. */
  readonly graph?: string;
  /** What was published, as Markdown: one part of a line each. */
  readonly published?: readonly string[];
}

export function makeSummary(unredacted: SummaryFacts, redact: Redactor): string {
  // Redact before escaping: escaping changes a secret that contains a `\`, and then it is not found.
  const facts = redactDeep(unredacted, redact);
  const { report, state } = facts;
  const tasks = taskRows(facts).map(({ split, rows }) => taskTable(split, rows));
  return fitSummary([
    { name: 'headline', text: headline(report, state) },
    { name: 'failures', text: failureDetails(report, state), order: 1 },
    { name: 'what waits for approval', text: approvalDetails(report), order: 2 },
    { name: 'next step', text: facts.rerun && `**Next:** ${facts.rerun}` },
    { name: 'published', text: facts.published?.join(' · ') },
    { name: 'findings', text: findingsTable(report), order: 4 },
    { name: 'changes', text: changesSection(facts.changes), order: 5 },
    { name: 'steps', text: stepsTable(facts), order: 3 },
    { name: 'tasks', text: tasks.join('\n\n'), order: 6 },
    { name: 'graph', text: facts.graph && graphBlock(facts.graph), order: 8 },
    { name: 'results', text: resultDetails(report), order: 10 },
    { name: 'sessions', text: sessionDetails(report, state), order: 9 },
    { name: 'warnings', text: warningList(facts.warnings), order: 7 },
  ]);
}

/** A language of a block cannot be escaped, and the text of the graph contains no backtick. */
function graphBlock(graph: string): string {
  const block = `\`\`\`mermaid\n${graph}\n\`\`\``;
  return graph.split('\n').length > maxGraphLines ? folded('Graph of the run', block) : block;
}

export function warningList(warnings: readonly string[]): string | undefined {
  if (warnings.length === 0) return undefined;
  const more = warnings.length - maxWarnings;
  return [
    '**Warnings**',
    '',
    ...warnings.slice(0, maxWarnings).map((warning) => `- ${escapeMessage(shorten(warning))}`),
    ...(more > 0 ? [`- ${more} more warnings are in the log.`] : []),
  ].join('\n');
}

function shorten(text: string): string {
  return text.length <= maxWarningCharacters ? text : `${text.slice(0, maxWarningCharacters)}…`;
}
