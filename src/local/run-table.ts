/** The summary of a run as a table for a terminal, from the report. Pure. */
import { type Cost, formatCost } from '../providers/money.js';
import { formatDuration } from '../report/format.js';
import type { Report, ReportStep, ReportUsage, StepStatus } from '../report/report.js';
import { fitColumns } from './columns.js';

/** In columns. */
const terminalWidth = 80;

const marks: Readonly<Record<StepStatus, string>> = {
  passed: '✓',
  failed: '✗',
  skipped: '-',
  paused: '‖',
  cancelled: '!',
  'not-run': ' ',
};

const titles = ['  Step', 'Agent', 'Attempts', 'Gates', 'Tokens', 'Cost', 'Time'];

/** The lines of the table; none if no step is in the report. */
export function runTable(report: Report, width = terminalWidth): readonly string[] {
  if (report.steps.length === 0) return [];
  const { totals } = report;
  const total = ['  Total', '', '', '', tokens(totals), shortCost(totals)];
  return fitColumns([titles, ...report.steps.map(stepRow), total], width);
}

function stepRow(step: ReportStep): readonly string[] {
  const { attempts } = step;
  const gates = attempts.at(-1)?.gates ?? [];
  const failed = gates.filter(({ status }) => status === 'failed').map(({ name }) => name);
  const usage = attempts.map((attempt) => attempt.usage);
  const costUsd = known(usage.map((one) => one.costUsd));
  const isEstimate = usage.some(({ costIsEstimate }) => costIsEstimate);
  const time = known(attempts.map(({ durationMs }) => durationMs));
  const note = step.takenOver ? ' (reused)' : '';
  return [
    `${marks[step.status]} ${step.path}${note}`,
    attempts.findLast(({ agent }) => agent !== undefined)?.agent ?? step.agent ?? '',
    attempts.length === 0 ? '' : String(attempts.length),
    gates.length === 0 ? '' : failed.length > 0 ? `✗ ${failed.join(', ')}` : `✓ ${gates.length}`,
    usage.length === 0 ? '' : tokens(sumUsage(usage)),
    costUsd === undefined ? '' : shortCost({ costUsd, ...(isEstimate ? { costIsEstimate: true } : {}) }),
    time === undefined ? '' : formatDuration(time),
  ];
}

function sumUsage(usage: readonly ReportUsage[]): Pick<ReportUsage, 'inputTokens' | 'outputTokens'> {
  const inputTokens = known(usage.map((one) => one.inputTokens));
  const outputTokens = known(usage.map((one) => one.outputTokens));
  return {
    ...(inputTokens === undefined ? {} : { inputTokens }),
    ...(outputTokens === undefined ? {} : { outputTokens }),
  };
}

/** The sum of the known numbers. `undefined` if none is known. */
function known(numbers: readonly (number | undefined)[]): number | undefined {
  const found = numbers.filter((number) => number !== undefined);
  return found.length === 0 ? undefined : found.reduce((total, number) => total + number, 0);
}

/** `~`: an estimate. `≥`: the cost of some agent is unknown. */
function shortCost(cost: Cost): string {
  return formatCost(cost).replace(' (estimate)', '').replace('at least ', '≥ ');
}

/** In and out. */
function tokens({ inputTokens, outputTokens }: Pick<ReportUsage, 'inputTokens' | 'outputTokens'>): string {
  if (inputTokens === undefined && outputTokens === undefined) return '';
  return `${shortCount(inputTokens)} / ${shortCount(outputTokens)}`;
}

function shortCount(count: number | undefined): string {
  if (count === undefined) return '–';
  if (count < 10_000) return String(count);
  return count < 1_000_000 ? `${Math.round(count / 1000)}k` : `${(count / 1_000_000).toFixed(1)}M`;
}
