/** The job summary: a table of the steps and, if the run failed, the failure and what a re-run does. Pure. */

import { describeSession } from '../engine/session-text.js';
import { errorText } from '../gates/error-text.js';
import type { GateResult } from '../gates/gate-result.js';
import type { Attempt, RunState, StepState } from '../journal/run-state.js';
import { defined } from '../optional-keys.js';
import { formatCost } from '../providers/money.js';
import { sumCosts, sumKnown } from '../providers/usage.js';
import { type Redactor, redactDeep } from '../security/redact.js';
import { callAt, isBelow } from '../step-path.js';
import { approvalDetails } from './approval-details.js';
import { findingsTable } from './findings-table.js';
import { formatCount, formatDuration, formatTurns } from './format.js';
import { codeBlock, escapeText } from './markdown-text.js';
import type { Report, ReportStep } from './report.js';
import { resultDetails } from './result-details.js';

export { codeBlock, escapeText };

const errorLines = 30;

export interface SummaryFacts {
  readonly report: Report;
  readonly state: RunState;
  /** What a re-run does; absent if there is nothing to re-run. */
  readonly rerun?: string;
  /** Warnings of this run without duplicates. */
  readonly warnings: readonly string[];
}

export function makeSummary(unredacted: SummaryFacts, redact: Redactor): string {
  // Redact before escaping: escaping changes a secret that contains a `\`, and then it is not found.
  const facts = redactDeep(unredacted, redact);
  const { report, state } = facts;
  const parts = [
    `### ${escapeText(report.workflow)}: ${report.status}${report.failedStep === undefined ? '' : ` at \`${report.failedStep}\``}`,
    headline(report),
    table(report, state),
    failureDetails(report, state),
    approvalDetails(report),
    facts.rerun,
    findingsTable(report),
    resultDetails(report),
    warningList(facts.warnings),
  ];
  return `${parts.filter((part) => part !== undefined && part !== '').join('\n\n')}\n`;
}

function headline(report: Report): string {
  const { totals } = report;
  const facts = [
    `job attempt ${report.jobAttempt}`,
    report.resumed ? 'continued from an earlier job attempt' : undefined,
    totals.costUsd === undefined ? undefined : `${formatCost(totals)} in total`,
    totals.turns === undefined ? undefined : formatTurns(totals.turns),
    report.persisted ? 'checkpoint stored' : 'checkpoint not stored',
  ];
  return facts.filter((fact) => fact !== undefined).join(' · ');
}

function table(report: Report, state: RunState): string {
  const head = ['Step', 'Agent', 'Session', 'Attempts', 'Gates', 'Turns', 'Tokens in / out', 'Cost', 'Time'];
  const shown = report.steps.filter((step) => !isShownBelow(step, report.steps));
  const rows = shown.map((step) => row(step, state.steps.get(step.path)));
  return [head, head.map(() => '---'), ...rows].map((cells) => `| ${cells.join(' | ')} |`).join('\n');
}

/** A workflow that an attempt calls has rows for its steps only: its own row would repeat their numbers. */
function isShownBelow({ path }: ReportStep, all: readonly ReportStep[]): boolean {
  return callAt(path) !== undefined && all.some((step) => isBelow(step.path, path));
}

const marks: Readonly<Record<ReportStep['status'], string>> = {
  passed: '✅',
  failed: '❌',
  skipped: '⏭️',
  paused: '⏸️',
  cancelled: '🛑',
  'not-run': '▫️',
};

const gateMarks: Readonly<Record<GateResult['status'], string>> = {
  passed: '✅',
  failed: '❌',
  skipped: '⏭️',
  warned: '⚠️',
};

function row(step: ReportStep, state: StepState | undefined): readonly string[] {
  const attempts = state?.attempts ?? [];
  const last = attempts.at(-1);
  const sum = (pick: (attempt: Attempt) => number | undefined) => sumKnown(attempts.map(pick));
  const tokens = [sum((a) => a.usage.inputTokens), sum((a) => a.usage.outputTokens)]
    .map(formatCount)
    .join(' / ');
  return [
    `${marks[step.status]} ${cell(step.path)}${step.takenOver ? ' (reused)' : ''}`,
    cell(step.agent ?? ''),
    sessionCell(last, attempts.at(-2)),
    attemptCell(attempts),
    (last?.gates ?? []).map((gate) => `${gateMarks[gate.status]} ${cell(gate.name)}`).join('<br>'),
    formatCount(sum((a) => a.usage.turns)),
    tokens,
    formatCost(sumCosts(attempts.map((a) => a.usage))),
    formatDuration(sum((a) => a.durationMs)),
  ];
}

function sessionCell(attempt: Attempt | undefined, previous: Attempt | undefined): string {
  if (attempt?.session === undefined) return '';
  const { session, agent } = attempt;
  const id = session.id === undefined ? '' : `<br><code>${cell(session.id.slice(0, 12))}</code>`;
  const text = describeSession({ session, ...defined({ agent, previous }) });
  return `${cell(text)}${id}${resumeCostText(attempt)}`;
}

/** What resuming the session cost: the tokens of its first answer. */
function resumeCostText({ firstTurn }: Attempt): string {
  if (firstTurn === undefined) return '';
  const { inputTokens, cacheReadTokens, cacheWriteTokens } = firstTurn;
  const parts = [
    inputTokens === undefined ? undefined : `${formatCount(inputTokens)} input tokens`,
    cacheReadTokens ? `${formatCount(cacheReadTokens)} read from the cache` : undefined,
    cacheWriteTokens ? `${formatCount(cacheWriteTokens)} written to the cache` : undefined,
  ].filter((part) => part !== undefined);
  return parts.length === 0 ? '' : `<br>resuming cost ${parts.join(', ')}`;
}

/** The number of attempts, and who approved those that waited. */
function attemptCell(attempts: readonly Attempt[]): string {
  const people = [...new Set(attempts.flatMap(({ approvedBy }) => approvedBy ?? []))];
  const approved = people.length === 0 ? '' : `<br>approved by ${people.map(cell).join(', ')}`;
  return `${attemptCount(attempts)}${approved}`;
}

/** The number of attempts, also per job attempt if there are several: `2 (1 in job attempt 1, 1 in job attempt 2)`. */
function attemptCount(attempts: readonly Attempt[]): string {
  const jobs = [...new Set(attempts.map((attempt) => attempt.jobAttempt))];
  if (jobs.length < 2) return String(attempts.length);
  const each = jobs.map(
    (job) => `${attempts.filter((attempt) => attempt.jobAttempt === job).length} in job attempt ${job}`,
  );
  return `${attempts.length} (${each.join(', ')})`;
}

function failureDetails(report: Report, state: RunState): string | undefined {
  const step = report.failedStep === undefined ? undefined : state.steps.get(report.failedStep);
  const last = step?.attempts.at(-1);
  const name = `**${escapeText(report.failedStep ?? '')}**`;
  // The note about the approval explains it.
  if (report.status === 'paused') return undefined;
  if (report.status === 'cancelled') return last && `${name} was interrupted in attempt ${last.number}.`;
  const own = state.runEnded?.failure;
  if (own !== undefined) return `${name} was stopped (${own.kind}): ${escapeText(own.message)}`;
  if (step?.failure !== undefined) return `${name} failed: ${escapeText(step.failure.message)}`;
  if (last?.failure === undefined) return undefined;
  const head = `${name} failed in attempt ${last.number} (${last.failure.kind}): ${escapeText(last.failure.message)}`;
  const output = lastLines(errorText(last.gates), errorLines);
  return output === '' ? head : `${head}\n\n${codeBlock(output)}`;
}

function lastLines(text: string, count: number): string {
  return text.trimEnd().split('\n').slice(-count).join('\n');
}

export function warningList(warnings: readonly string[]): string | undefined {
  if (warnings.length === 0) return undefined;
  return ['**Warnings**', '', ...warnings.map((warning) => `- ${escapeText(warning)}`)].join('\n');
}

function cell(text: string): string {
  return escapeText(text);
}
