/** Runs a plan in an open workspace: prepare, execute, finish. */

import { availableParallelism } from 'node:os';
import { runPlan } from '../engine/run-plan.js';
import { UserError } from '../failure.js';
import { failedWithoutVerdict, type NewEvent } from '../journal/event.js';
import { applyEvent, foldEvents, type RunState } from '../journal/run-state.js';
import { defined } from '../optional-keys.js';
import { hasFullDisk, isDiskFull } from '../system/disk-reserve.js';
import { finishEarlyRerun, finishRun } from './finish.js';
import { prepareRun } from './prepare-run.js';
import type { PreparedRun, RunRequest } from './run-context.js';

/** Resolves with the exit code. */
export async function runInWorkspace(request: RunRequest): Promise<number> {
  const prepared = await prepareRun(request);
  if ('waiting' in prepared) return finishEarlyRerun(request, prepared);
  const state = await executePlan(request, prepared).catch((error: unknown) =>
    recordCrash(request, prepared, error),
  );
  return finishRun(request, prepared, state);
}

/** After an internal error, what was recorded still counts: it is stored and reported. */
async function recordCrash(request: RunRequest, prepared: PreparedRun, error: unknown): Promise<RunState> {
  const { actionContext, privateDirectory } = request;
  const isFull: boolean = isDiskFull(error) || hasFullDisk(privateDirectory);
  prepared.diskReserve.release();
  const text = error instanceof Error ? error.message : String(error);
  const message = isFull ? diskFullText(text) : text;
  if (!(error instanceof UserError) && error instanceof Error && !isFull)
    actionContext.log.info(`Internal error in gump-action. ${error.stack ?? ''}`);
  const recordedState = foldEvents(prepared.journal.events());
  const events = crashEvents(recordedState, message, actionContext.job.jobAttempt).map(
    prepared.journal.append,
  );
  const state = events.reduce(applyEvent, recordedState);
  if (state.runEnded?.failedStep === undefined) prepared.live.error(message);
  await prepared.ports.checkpoints.store(state).catch(() => undefined);
  return state;
}

function diskFullText(message: string): string {
  return `The disk of the runner is full: ${message.trim().replace(/\.$/, '')}. Free space, or use a runner with a larger disk, and re-run the failed jobs.`;
}

/** The step that was running when the error occurred has failed. */
function crashEvents(state: RunState, message: string, jobAttempt: number): readonly NewEvent[] {
  const step = [...state.steps.values()].findLast((one) => one.status === 'running');
  const last = step?.attempts.at(-1);
  const end = { type: 'run-ended', status: 'failed', jobAttempt } as const;
  if (step === undefined) return [end];
  const ref = { step: step.path, number: last?.number ?? 1, jobAttempt };
  const attempt = failedWithoutVerdict(ref, { kind: 'crash', message });
  const ended = { type: 'step-ended', step: step.path, status: 'failed', jobAttempt } as const;
  return [...(last?.status === 'running' ? [attempt] : []), ended, { ...end, failedStep: step.path }];
}

function executePlan(
  { actionContext, settings, plan, signal, deadline }: RunRequest,
  { ports, initialState, resumed, canStore }: PreparedRun,
): Promise<RunState> {
  const { job, inputs } = actionContext;
  return runPlan({
    plan,
    ports,
    signal,
    jobAttempt: job.jobAttempt,
    onLostSession: inputs.onLostSession,
    ...defined({ permissions: inputs.permissions }),
    actor: job.triggeringActor || job.actor,
    maxParallel: Math.max(2, availableParallelism()),
    state: initialState,
    unavailableSessions: resumed.unavailable,
    errorContext: settings,
    ...(canStore && inputs.checkpointIntervalMs > 0
      ? { checkpointIntervalMs: inputs.checkpointIntervalMs }
      : {}),
    ...defined({ deadline }),
  });
}
