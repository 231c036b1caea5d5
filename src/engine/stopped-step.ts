/** Why a step stops without a failure: it waits, or a step below it does, also in a workflow that its attempt calls. */
import type { StepState } from '../journal/run-state.js';
import { isBelow } from '../step-path.js';
import type { EngineRun, ScopeEnd, WaitingEnd } from './engine-run.js';
import { isPaused } from './step-pause.js';

/** The pause or the wait of a step below; otherwise the job was cancelled. */
export function endOfStopped(run: EngineRun, path: string): ScopeEnd {
  const below = [...run.state().steps.values()].filter((step) => isBelow(step.path, path));
  if (run.signal.aborted) return { status: 'cancelled', path };
  const paused = below.findLast(isStepPaused);
  return waitBelow(run, below) ?? { status: paused ? 'paused' : 'cancelled', path: paused?.path ?? path };
}

function waitBelow({ jobAttempt }: EngineRun, below: readonly StepState[]): ScopeEnd | undefined {
  const waits = below.flatMap(({ path, resumeAt, endedInJobAttempt }) =>
    resumeAt === undefined || endedInJobAttempt !== jobAttempt
      ? []
      : [{ status: 'waiting', path, resumeAt } as const],
  );
  return waits.sort((a, b) => a.resumeAt - b.resumeAt)[0];
}

function isStepPaused({ attempts }: StepState): boolean {
  const last = attempts.at(-1);
  return last !== undefined && isPaused(last);
}

/** Logs that no agent starts for the step. An attempt that was just refused has said so itself. */
export function reportWait(run: EngineRun, end: WaitingEnd): WaitingEnd {
  const last = run.state().steps.get(end.path)?.attempts.at(-1);
  if (last?.jobAttempt === run.jobAttempt && last.failure?.resumeAt === end.resumeAt) return end;
  // Rounded up, as everywhere.
  const minute = Math.ceil(end.resumeAt / 60_000) * 60_000;
  const time = new Date(minute).toISOString().slice(0, 16).replace('T', ' ');
  run.ports.reporter.log(
    `Step \`${end.path}\` waits: the service of its agent accepts requests again at ${time} UTC`,
  );
  return end;
}
