/** A step that runs only gates. It is never retried; a re-run of the job tries it anew. */
import type { AttemptRef } from '../journal/event.js';
import type { Attempt } from '../journal/state.js';
import type { PlacedStep } from '../plan/place.js';
import { isCutOff, lastAttempt } from './history.js';
import { judgeGates } from './judge.js';
import { treeNow } from './lane.js';
import { pauseOf, pausesAt, stillWaits } from './pause.js';
import type { Run } from './run-context.js';

export async function runGateAttempt(run: Run, placed: PlacedStep): Promise<'stopped' | undefined> {
  const { path, step } = placed;
  const last = lastAttempt(run, path);
  if (last?.status === 'running' && stillWaits(run, path, last)) return undefined;
  const ref = begin(run, path, lastAttempt(run, path));
  if (pausesAt(run, ref, pauseOf(step), 'before-gate', lastAttempt(run, path))) return undefined;
  const startedAt = run.ports.clock.now();
  const { start } = run.ports.workspace;
  const changes = () => run.ports.workspace.changes(start, treeNow(run));
  const verdict = await judgeGates(run, placed, ref, step.gates, changes);
  if (verdict === 'cancelled') return undefined;
  run.record({ type: 'attempt-ended', ...ref, ...verdict, durationMs: run.ports.clock.now() - startedAt });
  return undefined;
}

function begin(run: Run, path: string, last: Attempt | undefined): AttemptRef {
  const goesOn = last !== undefined && isCutOff(last);
  const number = goesOn ? last.number : (last?.number ?? 0) + 1;
  const ref = { step: path, number, jobAttempt: run.jobAttempt };
  run.record({ type: 'attempt-started', ...ref, ...(goesOn ? { standsAgain: true } : {}) });
  run.ports.reporter.attemptStarts(path, number, undefined, undefined);
  return ref;
}
