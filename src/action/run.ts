/** A plan in an opened work tree: state and resume, the engine with its ports, the end. */

import { availableParallelism } from 'node:os';
import { runPlan } from '../engine/run.js';
import { UserError } from '../failure.js';
import { failedUnjudged, type NewEvent } from '../journal/event.js';
import { readJournal } from '../journal/journal.js';
import { apply, fold, type RunState } from '../journal/state.js';
import { defined } from '../optional-keys.js';
import { endRun } from './end.js';
import { privatePaths } from './handover.js';
import type { RunRequest, Stage } from './run-context.js';
import { setStage } from './stage.js';

/** Exit code. */
export async function runInWorkspace(request: RunRequest): Promise<number> {
  const stage = await setStage(request);
  const state = await play(request, stage).catch((error: unknown) => breakOff(request, stage, error));
  return endRun(request, stage, state);
}

/** A fault in mid-run: what was written down until then still counts, is stored and reported. */
async function breakOff(request: RunRequest, stage: Stage, error: unknown): Promise<RunState> {
  const { setting, privateDirectory } = request;
  const message = error instanceof Error ? error.message : String(error);
  if (!(error instanceof UserError) && error instanceof Error)
    setting.log.info(`This is a fault of the action itself. ${error.stack ?? ''}`);
  const broken = fold(readJournal(privatePaths(privateDirectory).journal));
  const events = endsOf(broken, message, setting.job.jobAttempt).map(stage.ports.journal.append);
  const state = events.reduce(apply, broken);
  if (state.ended?.failedStep === undefined) stage.live.fault(message);
  await stage.ports.checkpoints.store(state).catch(() => undefined);
  return state;
}

/** What is at work when the run breaks has failed. */
function endsOf(state: RunState, message: string, jobAttempt: number): readonly NewEvent[] {
  const step = [...state.steps.values()].findLast((one) => one.status === 'running');
  const last = step?.attempts.at(-1);
  const end = { type: 'run-ended', status: 'failed', jobAttempt } as const;
  if (step === undefined) return [end];
  const ref = { step: step.path, number: last?.number ?? 1, jobAttempt };
  const attempt = failedUnjudged(ref, { kind: 'crash', message });
  const ended = { type: 'step-ended', step: step.path, status: 'failed', jobAttempt } as const;
  return [...(last?.status === 'running' ? [attempt] : []), ended, { ...end, failedStep: step.path }];
}

function play(
  { setting, settings, plan, signal, endsBy }: RunRequest,
  { ports, before, resumed }: Stage,
): Promise<RunState> {
  const { job, inputs } = setting;
  return runPlan({
    plan,
    ports,
    signal,
    jobAttempt: job.jobAttempt,
    onLostSession: inputs.onLostSession,
    ...defined({ permissions: inputs.permissions }),
    actor: job.triggeringActor || job.actor,
    maxParallel: Math.max(2, availableParallelism()),
    state: before,
    unavailable: resumed.unavailable,
    errorContext: settings,
    ...defined({ endsBy }),
  });
}
