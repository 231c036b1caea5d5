/** The end of a run: report, outputs, summary, and the one error that says what failed. */

import { writeFileSync } from 'node:fs';
import * as core from '@actions/core';
import { emptyState, type RunState } from '../journal/state.js';
import { defined } from '../optional-keys.js';
import { expand, plannedTasks } from '../plan/place.js';
import type { Plan } from '../plan/plan.js';
import { sumOf } from '../providers/usage.js';
import type { Log } from '../report/log.js';
import { makeReport, type Report, type RunStatus } from '../report/report.js';
import { rerunNote } from '../report/rerun.js';
import { makeSummary } from '../report/summary.js';
import { type Redactor, redactDeep } from '../security/redact.js';

export interface Ending {
  readonly plan: Plan;
  readonly state: RunState;
  readonly status: RunStatus;
  readonly failedStep?: string;
  readonly runId: string;
  readonly jobAttempt: number;
  readonly startCommit: string;
  readonly stateName: string;
  readonly persisted: boolean;
  readonly checkpoint?: string;
  readonly resumed: boolean;
  readonly takenOver: ReadonlySet<string>;
  readonly isInCache: boolean;
  readonly warnings: readonly string[];
  /** The patch of all changes against the start tree. */
  readonly patch: string;
  readonly files: { readonly report: string; readonly patch: string };
  readonly now: number;
}

/** Writes everything that outlives the run; may be called again when more is known. */
export async function writeEnding(ending: Ending, redact: Redactor): Promise<void> {
  const report = redactDeep(makeReport(ending.plan, ending.state, ending), redact);
  writeFileSync(ending.files.report, `${JSON.stringify(report, null, 2)}\n`);
  writeFileSync(ending.files.patch, ending.patch);
  for (const [name, value] of Object.entries(outputs(report, ending))) core.setOutput(name, redact(value));
  const rerun = nextOf(ending);
  const { state, warnings } = ending;
  const summary = makeSummary({ report, state, warnings, ...defined({ rerun }) }, redact);
  await core.summary.emptyBuffer().addRaw(summary).write({ overwrite: true });
}

/** What can be done now; nothing where all is done. */
function nextOf(ending: Ending): string | undefined {
  if (ending.status === 'passed') return undefined;
  return ending.status === 'paused' ? pauseNote(ending) : rerunNote(ending);
}

/** Exit code 1 goes with it. */
export function tellFailure(log: Log, ending: Ending): void {
  const step = ending.failedStep === undefined ? undefined : ending.state.steps.get(ending.failedStep);
  const last = step?.attempts.at(-1);
  const what =
    ending.status === 'cancelled'
      ? 'was cut off'
      : ending.state.ended?.failure !== undefined
        ? 'was stopped'
        : `failed${last === undefined || step?.failure ? '' : ` at attempt ${last.number}`}`;
  const own = ending.state.ended?.failure;
  const failure = ending.status === 'cancelled' ? undefined : (own ?? step?.failure ?? last?.failure);
  const why = failure === undefined ? '' : ` (${failure.kind}): ${failure.message}`;
  log.error(
    `Step \`${ending.failedStep}\` ${what}${why}${why.endsWith('.') ? '' : '.'} ${rerunNote(ending)}`,
  );
}

/** How to let a run go on that waits (contract 5.9). */
export function pauseNote({ failedStep = '', plan, stateName }: Ending): string {
  const by = plan.approve === undefined ? '' : ` (This job approves \`${plan.approve}\`.)`;
  return `Step \`${failedStep}\` waits for approval.${by} To let it go on, run this action in a job of the same run with \`approve: ${failedStep}\` and \`state-name: ${stateName}\`, behind an environment with required reviewers; a plain re-run waits again.`;
}

/** Every output, as it is where there is nothing to say. */
const nothing = {
  status: '',
  'failed-step': '',
  resumed: 'false',
  persisted: 'false',
  checkpoint: '',
  sessions: '{}',
  'cost-usd': '',
  'cost-is-estimate': '',
  tokens: '',
  turns: '',
  report: '',
  patch: '',
  tasks: '',
  commit: '',
};

function outputs(report: Report, ending: Ending): typeof nothing {
  const { totals } = report;
  const tokens = sumOf([totals.inputTokens, totals.outputTokens]);
  return {
    status: report.status,
    'failed-step': report.failedStep ?? '',
    resumed: String(report.resumed),
    persisted: String(report.persisted),
    checkpoint: ending.checkpoint ?? '',
    sessions: JSON.stringify(sessionsOutput(report)),
    'cost-usd': text(totals.costUsd),
    'cost-is-estimate': totals.costUsd === undefined ? '' : String(totals.costIsEstimate === true),
    tokens: text(tokens),
    turns: text(totals.turns),
    report: ending.files.report,
    patch: ending.files.patch,
    tasks: tasksOutput(ending),
    commit: '',
  };
}

/** The task names of the last split, as JSON; empty where there was none. */
function tasksOutput({ plan, state }: Ending): string {
  const splits = expand(plan, state).filter((placed) => placed.step.kind === 'split');
  const tasks = splits
    .map((split) => plannedTasks(state.steps.get(split.path)))
    .findLast((one) => one !== undefined);
  return tasks === undefined ? '' : JSON.stringify(tasks.map((task) => task.name));
}

/** Step path → the session of its last attempt by an agent. */
function sessionsOutput(report: Report): Readonly<Record<string, unknown>> {
  const entries = report.steps.flatMap((step) => {
    const last = step.attempts.findLast((attempt) => attempt.agent !== undefined);
    if (last === undefined) return [];
    return [[step.path, { provider: step.provider, agent: last.agent, id: last.session?.id }]];
  });
  return Object.fromEntries(entries);
}

function text(value: number | undefined): string {
  return value === undefined ? '' : String(Number(value.toFixed(6)));
}

/** A job in which no step ran. */
export interface Unstarted {
  readonly status: 'skipped' | 'planned' | 'failed';
  readonly workflow: string;
  readonly runId: string;
  readonly jobAttempt: number;
  /** Absent where there is no place for a report, or the run itself has written one. */
  readonly report?: string;
  /** The run itself has written a report, and set the outputs; they stay. */
  readonly hasReport?: boolean;
  /** The text of the summary, free of secrets. */
  readonly summary: string;
}

/** What such a job leaves: the same outputs, report and summary as any other, as far as there is something to say. */
export async function writeUnstarted(unstarted: Unstarted): Promise<void> {
  const { status, workflow, runId, jobAttempt } = unstarted;
  const facts = { status, runId, jobAttempt, startCommit: '', persisted: false, resumed: false };
  const plan = { workflow, sessionMatch: 'agent', onPause: 'fail', budget: {}, steps: [], vars: {} } as const;
  if (unstarted.report !== undefined) {
    const report = makeReport(plan, emptyState, { ...facts, takenOver: new Set() });
    writeFileSync(unstarted.report, `${JSON.stringify(report, null, 2)}\n`);
  }
  const said = unstarted.hasReport ? { resumed: 'false', persisted: 'false' } : nothing;
  const told = { ...said, status, ...defined({ report: unstarted.report }) };
  for (const [name, value] of Object.entries(told)) core.setOutput(name, value);
  await core.summary.emptyBuffer().addRaw(unstarted.summary).write({ overwrite: true });
}
