/**
 * A hash of what a run has achieved, for the mark of a run that waits (`resume-mark.ts`). It changes if and only if a
 * step passed or was approved, an attempt changed its tree, or an agent answered. Pure.
 *
 * The length of a session does not count, nor does its id: a refused request may also be in the file of a session, and a
 * session that never answered may be replaced.
 */
import { createHash } from 'node:crypto';
import type { RunState, StepState } from '../journal/run-state.js';

/** 16 hexadecimal digits. Does not depend on times, job attempts or machines. */
export function runProgress({ steps }: RunState): string {
  const facts = [...steps.values()].map(factsOf).sort(([a], [b]) => (a < b ? -1 : 1));
  return createHash('sha256').update(JSON.stringify(facts)).digest('hex').slice(0, 16);
}

/** What one step has achieved. The first value identifies it. */
function factsOf({ path, status, attempts }: StepState): readonly [string, ...unknown[]] {
  const changes = attempts.filter(({ changed }) => changed).length;
  const approvals = attempts.filter(({ approvedBy }) => approvedBy !== undefined).length;
  const answers = attempts.reduce((sum, { usage }) => sum + (usage.turns ?? usage.outputTokens ?? 0), 0);
  return [path, status === 'passed', changes, approvals, answers];
}
