/** The tasks of a split, each with everything that was done for it. Pure. */
import type { Attempt, RunState } from '../journal/run-state.js';
import { isBelow, isInCall, nameBelow, namesIn } from '../step-path.js';
import { escapeText, folded, markdownTable, paragraphs } from './markdown-text.js';
import type { ReportStep, StepStatus } from './report.js';
import { stepMarks } from './status-marks.js';
import { attemptCell, gateCell, usageCells } from './step-cells.js';

/** `report.json` has all of them. */
const maxTasks = 200;

export interface TaskRow {
  readonly name: string;
  readonly status: StepStatus;
  readonly isReused: boolean;
  readonly agents: readonly string[];
  /** Of all steps of the task, also of the workflows that they call. */
  readonly attempts: readonly Attempt[];
  /** Its steps, without those of the workflows that they call. */
  readonly steps: readonly { readonly path: string; readonly attempts: readonly Attempt[] }[];
}

/** In the order of the plan. */
export function taskRowsOf(
  split: ReportStep,
  steps: readonly ReportStep[],
  state: RunState,
): readonly TaskRow[] {
  const byTask = new Map<string, ReportStep[]>();
  for (const step of steps) {
    if (!isBelow(step.path, split.path)) continue;
    const name = nameBelow(step.path, split.path);
    if (isInCall(name)) continue;
    const own = byTask.get(name);
    if (own === undefined) byTask.set(name, [step]);
    else own.push(step);
  }
  return [...byTask].map(([name, own]) => taskRow(name, own, state));
}

function taskRow(name: string, steps: readonly ReportStep[], state: RunState): TaskRow {
  const attemptsOf = ({ path }: ReportStep) => state.steps.get(path)?.attempts ?? [];
  const own = steps.filter(({ path }) => !isInCall(path));
  return {
    name,
    status: statusOfTask(own),
    isReused: own.length > 0 && own.every((step) => step.takenOver),
    agents: [...new Set(own.flatMap(({ agent }) => agent ?? []))],
    attempts: steps.flatMap(attemptsOf),
    steps: own.map((step) => ({ path: step.path, attempts: attemptsOf(step) })),
  };
}

const bySeverity = ['failed', 'cancelled', 'paused'] as const;

function statusOfTask(steps: readonly ReportStep[]): StepStatus {
  const worst = bySeverity.find((status) => steps.some((step) => step.status === status));
  if (worst !== undefined) return worst;
  return steps.every(({ status }) => status === 'passed' || status === 'skipped') ? 'passed' : 'not-run';
}

/** `10 passed, 2 failed`. */
export function statusCounts(rows: readonly Pick<TaskRow, 'status'>[]): string {
  const statuses = Object.keys(stepMarks) as StepStatus[];
  return statuses
    .map((status) => [status, rows.filter((row) => row.status === status).length] as const)
    .filter(([, count]) => count > 0)
    .map(([status, count]) => `${count} ${status === 'not-run' ? 'not run' : status}`)
    .join(', ');
}

/** Folded: the page stays short with many tasks. */
export function taskTable(split: ReportStep, rows: readonly TaskRow[]): string {
  const more = rows.length - maxTasks;
  const head = ['Task', 'Agent', 'Attempts', 'Gates', 'Tokens', 'Cost', 'Time'];
  return folded(
    `Tasks of ${escapeText(split.path)}: ${statusCounts(rows)}`,
    paragraphs(
      markdownTable(head, rows.slice(0, maxTasks).map(cells)),
      more > 0 ? `${more} more tasks are in the report.` : undefined,
    ),
  );
}

function cells({ name, status, isReused, agents, attempts, steps }: TaskRow): readonly string[] {
  // Of the gates that passed, there is nothing to say.
  const gates = steps.flatMap((step) => step.attempts.at(-1)?.gates ?? []);
  return [
    `${stepMarks[status]}&nbsp;${escapeText(name)}${isReused ? ' (reused)' : ''}`,
    agents.map(escapeText).join('<br>'),
    attemptsOfSteps(steps),
    gateCell(gates.filter((gate) => gate.status !== 'passed')),
    ...(attempts.length === 0 ? ['', '', ''] : usageCells(attempts)),
  ];
}

/** Of several steps, those that needed more than one attempt have a name. */
function attemptsOfSteps(steps: TaskRow['steps']): string {
  const [first] = steps;
  if (first !== undefined && steps.length === 1) return attemptCell(first.attempts);
  const repeated = steps.filter(({ attempts }) => (attempts.at(-1)?.number ?? 0) > 1);
  return repeated
    .map(({ path, attempts }) => `${escapeText(namesIn(path).at(-1) ?? path)}: ${attemptCell(attempts)}`)
    .join('<br>');
}
