/** The end of a run: waits for the last checkpoint, then writes and reports the result. */

import { newestSnapshot, type RunState } from '../journal/run-state.js';
import { defined } from '../optional-keys.js';
import { readChangedFiles, totalsOfChanges } from '../report/change-statistics.js';
import type { Log } from '../report/log.js';
import { passedRunLines } from '../report/passed-run.js';
import { type PlaceAnnotation, placeAnnotations } from '../report/place-annotations.js';
import type { ReportApproval } from '../report/report.js';
import { rerunNote } from '../report/rerun.js';
import { stepFilesOf } from '../security/step-files.js';
import { systemClock } from '../system/clock.js';
import type { Workspace } from '../workspace/workspace.js';
import { saveLocalCheckpoint } from './local-checkpoint.js';
import { privatePaths } from './post-state.js';
import type { PreparedRun, RunRequest } from './run-context.js';
import { pauseNote, type RunResult, writeRunResult } from './run-result.js';
import { stateNameOf } from './state-storage.js';

/** In milliseconds. A cancelled job has 10 s in total, and ending the agent takes one or two of them. */
const settleMs = { normal: 60_000, cancelled: 5_000 };

/** Resolves with the exit code. */
export async function finishRun(
  request: RunRequest,
  prepared: PreparedRun,
  state: RunState,
): Promise<number> {
  const { actionContext, signal, workspace } = request;
  const stepFiles = stepFilesOf(actionContext.environment);
  // Nothing more is recorded, so report and outputs may have the space.
  prepared.diskReserve.release();
  const result = await collectRunResult(request, prepared, state);
  // When cancelled, write the result first: waiting for the upload may take longer than the runner allows.
  if (signal.aborted) writeRunResult(result, actionContext, stepFiles);
  const settled = await prepared.checkpointWriter.settle(
    signal.aborted ? settleMs.cancelled : settleMs.normal,
  );
  if (result.status === 'passed' && settled.persisted) await leaveForPost(request, prepared, state);
  const finalResult = {
    ...result,
    // Two jobs use the same state: each would lose what the other stores, so the run must not count as passed.
    status: prepared.live.hasError() && result.status === 'passed' ? ('failed' as const) : result.status,
    persisted: settled.persisted,
    warnings: prepared.live.warnings(),
    ...defined({ checkpoint: settled.key }),
  };
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
    ...(settled.persisted ? { storedEvents: state.eventCount } : {}),
  });
  const exitCode = reportEnd(request, finalResult);
  // After the error of the run: GitHub shows only the first ones of a step.
  annotatePlaces(actionContext.log, placeAnnotations(report, state));
  return exitCode;
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
  if (result.failedStep !== undefined) logFailure(log, result);
  return 1;
}

/** The one error that says which step failed, why, and what a re-run does. */
function logFailure(log: Log, result: RunResult): void {
  const step = result.failedStep === undefined ? undefined : result.state.steps.get(result.failedStep);
  const last = step?.attempts.at(-1);
  const what =
    result.status === 'cancelled'
      ? 'was interrupted'
      : result.state.runEnded?.failure !== undefined
        ? 'was stopped'
        : `failed${last === undefined || step?.failure ? '' : ` at attempt ${last.number}`}`;
  const own = result.state.runEnded?.failure;
  const failure = result.status === 'cancelled' ? undefined : (own ?? step?.failure ?? last?.failure);
  const why = failure === undefined ? '' : ` (${failure.kind}): ${failure.message}`;
  log.error(
    `Step \`${result.failedStep}\` ${what}${why}${why.endsWith('.') ? '' : '.'} ${rerunNote(result)}`,
  );
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
  prepared: PreparedRun,
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
    isInCache: actionContext.inputs.stateStore.kind === 'cache',
    warnings: prepared.live.warnings(),
    // There is no patch if an agent removed the repository.
    patch: await workspace.patch(workspace.startSnapshot, last).catch(() => ''),
    files: { report, patch, results },
    ...defined({ approval: await readApproval(workspace, state) }),
    now: systemClock.now(),
  };
}
