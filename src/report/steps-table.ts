/**
 * The steps of a run as tables of the summary: one of all steps, and a folded one for the tasks of each split, with
 * one row per task. Pure.
 */
import type { Attempt, RunState } from '../journal/run-state.js';
import { formatCost } from '../providers/money.js';
import { sumCosts } from '../providers/usage.js';
import {
  callAt,
  enclosingPrefixes,
  isBelow,
  isInCall,
  nameBelow,
  namesIn,
  pathOfPrefix,
  prefixBelow,
} from '../step-path.js';
import { formatDuration } from './format.js';
import type { GateLabels } from './gate-labels.js';
import { escapeText, markdownTable, paragraphs } from './markdown-text.js';
import type { Report, ReportStep } from './report.js';
import { stepMarks } from './status-marks.js';
import { attemptCell, gateCell, sessionCell, tokensCell, usageCells } from './step-cells.js';
import { statusCounts, type TaskRow, taskRowsOf } from './task-rows.js';

/** `report.json` has all of them. */
const maxRows = 200;

const head = ['Step', 'Agent', 'Session', 'Attempts', 'Gates', 'Tokens', 'Cost', 'Time'];

export interface StepsFacts {
  readonly report: Report;
  readonly state: RunState;
  readonly gateLabels?: GateLabels;
}

/** The table of all steps with the totals, and the cost per agent. */
export function stepsTable(facts: StepsFacts): string {
  const { report, state } = facts;
  const shown = report.steps.filter(
    (step) => !isShownBelow(step, report.steps) && splitOf(step, report) === undefined,
  );
  const rows = shown.flatMap((step) => rowsOf(step, facts));
  const more = rows.length - maxRows;
  const { totals } = report;
  const total = [
    '**Total**',
    '',
    '',
    '',
    '',
    tokensCell(totals),
    formatCost(totals),
    formatDuration(state.ledger.elapsedMs),
  ];
  return paragraphs(
    markdownTable(head, [...rows.slice(0, maxRows), total]),
    more > 0 ? `${more} more steps are in the report.` : undefined,
    costPerAgent(report, state),
  );
}

/** The outermost splits, with their tasks. */
export function taskRows(facts: StepsFacts): readonly TaskTable[] {
  const { report, state } = facts;
  return outermostSplits(report).flatMap((split) => {
    const rows = taskRowsOf(split, report.steps, state);
    return rows.length === 0 ? [] : [{ split, rows }];
  });
}

export interface TaskTable {
  readonly split: ReportStep;
  readonly rows: readonly TaskRow[];
}

function outermostSplits(report: Report): readonly ReportStep[] {
  return report.steps.filter((step) => step.type === 'split' && splitOf(step, report) === undefined);
}

/** The outermost split that has the step in one of its tasks. The workflows that its planner calls are no tasks. */
function splitOf({ path }: ReportStep, { steps }: Report): ReportStep | undefined {
  return steps.find(
    (split) => split.type === 'split' && isBelow(path, split.path) && !isInCall(nameBelow(path, split.path)),
  );
}

/** A workflow that an attempt calls has rows for its steps only: its own row would repeat their numbers. */
function isShownBelow({ path }: ReportStep, all: readonly ReportStep[]): boolean {
  return callAt(path) !== undefined && all.some((step) => isBelow(step.path, path));
}

function rowsOf(step: ReportStep, facts: StepsFacts): readonly (readonly string[])[] {
  if (step.type !== 'split') return [row(step, step.status, facts)];
  const tasks = taskRowsOf(step, facts.report.steps, facts.state);
  if (tasks.length === 0) return [row(step, step.status, facts)];
  // The planner has passed, whatever became of the tasks.
  const attempts = tasks.flatMap((task) => task.attempts);
  const what = `${stepMarks[step.status]}&nbsp;${stepLabel(step.path)}: ${tasks.length} tasks`;
  return [
    row(step, 'passed', facts, ' (plan)'),
    [what, '', '', '', statusCounts(tasks), ...usageCells(attempts)],
  ];
}

function row(
  step: ReportStep,
  status: ReportStep['status'],
  { state, gateLabels }: StepsFacts,
  note = '',
): readonly string[] {
  const attempts = state.steps.get(step.path)?.attempts ?? [];
  return [
    `${stepMarks[status]}&nbsp;${stepLabel(step.path)}${note}${step.takenOver ? ' (reused)' : ''}`,
    escapeText(step.agent ?? ''),
    sessionCell(attempts),
    attemptCell(attempts),
    gateCell(attempts.at(-1)?.gates ?? [], gateLabels?.get(step.path)),
    ...(attempts.length === 0 ? ['', '', ''] : usageCells(attempts)),
  ];
}

/** A step in another one is indented. The name of a call has its purpose and the attempt that it is for. */
function stepLabel(path: string): string {
  const names = namesIn(path);
  return `${'&emsp;'.repeat(names.length - 1)}${names.length > 1 ? '↳ ' : ''}${escapeText(shortPath(path))}`;
}

function shortPath(path: string): string {
  const call = enclosingPrefixes(path)
    .map((prefix) => callAt(pathOfPrefix(prefix)))
    .find((one) => one !== undefined);
  return call === undefined ? (namesIn(path).at(-1) ?? path) : path.slice(prefixBelow(call.owner).length);
}

/** One line; `undefined` if only one agent ran. */
function costPerAgent({ totals }: Report, state: RunState): string | undefined {
  const byAgent = new Map<string, Attempt[]>();
  for (const attempt of [...state.steps.values()].flatMap(({ attempts }) => attempts))
    if (attempt.agent !== undefined)
      byAgent.set(attempt.agent, [...(byAgent.get(attempt.agent) ?? []), attempt]);
  if (byAgent.size < 2) return undefined;
  const costs = [...byAgent].map(
    ([agent, attempts]) => [agent, sumCosts(attempts.map(({ usage }) => usage))] as const,
  );
  const known = costs.reduce((sum, [, { costUsd = 0 }]) => sum + costUsd, 0);
  const dropped = (totals.costUsd ?? 0) - known;
  return [
    `Cost per agent: ${costs.map(([agent, cost]) => `${escapeText(agent)} ${formatCost(cost)}`).join(' · ')}`,
    ...(dropped > 0.000_05 ? [`results that were dropped ${formatCost({ costUsd: dropped })}`] : []),
  ].join(' · ');
}
