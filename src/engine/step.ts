/** One step from its first attempt to its end: how many attempts, and when to stop. */
import type { FailureKind } from '../failure.js';
import { type Attempt, newestSnapshot } from '../journal/state.js';
import type { PlannedStep } from '../plan/plan.js';
import { runAgentAttempt } from './attempt.js';
import { runGateAttempt } from './gate-step.js';
import { attemptsAllowed } from './ladder.js';
import type { Run } from './run.js';

export type StepEnd = 'passed' | 'failed' | 'cancelled';

/** Failures that another attempt cannot mend (contract 5.8). */
const final: readonly FailureKind[] = ['auth', 'budget', 'cancelled'];

export async function runStep(run: Run, planned: PlannedStep): Promise<StepEnd> {
  begin(run, planned);
  const status = await tryUntilDone(run, planned);
  run.record({ type: 'step-ended', step: planned.path, status, jobAttempt: run.jobAttempt });
  return status;
}

function begin(run: Run, { path, fingerprint }: PlannedStep): void {
  const known = run.state().steps.get(path);
  if (known === undefined) {
    const from = newestSnapshot(run.state()) ?? run.ports.workspace.start;
    run.record({ type: 'step-started', step: path, fingerprint, from });
  } else if (JSON.stringify(known.fingerprint) !== JSON.stringify(fingerprint)) {
    run.record({ type: 'step-redefined', step: path, fingerprint });
  }
}

async function tryUntilDone(run: Run, planned: PlannedStep): Promise<StepEnd> {
  // The machine may have been lost between the attempt's end and the step's.
  if (lastAttempt(run, planned)?.status === 'passed') return 'passed';
  const allowed = planned.step.kind === 'gates' ? 1 : attemptsAllowed(planned.step.retry);
  for (let made = 1; ; made += 1) {
    await run.settle();
    if (run.signal.aborted) return 'cancelled';
    const attempt = await runAttempt(run, planned);
    if (attempt.status === 'passed') return 'passed';
    if (attempt.status !== 'failed' || run.signal.aborted) return 'cancelled';
    if (made >= allowed || isFinal(run, attempt)) return 'failed';
  }
}

function isFinal(run: Run, attempt: Attempt): boolean {
  const kind = attempt.failure?.kind;
  if (kind === undefined) return false;
  return (
    final.includes(kind) ||
    attempt.failure?.isFinal === true ||
    (kind === 'session-lost' && run.onLostSession === 'fail')
  );
}

async function runAttempt(run: Run, planned: PlannedStep): Promise<Attempt> {
  const { step } = planned;
  if (step.kind === 'gates') await runGateAttempt(run, planned.path, step);
  else await runAgentAttempt(run, planned.path, step);
  const attempt = lastAttempt(run, planned);
  if (attempt === undefined) throw new Error(`No attempt of ${planned.path} was recorded.`);
  run.ports.reporter.attemptEnds(planned.path, attempt);
  return attempt;
}

function lastAttempt(run: Run, planned: PlannedStep): Attempt | undefined {
  return run.state().steps.get(planned.path)?.attempts.at(-1);
}
