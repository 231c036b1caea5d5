/** The result of a run in its three forms: report, outputs, summary. */

import { rmSync, writeFileSync } from 'node:fs';
import { basename, dirname } from 'node:path';
import { emptyState, type RunState } from '../journal/run-state.js';
import { defined } from '../optional-keys.js';
import { expandPlan, plannedTasks } from '../plan/placed-step.js';
import type { Plan } from '../plan/plan.js';
import { sumKnown } from '../providers/usage.js';
import { readChangedFiles } from '../report/change-statistics.js';
import { cutText } from '../report/cut-text.js';
import { gateLabelsOf } from '../report/gate-labels.js';
import { escapeMessage, inlineCode } from '../report/markdown-text.js';
import { type PlaceStyle, placeOf } from '../report/passed-run.js';
import {
  makeReport,
  type Report,
  type ReportApproval,
  type ReportStep,
  type RunStatus,
} from '../report/report.js';
import { rerunNote } from '../report/rerun.js';
import { resultOfStep } from '../report/result-of-step.js';
import { resultOutput } from '../report/result-output.js';
import { runGraph } from '../report/run-graph.js';
import { makeSummary } from '../report/summary.js';
import { yamlScalar } from '../report/yaml-scalar.js';
import { type Redactor, redactDeep } from '../security/redact.js';
import type { StepFiles } from '../security/step-files.js';
import { isDiskFull } from '../system/disk-reserve.js';
import type { ActionContext } from './action-context.js';
import { writeResults } from './results-folder.js';
import { writeStepResults } from './step-results.js';

export interface RunResult {
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
  readonly reusedSteps: ReadonlySet<string>;
  readonly isInCache: boolean;
  readonly warnings: readonly string[];
  /** What was published, as Markdown: one part of a line each. */
  readonly published?: readonly string[];
  /** The patch of all changes against the start tree. */
  readonly patch: string;
  readonly approval?: ReportApproval;
  readonly files: { readonly report: string; readonly patch: string; readonly results: string };
  readonly now: number;
}

/** Writes report, patch, results, outputs and summary. May be called again when more is known. Returns the report. */
export function writeRunResult(
  result: RunResult,
  { log, redact, inputs }: Pick<ActionContext, 'log' | 'redact' | 'inputs'>,
  stepFiles: StepFiles,
): Report {
  const complete = redactDeep(makeReport(result.plan, result.state, result), redact);
  const report = { ...complete, steps: complete.steps.map(withShortResult) };
  writeFileSync(result.files.report, `${JSON.stringify(report, null, 2)}\n`);
  writePatch(result);
  writeResults(result.files.results, result.state, { log, redact });
  const summary = summaryOf(result, report, inputs.apply, redact);
  writeStepResults(
    { outputs: redactDeep(outputs(report, result, { redact, inputs }), redact), summary },
    stepFiles,
    log,
  );
  return report;
}

/** For the summary. */
const linkedPlace: PlaceStyle = {
  pull: (name, url) => (url === undefined ? escapeMessage(name) : `[${name}](${url})`),
  commit: (id, url) => (url === undefined ? id : `[${id.slice(0, 7)}](${url})`),
  text: escapeMessage,
};

function summaryOf(result: RunResult, report: Report, apply: string, redact: Redactor): string {
  const { plan, state, warnings, patch, files, published } = result;
  const isRestored = apply === 'none' && result.status === 'passed';
  // Below RUNNER_TEMP: the whole path would fill a line.
  const path = `$RUNNER_TEMP/${basename(dirname(files.patch))}/${basename(files.patch)}`;
  const place = `${placeOf(apply !== 'none' || isRestored ? apply : 'workspace', state.published, linkedPlace)}; as a patch in ${inlineCode(path)}`;
  const rerun = nextStepText(result);
  const graph = runGraph(plan, state, report, redact);
  const changes = { files: readChangedFiles(patch), place };
  const gateLabels = gateLabelsOf(plan, state);
  return makeSummary(
    { report, state, warnings, changes, gateLabels, ...defined({ rerun, graph, published }) },
    redact,
  );
}

/** Only now: half a secret would not be found any more. */
function withShortResult(step: ReportStep): ReportStep {
  return step.result === undefined
    ? step
    : { ...step, result: redactDeep(step.result, (text) => cutText(text)) };
}

/** A large patch may not fit on the disk. Report and outputs are more important. */
function writePatch({ files, patch }: RunResult): void {
  try {
    writeFileSync(files.patch, patch);
  } catch (error) {
    if (!isDiskFull(error)) throw error;
    rmSync(files.patch, { force: true });
  }
}

/** What the user can do next. `undefined` if the run passed. */
export function nextStepText(result: RunResult): string | undefined {
  if (result.status === 'passed') return undefined;
  return result.status === 'paused' ? pauseNote(result) : rerunNote(result);
}

/** How to continue a paused run. */
export function pauseNote({ failedStep = '', plan, stateName }: RunResult): string {
  const by = plan.approve === undefined ? '' : ` (This job approves \`${plan.approve}\`.)`;
  const step = yamlScalar(failedStep);
  return `Step \`${failedStep}\` waits for approval.${by} To continue, run this action in a job of the same run with \`approve: ${step}\` and \`state-name: ${yamlScalar(stateName)}\`. Give that job an environment with required reviewers. Or, if this job has \`approve: \${{ vars.GUMP_APPROVE }}\`, set this variable of the repository to \`${failedStep}\` and re-run the failed jobs. A plain re-run pauses again.`;
}

/** Every output with its value for a job in which nothing ran. */
const emptyOutputs = {
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
  'pull-request': '',
  result: '',
  results: '',
  'resume-at': '',
};

function outputs(
  report: Report,
  result: RunResult,
  { redact, inputs }: Pick<ActionContext, 'redact' | 'inputs'>,
): typeof emptyOutputs {
  const { totals } = report;
  const tokens = sumKnown([totals.inputTokens, totals.outputTokens]);
  return {
    status: report.status,
    'failed-step': report.failedStep ?? '',
    resumed: String(report.resumed),
    persisted: String(report.persisted),
    checkpoint: result.checkpoint ?? '',
    sessions: JSON.stringify(sessionsOutput(report)),
    'cost-usd': text(totals.costUsd),
    'cost-is-estimate': totals.costUsd === undefined ? '' : String(totals.costIsEstimate === true),
    tokens: text(tokens),
    turns: text(totals.turns),
    report: result.files.report,
    patch: result.files.patch,
    tasks: tasksOutput(result, redact),
    ...publishedOutputs(inputs, report),
    result: resultOutput(report),
    results: result.files.results,
    'resume-at': report.resumeAt ?? '',
  };
}

/** Of what this run published, by the mode of this job. */
function publishedOutputs({ apply }: ActionContext['inputs'], { published = [] }: Report) {
  const kind = apply === 'commit' ? 'commit' : 'push';
  return {
    commit: published.find((one) => one.kind === kind)?.commit ?? '',
    'pull-request': published.find((one) => one.kind === 'pull-request')?.url ?? '',
  };
}

/** The task names of the last split as JSON, without secrets. Empty if there was no split. */
function tasksOutput({ plan, state }: RunResult, redact: Redactor): string {
  const splits = expandPlan(plan, state).filter((placed) => placed.step.kind === 'split');
  // A plan that waits for approval counts, although no attempt of its step has passed.
  const tasks = splits
    .map(({ path }) => plannedTasks(state.steps.get(path)) ?? resultOfStep(state.steps.get(path))?.tasks)
    .findLast((one) => one !== undefined);
  return tasks === undefined ? '' : JSON.stringify(tasks.map((task) => redact(task.name)));
}

/** Step path → the session of the step's last attempt with an agent. */
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
export interface UnstartedRun {
  readonly status: 'skipped' | 'planned' | 'failed';
  readonly workflow: string;
  readonly runId: string;
  readonly jobAttempt: number;
  /** Path of the report. Absent if there is no private directory, or if the run has written its own report. */
  readonly report?: string;
  /** The run has written its own report and outputs, which are kept. */
  readonly hasReport?: boolean;
  /** The text of the summary, already redacted. */
  readonly summary: string;
}

/** Writes outputs, report and summary of a job in which no step ran. */
export function writeUnstartedRun(
  unstarted: UnstartedRun,
  stepFiles: StepFiles,
  log: ActionContext['log'],
): void {
  const { status, workflow, runId, jobAttempt } = unstarted;
  const facts = { status, runId, jobAttempt, startCommit: '', persisted: false, resumed: false };
  const plan = { workflow, sessionMatch: 'agent', onPause: 'fail', budget: {}, steps: [], vars: {} } as const;
  if (unstarted.report !== undefined) {
    const report = makeReport(plan, emptyState, { ...facts, reusedSteps: new Set() });
    writeFileSync(unstarted.report, `${JSON.stringify(report, null, 2)}\n`);
  }
  const baseOutputs = unstarted.hasReport ? { resumed: 'false', persisted: 'false' } : emptyOutputs;
  const outputs = { ...baseOutputs, status, ...defined({ report: unstarted.report }) };
  writeStepResults({ outputs, summary: unstarted.summary }, stepFiles, log);
}
