/** Runs one step from its first attempt to its end. */
import type { Attempt } from '../journal/run-state.js';
import type { PlacedStep } from '../plan/placed-step.js';
import { agentStepOf, passAgent } from '../plan/plan.js';
import { runAgentAttempt } from './attempt.js';
import { currentSnapshot } from './branch-context.js';
import type { AgentWait } from './choose-agent.js';
import { type EngineRun, recordStepEnd, type ScopeEnd, scopePassed } from './engine-run.js';
import { runGateAttempt } from './gate-step.js';
import { currentAttemptOf, isFinalAttempt, lastAttemptOf, needsOnlyGates } from './history.js';
import { isTooLong } from './limits/provider-limits.js';
import { usedUpFailure } from './limits/run-limits.js';
import { maxAttempts } from './retry-policy.js';
import { runInnerSteps, runRounds } from './rounds.js';
import { isPaused, pauseAfterGatesIfRequested, staysPaused } from './step-pause.js';
import { endOfStopped, reportWait } from './stopped-step.js';
import { findUnexplainedChanges } from './unexplained-changes.js';

export async function runStep(run: EngineRun, placed: PlacedStep): Promise<ScopeEnd> {
  startStep(run, placed);
  const { kind } = placed.step;
  const end = await (kind === 'group' || kind === 'call' ? runRounds(run, placed) : runAttempts(run, placed));
  // `until` stopped the run at a step below this one, so this one has not ended.
  if (end.status === 'passed' && end.isLast) return end;
  recordStepEnd(run, placed.path, end);
  return end;
}

/** Runs the step's own attempts, and then the tasks of a split. */
async function runAttempts(run: EngineRun, placed: PlacedStep): Promise<ScopeEnd> {
  const end = await runUntilDone(run, placed);
  if (end.status !== 'passed') return end;
  return placed.step.kind === 'split' ? runInnerSteps(run, placed) : scopePassed;
}

function startStep(run: EngineRun, { path, fingerprint }: PlacedStep): void {
  const known = run.state().steps.get(path);
  if (known === undefined) {
    const branchField = run.branchPrefix === '' ? {} : { lane: run.branchPrefix };
    run.record({ type: 'step-started', step: path, fingerprint, from: currentSnapshot(run), ...branchField });
  } else if (JSON.stringify(known.fingerprint) !== JSON.stringify(fingerprint)) {
    run.record({ type: 'step-redefined', step: path, fingerprint });
  }
}

async function runUntilDone(run: EngineRun, placed: PlacedStep): Promise<ScopeEnd> {
  const { path, step } = placed;
  const paused = { status: 'paused', path } as const;
  const cancelled = { status: 'cancelled', path } as const;
  const before = currentAttemptOf(run, path);
  // The machine may have been lost between the end of the attempt and that of the step, or the step was waiting.
  if (before !== undefined && before.status !== 'running') {
    if (staysPaused(run, path, before)) return paused;
    if (before.status === 'passed')
      return pauseAfterGatesIfRequested(run, placed, before) ? paused : scopePassed;
  }
  const allowed = maxAttempts(step.kind === 'gates' ? [] : step.retry);
  for (let made = 1; ; ) {
    await run.flush();
    if (run.signal.aborted) return cancelled;
    const failure =
      (await findUnexplainedChanges(run)) ??
      (willStartAgent(run, placed) ? usedUpFailure(run, run.limits) : undefined);
    if (failure !== undefined) return { status: 'failed', path, failure };
    const attempt = await runAttempt(run, placed);
    if (attempt === 'stopped') return endOfStopped(run, path);
    if ('resumeAt' in attempt) return reportWait(run, { status: 'waiting', path, ...attempt });
    if (isPaused(attempt)) return paused;
    if (attempt.status === 'running') return endOfStopped(run, path);
    const resumeAt = attempt.failure?.resumeAt;
    if (attempt.status === 'cancelled' && resumeAt !== undefined && !run.signal.aborted) {
      // The next attempt starts with another agent, or not at all. This one has used up no retry.
      if (isTooLong(resumeAt, run.ports.clock.now())) continue;
      return { status: 'waiting', path, resumeAt };
    }
    const isOver = made >= allowed || isFinalAttempt(run, attempt);
    if (attempt.status === 'passed')
      return pauseAfterGatesIfRequested(run, placed, attempt) ? paused : scopePassed;
    if (attempt.status !== 'failed' || run.signal.aborted) return cancelled;
    if (isOver) return { status: 'failed', path };
    if (pauseAfterGatesIfRequested(run, placed, attempt)) return paused;
    made += 1;
  }
}

/** Whether its next attempt starts an agent. If the agent has already ended, only gates remain. */
function willStartAgent(run: EngineRun, { path, step }: PlacedStep): boolean {
  const own = agentStepOf(step);
  if (own === undefined || own.agent === passAgent) return false;
  const state = run.state().steps.get(path);
  return state === undefined || !needsOnlyGates(state);
}

async function runAttempt(run: EngineRun, placed: PlacedStep): Promise<Attempt | AgentWait | 'stopped'> {
  const own = agentStepOf(placed.step);
  const end = await (own === undefined ? runGateAttempt(run, placed) : runAgentAttempt(run, placed, own));
  if (end !== undefined) return end;
  const attempt = lastAttemptOf(run, placed.path);
  if (attempt === undefined) throw new Error(`No attempt of step \`${placed.path}\` was recorded.`);
  run.ports.reporter.attemptEnds(placed.path, attempt);
  return attempt;
}
