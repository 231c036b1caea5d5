/**
 * The loop over the steps of a plan: decide, record, act. Everything it knows about the run is derived from the
 * journal, so that a run can continue on another machine.
 *
 * ENGINE1 An event is in the journal before anything acts on it.
 * ENGINE2 A passed step never runs again, and a turn whose end is recorded is never sent again.
 * ENGINE3 After every attempt of an agent a checkpoint is stored before anything later starts in its branch.
 */
import type { Failure } from '../failure.js';
import type { AttemptRef, NewEvent, RunEnded } from '../journal/event.js';
import { isSpendEvent } from '../journal/ledger.js';
import { applyEvent, type RunState } from '../journal/run-state.js';
import { type PlacedStep, placeStep, rootScope, type StepScope } from '../plan/placed-step.js';
import { createBranchContext } from './branch-context.js';
import { type EngineRun, type RunOptions, recordStepEnd, type ScopeEnd, scopePassed } from './engine-run.js';
import { haveInnerStepsPassed, isComplete } from './history.js';
import { startIntervalCheckpoints } from './interval-checkpoints.js';
import type { MonitoredAgent } from './limits/limit.js';
import { runLimits } from './limits/run-limits.js';
import { startTimeLimit } from './limits/time-limit.js';
import { runInnerSteps } from './rounds.js';
import { runStep } from './step.js';
import { warnAboutUnusedApproval } from './step-pause.js';

/** Runs the rest of the plan. Resolves with the final state, which is stored; rejects only because of a bug. */
export async function runPlan(options: RunOptions): Promise<RunState> {
  const timeLimit = startTimeLimit(options);
  const run = createEngineRun({ ...options, signal: timeLimit.signal, cancelSignal: options.signal });
  warnAboutUnusedApproval(run);
  const stopIntervals = startIntervalCheckpoints(run);
  const end = await runSteps(run).finally(() => {
    timeLimit.stop();
    stopIntervals();
  });
  run.record(toRunEnded(run, end, timeLimit.isExpired()));
  await run.flush();
  return run.state();
}

/** Nothing that was interrupted has failed: the run waits for a re-run, which resumes it. */
function toRunEnded(run: EngineRun, end: ScopeEnd, isTimeUp: boolean): RunEnded {
  const base = { type: 'run-ended', jobAttempt: run.jobAttempt } as const;
  if (end.status === 'passed') return { ...base, status: end.status };
  const { status, path: failedStep } = end;
  const waiting = { ...base, status: 'waiting', failedStep } as const;
  if (status === 'waiting') return { ...waiting, reason: 'limit', resumeAt: end.resumeAt };
  if (status !== 'cancelled') return { ...base, status, failedStep };
  const resumeAt = run.ports.clock.now();
  if (isTimeUp) return { ...waiting, reason: 'time', resumeAt, failure: timeUpFailure };
  return { ...waiting, reason: 'cancelled', resumeAt };
}

const timeUpFailure: Failure = {
  kind: 'timeout',
  message:
    'the time limit of this job (`max-time`) is reached. The running agent was stopped and its state saved; a re-run resumes it.',
};

async function runSteps(run: EngineRun): Promise<ScopeEnd> {
  const end = await runScope(run, rootScope(run.plan));
  if (end.status === 'passed' && !end.isLast && run.plan.until !== undefined)
    run.ports.reporter.warn(
      `Input \`until\`: the run did not reach step \`${run.plan.until}\`, so no step was left out. Check the path of the step.`,
    );
  return end;
}

/** Runs the rest of the steps of one scope. */
async function runScope(run: EngineRun, scope: StepScope): Promise<ScopeEnd> {
  for (const planned of scope.steps) {
    const placed = placeStep(planned, scope);
    const end = await runOrReuseStep(run, placed);
    if (end.status !== 'passed' || end.isLast) return end;
    if (placed.path === run.plan.until) {
      run.ports.reporter.log(`Stopped after step \`${placed.path}\` (input \`until\`)`);
      return { status: 'passed', isLast: true };
    }
  }
  return scopePassed;
}

async function runOrReuseStep(run: EngineRun, placed: PlacedStep): Promise<ScopeEnd> {
  const known = run.state().steps.get(placed.path);
  if (known?.status !== 'passed') return runStep(run, placed);
  if (known.endedInJobAttempt !== run.jobAttempt) run.ports.reporter.stepReused(known);
  if (isComplete(run, placed)) return scopePassed;
  const { kind } = placed.step;
  const isJudgedAgain = (kind === 'group' || kind === 'call') && !haveInnerStepsPassed(run, placed);
  return isJudgedAgain ? runStep(run, placed) : passBelow(run, placed);
}

/** A passed step is still searched: `until` may name a step below it, or `each` of a split may have new steps. */
async function passBelow(run: EngineRun, placed: PlacedStep): Promise<ScopeEnd> {
  const end = await runInnerSteps(run, placed);
  if (end.status !== 'passed') recordStepEnd(run, placed.path, end);
  return end;
}

interface EngineRunOptions extends RunOptions {
  readonly cancelSignal: AbortSignal;
}

function createEngineRun({ state: initial, ports, ...options }: EngineRunOptions): EngineRun {
  let state = initial;
  const runningAgents = new Set<MonitoredAgent>();
  const shared = {
    state: () => state,
    append(event: NewEvent) {
      state = applyEvent(state, ports.journal.append(event));
      // From here on, the ledger counts this usage.
      if (isSpendEvent(event))
        for (const one of runningAgents) if (isSameAttempt(one, event)) runningAgents.delete(one);
    },
  };
  return {
    ...options,
    // A re-run does not continue its own session either while another run does.
    sessionsInUse: new Set(ports.previous?.sessionsInUse),
    limits: runLimits(options.plan),
    steps: { runStep, runScope },
    isWriteForbidden: false,
    runningAgents,
    runningTurns: new Set(),
    state: shared.state,
    ...createBranchContext(shared, '', ports.workspace.startSnapshot, ports),
  };
}

function isSameAttempt(one: MonitoredAgent, { step, number }: Pick<AttemptRef, 'step' | 'number'>): boolean {
  return one.step === step && one.number === number;
}
