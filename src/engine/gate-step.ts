/** A step that runs only gates. It is never retried; a re-run of the job runs it again. */
import type { AttemptRef } from '../journal/event.js';
import type { Attempt } from '../journal/run-state.js';
import type { PlacedStep } from '../plan/placed-step.js';
import { currentSnapshot } from './branch-context.js';
import type { EngineRun } from './engine-run.js';
import { evaluateGates } from './evaluate-gates.js';
import { isInterrupted, lastAttemptOf } from './history.js';
import { pauseIfRequested, pauseOf, staysPaused } from './step-pause.js';

export async function runGateAttempt(run: EngineRun, placed: PlacedStep): Promise<'stopped' | undefined> {
  const { path, step } = placed;
  const last = lastAttemptOf(run, path);
  if (last?.status === 'running' && staysPaused(run, path, last)) return undefined;
  const ref = startGateAttempt(run, path, lastAttemptOf(run, path));
  if (pauseIfRequested(run, ref, pauseOf(step), 'before-gate', lastAttemptOf(run, path))) return undefined;
  const startedAt = run.ports.clock.now();
  const { startSnapshot } = run.ports.workspace;
  const changes = () => run.ports.workspace.changes(startSnapshot, currentSnapshot(run));
  const verdict = await evaluateGates(run, placed, ref, step.gates, changes);
  if (verdict === 'cancelled') return undefined;
  run.record({ type: 'attempt-ended', ...ref, ...verdict, durationMs: run.ports.clock.now() - startedAt });
  return undefined;
}

function startGateAttempt(run: EngineRun, path: string, last: Attempt | undefined): AttemptRef {
  const isContinued = last !== undefined && isInterrupted(last);
  const number = isContinued ? last.number : (last?.number ?? 0) + 1;
  const ref = { step: path, number, jobAttempt: run.jobAttempt };
  run.record({ type: 'attempt-started', ...ref, ...(isContinued ? { standsAgain: true } : {}) });
  run.ports.reporter.attemptStarts(path, number, undefined, undefined);
  return ref;
}
