/** A step that runs only gates. It is never retried; a re-run of the job tries it anew. */

import { newestSnapshot } from '../journal/state.js';
import type { Gate } from '../workflow/workflow.js';
import { judgeGates } from './judge.js';
import { isCutOff } from './next-attempt.js';
import type { Run } from './run.js';

export async function runGateAttempt(run: Run, path: string, gates: readonly Gate[]): Promise<void> {
  const last = run.state().steps.get(path)?.attempts.at(-1);
  const number = last !== undefined && isCutOff(last) ? last.number : (last?.number ?? 0) + 1;
  const ref = { step: path, number, jobAttempt: run.jobAttempt };
  const startedAt = run.ports.clock.now();
  run.record({ type: 'attempt-started', ...ref });
  run.ports.reporter.attemptStarts(path, number, undefined, undefined);
  const { start } = run.ports.workspace;
  const changes = () => run.ports.workspace.changes(start, newestSnapshot(run.state()) ?? start);
  const verdict = await judgeGates(run, path, gates, changes);
  if (verdict === 'cancelled') return;
  run.record({ type: 'attempt-ended', ...ref, ...verdict, durationMs: run.ports.clock.now() - startedAt });
}
