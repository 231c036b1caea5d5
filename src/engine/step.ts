/** One step from its first attempt to its end: how many attempts, and when to stop. */
import type { FailureKind } from '../failure.js';
import { type Attempt, newestSnapshot } from '../journal/state.js';
import type { PlacedStep } from '../plan/place.js';
import { agentOf } from '../plan/plan.js';
import { runAgentAttempt } from './attempt.js';
import { runGateAttempt } from './gate-step.js';
import { attemptsAllowed } from './ladder.js';
import type { Run, ScopeEnd } from './run.js';
import { runTasks } from './tasks.js';

export type StepEnd = 'passed' | 'failed' | 'cancelled';

/** Failures that another attempt cannot mend (contract 5.8). */
const final: readonly FailureKind[] = ['auth', 'budget', 'cancelled'];

export async function runStep(run: Run, placed: PlacedStep): Promise<ScopeEnd> {
  begin(run, placed);
  const own = await tryUntilDone(run, placed);
  const end: ScopeEnd = own === 'passed' ? await runTasks(run, placed) : { status: own, path: placed.path };
  // Stopped by `until` in the middle of a task, a split has not ended.
  if (end.status === 'passed' && end.isLast) return end;
  run.record({ type: 'step-ended', step: placed.path, status: end.status, jobAttempt: run.jobAttempt });
  return end;
}

function begin(run: Run, { path, fingerprint }: PlacedStep): void {
  const known = run.state().steps.get(path);
  if (known === undefined) {
    const from = newestSnapshot(run.state()) ?? run.ports.workspace.start;
    run.record({ type: 'step-started', step: path, fingerprint, from });
  } else if (JSON.stringify(known.fingerprint) !== JSON.stringify(fingerprint)) {
    run.record({ type: 'step-redefined', step: path, fingerprint });
  }
}

async function tryUntilDone(run: Run, placed: PlacedStep): Promise<StepEnd> {
  // The machine may have been lost between the attempt's end and the step's.
  if (lastAttempt(run, placed.path)?.status === 'passed') return 'passed';
  const allowed = attemptsAllowed(agentOf(placed.step)?.retry ?? []);
  for (let made = 1; ; made += 1) {
    await run.settle();
    if (run.signal.aborted) return 'cancelled';
    const attempt = await runAttempt(run, placed);
    if (attempt.status === 'passed') return 'passed';
    if (attempt.status !== 'failed' || run.signal.aborted) return 'cancelled';
    if (made >= allowed || isFinal(run, attempt)) return 'failed';
  }
}

/** Whether another attempt must not be made in this job. */
export function isFinal(run: Run, attempt: Attempt): boolean {
  const kind = attempt.failure?.kind;
  if (kind === undefined) return false;
  return (
    final.includes(kind) ||
    attempt.failure?.isFinal === true ||
    (kind === 'session-lost' && run.onLostSession === 'fail')
  );
}

async function runAttempt(run: Run, placed: PlacedStep): Promise<Attempt> {
  const own = agentOf(placed.step);
  if (own === undefined) await runGateAttempt(run, placed.path, placed.step.gates);
  else await runAgentAttempt(run, placed, own);
  const attempt = lastAttempt(run, placed.path);
  if (attempt === undefined) throw new Error(`No attempt of ${placed.path} was recorded.`);
  run.ports.reporter.attemptEnds(placed.path, attempt);
  return attempt;
}

export function lastAttempt(run: Run, path: string): Attempt | undefined {
  return run.state().steps.get(path)?.attempts.at(-1);
}
