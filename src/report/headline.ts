/** The first lines of the summary: status, cost, time, and what a re-run did not have to pay again. Pure. */
import type { RunState } from '../journal/run-state.js';
import { formatCost } from '../providers/money.js';
import { sumCosts, sumKnown } from '../providers/usage.js';
import { troubledSteps } from './failures.js';
import { formatDuration, formatMinute, formatTurns } from './format.js';
import { escapeText, inlineCode } from './markdown-text.js';
import type { Report } from './report.js';
import { runMarks } from './status-marks.js';

export function headline(report: Report, state: RunState): string {
  const { totals, status, workflow } = report;
  const facts = [
    `${runMarks[status]} ${escapeText(workflow)}: ${status}${placeText(report)}`,
    status === 'waiting' && report.waitReason === 'limit' ? untilText(state) : undefined,
    totals.costUsd === undefined ? undefined : formatCost(totals),
    formatDuration(state.ledger.elapsedMs),
  ];
  const more = [
    `Job attempt ${report.jobAttempt}`,
    reuseText(report, state),
    totals.turns === undefined ? undefined : formatTurns(totals.turns),
    report.persisted ? 'checkpoint stored' : 'checkpoint not stored',
  ];
  return `### ${join(facts)}\n\n${join(more)}`;
}

/** After this time, a re-run resumes the conversation. */
function untilText({ runEnded }: RunState): string | undefined {
  return runEnded?.resumeAt === undefined ? undefined : `until ${formatMinute(runEnded.resumeAt)}`;
}

function join(facts: readonly (string | undefined)[]): string {
  return facts.filter((fact) => fact !== undefined).join(' · ');
}

function placeText(report: Report): string {
  if (report.failedStep === undefined) return '';
  const more = report.status === 'failed' ? troubledSteps(report).length - 1 : 0;
  const others = more <= 0 ? '' : ` and ${more} more`;
  return ` at ${inlineCode(report.failedStep)}${others}`;
}

/** The steps whose results an earlier job attempt or job had paid. */
function reuseText({ resumed, steps }: Report, state: RunState): string | undefined {
  const reused = steps.filter(({ takenOver }) => takenOver);
  if (reused.length === 0) return resumed ? 'continued from an earlier job attempt' : undefined;
  const attempts = reused.flatMap(({ path }) => state.steps.get(path)?.attempts ?? []);
  const cost = sumCosts(attempts.map(({ usage }) => usage));
  const time = sumKnown(attempts.map(({ durationMs }) => durationMs));
  const saved = [
    cost.costUsd === undefined ? undefined : formatCost(cost),
    time === undefined ? undefined : formatDuration(time),
  ].filter((fact) => fact !== undefined);
  const what = `reused the ${reused.length === 1 ? 'result of 1 step' : `results of ${reused.length} steps`}`;
  return saved.length === 0 ? what : `${what} (${saved.join(' and ')} not spent again)`;
}
