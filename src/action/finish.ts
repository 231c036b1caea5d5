/** The end of a run: waits for the last checkpoint, then writes and reports the result. */

import { newestSnapshot, type RunState } from '../journal/run-state.js';
import { defined } from '../optional-keys.js';
import { readChangedFiles, totalsOfChanges } from '../report/change-statistics.js';
import type { Log } from '../report/log.js';
import { passedRunLines } from '../report/passed-run.js';
import { type PlaceAnnotation, placeAnnotations } from '../report/place-annotations.js';
import type { ReportApproval } from '../report/report.js';
import { rerunNote, stepSentence } from '../report/rerun.js';
import { stepFilesOf } from '../security/step-files.js';
import { systemClock } from '../system/clock.js';
import type { Workspace } from '../workspace/workspace.js';
import { saveLocalCheckpoint } from './local-checkpoint.js';
import { privatePaths } from './post-state.js';
import { publishResult } from './publish.js';
import { publishComment } from './publish-comment.js';
import { publishToConversation } from './publish-conversation.js';
import { reportWait } from './report-wait.js';
import type { EarlyRerun, PreparedRun, RunRequest } from './run-context.js';
import { pauseNote, type RunResult, writeRunResult } from './run-result.js';
import { stateNameOf } from './state-storage.js';
import { readStepDiffs } from './step-diffs.js';

/** In milliseconds. A cancelled job has 10 s in total, and ending the agent takes one or two of them. */
const settleMs = { normal: 60_000, cancelled: 5_000 };

/** Resolves with the exit code. */
export async function finishRun(
  request: RunRequest,
  prepared: PreparedRun,
  ended: RunState,
): Promise<number> {
  const { actionContext, signal, workspace } = request;
  const stepFiles = stepFilesOf(actionContext.environment);
  // Nothing more is recorded, so report and outputs may have the space.
  prepared.diskReserve.release();
  const state = await publishResult(request, prepared, ended);
  const collected = await collectRunResult(request, prepared, state);
  // Before the last checkpoint is waited for: it also has what was published.
  const wasCancelled = signal.aborted;
  const published = wasCancelled ? undefined : await publishToConversation(request, prepared, collected);
  const result = published ?? collected;
  // When cancelled, write the result first: waiting for the upload may take longer than the runner allows.
  if (signal.aborted) writeRunResult(result, actionContext, stepFiles);
  const settled = await prepared.checkpointWriter.settle(
    signal.aborted ? settleMs.cancelled : settleMs.normal,
  );
  if (prepared.ports.previous !== undefined)
    prepared.postState.update({ stepDiffs: await readStepDiffs(workspace, result.state) });
  if (result.status === 'passed' && settled.persisted) await leaveForPost(request, prepared, result.state);
  const endResult = {
    ...result,
    // Two jobs use the same state: each would lose what the other stores, so the run must not count as passed.
    status: prepared.live.hasError() && result.status === 'passed' ? ('failed' as const) : result.status,
    persisted: settled.persisted,
    warnings: prepared.live.warnings(),
    ...defined({ checkpoint: settled.key }),
  };
  const finalResult = wasCancelled ? await publishComment(request, prepared, endResult) : endResult;
  if (finalResult.status === 'passed' && actionContext.inputs.apply === 'none')
    await workspace.reset(workspace.startSnapshot);
  await workspace
    .removeOutput()
    .catch((error: unknown) =>
      actionContext.log.warning(error instanceof Error ? error.message : String(error)),
    );
  const report = writeRunResult(finalResult, actionContext, stepFiles);
  prepared.postState.update({
    isDone: true,
    ...(settled.persisted ? { storedEvents: result.state.eventCount } : {}),
  });
  const exitCode = reportEnd(request, finalResult);
  // After the error of the run: GitHub shows only the first ones of a step.
  annotatePlaces(actionContext.log, placeAnnotations(report, state));
  return exitCode;
}

/** A re-run that comes too early reports again when it can continue. The restored checkpoint stays the newest. */
export async function finishEarlyRerun(request: RunRequest, early: EarlyRerun): Promise<number> {
  const { waiting: state, restored, live } = early;
  const stepFiles = stepFilesOf(request.actionContext.environment);
  const result = await collectRunResult(request, { live, initialState: state }, state);
  const stored = { ...result, persisted: true, ...defined({ checkpoint: restored }) };
  writeRunResult(stored, request.actionContext, stepFiles);
  return reportEnd(request, stored);
}

/** Without it, `post` stores the whole state again. That is slower, but no reason to fail a run that passed. */
async function leaveForPost(
  { privateDirectory }: RunRequest,
  { ports, postState }: PreparedRun,
  state: RunState,
): Promise<void> {
  const kept = await ports.checkpoints
    .sealForPost(state)
    .then((sealed) => saveLocalCheckpoint(privateDirectory, sealed))
    .catch(() => undefined);
  if (kept !== undefined) postState.update({ kept });
}

function annotatePlaces(log: Log, annotations: readonly PlaceAnnotation[]): void {
  for (const { kind, message, location } of annotations) log[kind](message, location);
}

/** Returns the exit code. */
function reportEnd({ actionContext, plan }: RunRequest, result: RunResult): number {
  const { log } = actionContext;
  const { apply } = actionContext.inputs;
  const { status } = result;
  if (status === 'passed') {
    log.info(`✓ ${plan.workflow} passed`);
    for (const line of passedRunLines(result, apply)) log.info(line);
    return 0;
  }
  if (status === 'paused') {
    // The step fails so that no job that needs this one runs by mistake, unless the workflow allows it.
    const isFine = plan.onPause === 'success';
    log[isFine ? 'notice' : 'error'](pauseNote(result));
    return isFine ? 0 : 1;
  }
  if (status === 'waiting') reportWait(log, result);
  else if (result.failedStep !== undefined) logFailure(log, result);
  else if (result.state.runEnded?.unpublished !== undefined) logUnpublished(log, result);
  return 1;
}

/** The one error that says which step failed, why, and what a re-run does. */
function logFailure(log: Log, result: RunResult): void {
  const step = result.failedStep === undefined ? undefined : result.state.steps.get(result.failedStep);
  const last = step?.attempts.at(-1);
  const what = `failed${last === undefined || step?.failure ? '' : ` at attempt ${last.number}`}`;
  const failure = step?.failure ?? last?.failure;
  log.error(`${stepSentence(result, what, failure)} ${rerunNote(result)}`);
}

/** All steps passed, but their result is not where it should be. */
function logUnpublished(log: Log, result: RunResult): void {
  const { failure } = result.state.runEnded ?? {};
  log.error(`All steps passed, but the result was not published: ${failure?.message} ${rerunNote(result)}`);
}

/** What the step that waits for a person changed. */
async function readApproval(workspace: Workspace, state: RunState): Promise<ReportApproval | undefined> {
  const { status, failedStep } = state.runEnded ?? {};
  const step = failedStep === undefined ? undefined : state.steps.get(failedStep);
  if (status !== 'paused' || step === undefined) return undefined;
  const end = step.attempts.at(-1)?.snapshot ?? step.startSnapshot;
  const files = readChangedFiles(await workspace.patch(step.startSnapshot, end).catch(() => ''));
  return { step: step.path, changes: { ...totalsOfChanges(files), files } };
}

async function collectRunResult(
  { actionContext, plan, workspace, privateDirectory }: RunRequest,
  prepared: Pick<PreparedRun, 'live' | 'initialState'>,
  state: RunState,
): Promise<RunResult> {
  const { report, patch, results } = privatePaths(privateDirectory);
  const last = newestSnapshot(state) ?? workspace.startSnapshot;
  const failedStep = state.runEnded?.failedStep;
  return {
    plan,
    state,
    status: state.runEnded?.status ?? 'failed',
    ...defined({ failedStep }),
    runId: actionContext.job.runId,
    jobAttempt: actionContext.job.jobAttempt,
    startCommit: workspace.startCommit,
    stateName: stateNameOf(actionContext),
    persisted: false,
    resumed: prepared.initialState.steps.size > 0,
    reusedSteps: new Set(
      [...prepared.initialState.steps.values()]
        .filter(({ status }) => status === 'passed')
        // A passed step can run again: in a further round, or if its parallel branch could not be merged.
        .filter(({ path, attempts }) => state.steps.get(path)?.attempts.length === attempts.length)
        .map(({ path }) => path),
    ),
    isInCache: actionContext.inputs.stateStore.kind !== 'directory',
    warnings: prepared.live.warnings(),
    // There is no patch if an agent removed the repository.
    patch: await workspace.patch(workspace.startSnapshot, last).catch(() => ''),
    files: { report, patch, results },
    ...defined({ approval: await readApproval(workspace, state) }),
    now: systemClock.now(),
  };
}
