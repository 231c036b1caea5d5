/** The end of a run: waits for the last checkpoint, then writes and tells how it went. */

import { newestSnapshot, type RunState } from '../journal/state.js';
import { defined } from '../optional-keys.js';
import { systemClock } from '../system/clock.js';
import { type Ending, pauseNote, tellFailure, writeEnding } from './finish.js';
import { privatePaths } from './handover.js';
import type { RunRequest, Stage } from './run-context.js';
import { stateNameOf } from './state.js';

/** A cancelled job has 10 s in all, of which the agent's end took one or two. */
const settleMs = { normal: 60_000, cancelled: 5_000 };

/** Exit code. */
export async function endRun(request: RunRequest, stage: Stage, state: RunState): Promise<number> {
  const { setting, signal, workspace } = request;
  const ending = await endingOf(request, stage, state);
  // First what the runner takes in any case; then what may take too long for it.
  if (signal.aborted) await writeEnding(ending, setting.redact);
  const settled = await stage.saver.settle(signal.aborted ? settleMs.cancelled : settleMs.normal);
  const final = {
    ...ending,
    // Two jobs at one state: each would lose what the other stores, so none of it may count as done.
    status: stage.live.hasFault() && ending.status === 'passed' ? ('failed' as const) : ending.status,
    persisted: settled.persisted,
    warnings: stage.live.warnings(),
    ...defined({ checkpoint: settled.key }),
  };
  if (final.status === 'passed' && setting.inputs.apply === 'none') await workspace.reset(workspace.start);
  await workspace.removeOutput().catch((error: unknown) => setting.log.warning(String(error)));
  await writeEnding(final, setting.redact);
  const { usedSequence } = stage.saver;
  stage.handover.update({
    isDone: true,
    usedSequence,
    ...(settled.persisted ? { storedEvents: state.events } : {}),
  });
  return tellEnd(request, final);
}

/** Exit code. */
function tellEnd({ setting: { log }, plan }: RunRequest, ending: Ending): number {
  const { status } = ending;
  if (status === 'passed') {
    log.info(`✓ ${plan.workflow} passed`);
    return 0;
  }
  if (status === 'paused') {
    // No job that needs this one may run by mistake, unless the workflow says that it may.
    const isFine = plan.onPause === 'success';
    log[isFine ? 'notice' : 'error'](pauseNote(ending));
    return isFine ? 0 : 1;
  }
  if (ending.failedStep !== undefined) tellFailure(log, ending);
  return 1;
}

async function endingOf(
  { setting, plan, workspace, privateDirectory }: RunRequest,
  stage: Stage,
  state: RunState,
): Promise<Ending> {
  const { report, patch } = privatePaths(privateDirectory);
  const last = newestSnapshot(state) ?? workspace.start;
  const failedStep = state.ended?.failedStep;
  return {
    plan,
    state,
    status: state.ended?.status ?? 'failed',
    ...defined({ failedStep }),
    runId: setting.job.runId,
    jobAttempt: setting.job.jobAttempt,
    startCommit: workspace.startCommit,
    stateName: stateNameOf(setting),
    persisted: false,
    resumed: stage.before.steps.size > 0,
    takenOver: new Set(
      [...stage.before.steps.values()].filter((step) => step.status === 'passed').map((step) => step.path),
    ),
    isInCache: setting.inputs.stateStore.kind === 'cache',
    warnings: stage.live.warnings(),
    // Without a repository, which an agent may have removed, there is none.
    patch: await workspace.patch(workspace.start, last).catch(() => ''),
    files: { report, patch },
    now: systemClock.now(),
  };
}
