/** The end of a run: waits for the last checkpoint, then writes and tells how it went. */

import { newestSnapshot, type RunState } from '../journal/run-state.js';
import { defined } from '../optional-keys.js';
import { systemClock } from '../system/clock.js';
import { logFailure, pauseNote, type RunResult, writeRunResult } from './finish.js';
import { privatePaths } from './post-state.js';
import type { PreparedRun, RunRequest } from './run-context.js';
import { stateNameOf } from './state-storage.js';

/** A cancelled job has 10 s in all, of which the agent's end took one or two. */
const settleMs = { normal: 60_000, cancelled: 5_000 };

/** Exit code. */
export async function finishRun(
  request: RunRequest,
  prepared: PreparedRun,
  state: RunState,
): Promise<number> {
  const { actionContext, signal, workspace } = request;
  const result = await collectRunResult(request, prepared, state);
  // First what the runner takes in any case; then what may take too long for it.
  if (signal.aborted) await writeRunResult(result, actionContext.redact);
  const settled = await prepared.checkpointWriter.settle(
    signal.aborted ? settleMs.cancelled : settleMs.normal,
  );
  const finalResult = {
    ...result,
    // Two jobs at one state: each would lose what the other stores, so none of it may count as done.
    status: prepared.live.hasError() && result.status === 'passed' ? ('failed' as const) : result.status,
    persisted: settled.persisted,
    warnings: prepared.live.warnings(),
    ...defined({ checkpoint: settled.key }),
  };
  if (finalResult.status === 'passed' && actionContext.inputs.apply === 'none')
    await workspace.reset(workspace.startSnapshot);
  await workspace.removeOutput().catch((error: unknown) => actionContext.log.warning(String(error)));
  await writeRunResult(finalResult, actionContext.redact);
  const { usedSequence } = prepared.checkpointWriter;
  prepared.postState.update({
    isDone: true,
    usedSequence,
    ...(settled.persisted ? { storedEvents: state.eventCount } : {}),
  });
  return reportEnd(request, finalResult);
}

/** Exit code. */
function reportEnd({ actionContext: { log }, plan }: RunRequest, result: RunResult): number {
  const { status } = result;
  if (status === 'passed') {
    log.info(`✓ ${plan.workflow} passed`);
    return 0;
  }
  if (status === 'paused') {
    // No job that needs this one may run by mistake, unless the workflow says that it may.
    const isFine = plan.onPause === 'success';
    log[isFine ? 'notice' : 'error'](pauseNote(result));
    return isFine ? 0 : 1;
  }
  if (result.failedStep !== undefined) logFailure(log, result);
  return 1;
}

async function collectRunResult(
  { actionContext, plan, workspace, privateDirectory }: RunRequest,
  prepared: PreparedRun,
  state: RunState,
): Promise<RunResult> {
  const { report, patch } = privatePaths(privateDirectory);
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
        .filter((step) => step.status === 'passed')
        .map((step) => step.path),
    ),
    isInCache: actionContext.inputs.stateStore.kind === 'cache',
    warnings: prepared.live.warnings(),
    // Without a repository, which an agent may have removed, there is none.
    patch: await workspace.patch(workspace.startSnapshot, last).catch(() => ''),
    files: { report, patch },
    now: systemClock.now(),
  };
}
