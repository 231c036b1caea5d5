/**
 * The loop over a plan's steps: decide, write down, act. Everything it knows of the run so far is a fold of
 * the journal, so that a run begun on another machine goes on here.
 *
 * E1 An event is in the journal before anything acts on it.
 * E2 A passed step is never run again; an agent's turn whose end is recorded is never sent again.
 * E3 After every attempt of an agent a checkpoint is stored before anything later starts in its lane.
 */
import type { AttemptRef, NewEvent, RunEnded } from '../journal/event.js';
import { isSpendEvent } from '../journal/ledger.js';
import { applyEvent, type RunState } from '../journal/run-state.js';
import { type PlacedStep, placeStep, rootScope, type StepScope } from '../plan/placed-step.js';
import { createBranchContext } from './branch-context.js';
import { type EngineRun, type RunOptions, recordStepEnd, type ScopeEnd, scopePassed } from './engine-run.js';
import { haveInnerStepsPassed, isComplete } from './history.js';
import type { MonitoredAgent } from './limits/limit.js';
import { runLimits } from './limits/run-limits.js';
import { startTimeLimit } from './limits/time-limit.js';
import { runInnerSteps } from './rounds.js';
import { runStep } from './step.js';
import { warnAboutUnusedApproval } from './step-pause.js';

/** Runs what is left of the plan; resolves with the final state, which is stored. Rejects only for our own bugs. */
export async function runPlan(options: RunOptions): Promise<RunState> {
  const timeLimit = startTimeLimit(options);
  const { deadline: _deadline, ...rest } = options;
  const run = createEngineRun({ ...rest, signal: timeLimit.signal, cancelSignal: options.signal });
  warnAboutUnusedApproval(run);
  const end = await runSteps(run).finally(timeLimit.stop);
  run.record(end.status === 'cancelled' && timeLimit.isExpired() ? { ...end, ...timeLimitEnd } : end);
  await run.flush();
  return run.state();
}

/** What was at work stays cut off, so that a re-run goes on in it; the job must not look cancelled. */
const timeLimitEnd = {
  status: 'failed',
  failure: {
    kind: 'timeout',
    message:
      'the time of this job (`max-time`) is up. What was at work was stopped as if the job had been cancelled, and a re-run goes on in it.',
  },
} as const;

async function runSteps(run: EngineRun): Promise<RunEnded> {
  const end = await runScope(run, rootScope(run.plan));
  if (end.status === 'passed' && !end.isLast && run.plan.until !== undefined)
    run.ports.reporter.warn(`Input \`until\`: no step \`${run.plan.until}\` came, so nothing was left out.`);
  const base = { type: 'run-ended', status: end.status, jobAttempt: run.jobAttempt } as const;
  return end.status === 'passed' ? base : { ...base, failedStep: end.path };
}

/** Runs what is left of the steps of one scope. */
export async function runScope(run: EngineRun, scope: StepScope): Promise<ScopeEnd> {
  for (const planned of scope.steps) {
    const placed = placeStep(planned, scope);
    const end = await runOrReuseStep(run, placed);
    if (end.status !== 'passed' || end.isLast) return end;
    if (placed.path === run.plan.until) {
      run.ports.reporter.log(`Stopped after ${placed.path}, as the input \`until\` says.`);
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

/** What has passed is gone through all the same: `until` may name a step in it, or a split's `each` have grown. */
async function passBelow(run: EngineRun, placed: PlacedStep): Promise<ScopeEnd> {
  const end = await runInnerSteps(run, placed);
  if (end.status !== 'passed') recordStepEnd(run, placed.path, end);
  return end;
}

interface EngineRunOptions extends Omit<RunOptions, 'deadline'> {
  readonly cancelSignal: AbortSignal;
}

function createEngineRun({ state: initial, ports, ...options }: EngineRunOptions): EngineRun {
  let state = initial;
  const runningAgents = new Set<MonitoredAgent>();
  const shared = {
    state: () => state,
    append(event: NewEvent) {
      state = applyEvent(state, ports.journal.append(event));
      // From here on the ledger has it.
      if (isSpendEvent(event))
        for (const one of runningAgents) if (isSameAttempt(one, event)) runningAgents.delete(one);
    },
  };
  return {
    ...options,
    sessionsInUse: new Set(),
    limits: runLimits(options.plan),
    steps: { runStep, runScope },
    isWriteForbidden: false,
    runningAgents,
    state: shared.state,
    ...createBranchContext(shared, '', ports.workspace.startSnapshot, ports),
  };
}

function isSameAttempt(one: MonitoredAgent, { step, number }: Pick<AttemptRef, 'step' | 'number'>): boolean {
  return one.step === step && one.number === number;
}
