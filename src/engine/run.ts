/**
 * The loop over a plan's steps: decide, write down, act. Everything it knows of the run so far is a fold of
 * the journal, so that a run begun on another machine goes on here.
 *
 * E1 An event is in the journal before anything acts on it.
 * E2 A passed step is never run again; an agent's turn whose end is recorded is never sent again.
 * E3 After every attempt of an agent a checkpoint is stored before anything later starts.
 */
import type { NewEvent, RunEnded } from '../journal/event.js';
import { apply, type RunState } from '../journal/state.js';
import { type PlacedStep, place, rootScope, type Scope } from '../plan/place.js';
import type { Plan } from '../plan/plan.js';
import type { Ports } from './ports.js';
import { runStep } from './step.js';
import { runTasks } from './tasks.js';

export interface RunOptions {
  readonly plan: Plan;
  readonly ports: Ports;
  /** Aborted when the job is cancelled. */
  readonly signal: AbortSignal;
  readonly jobAttempt: number;
  readonly onLostSession: 'new' | 'fail';
  /** The fold so far, after everything that does not hold any more was dropped. */
  readonly state: RunState;
  /** Sessions that could not be brought back to where they were (S13). */
  readonly unavailable: ReadonlyMap<string, 'session-lost' | 'session-ahead'>;
  /** How much of what went wrong is told to agents. */
  readonly errorContext?: ErrorContext;
}

/** Absent: as much as it is unless told. */
export interface ErrorContext {
  /** Characters of `{error}`. */
  readonly maxErrorChars?: number;
  /** Characters of `{diff}` in the note on the attempt before; the name itself stands for the whole patch. */
  readonly maxDiffChars?: number;
}

/** One run in progress: what the steps share. */
export interface Run extends Omit<RunOptions, 'state'> {
  /** Sessions that a running process of this job holds (S7). */
  readonly inUse: Set<string>;
  state(): RunState;
  record(event: NewEvent): void;
  /** An agent starts: the next `settle` has a checkpoint to store. */
  agentWorks(): void;
  /** Gates start: what they write belongs to no step. */
  gatesWork(): void;
  /** To be awaited before anything later starts: stores the checkpoint that is due (E3). */
  settle(): Promise<void>;
}

/** Runs what is left of the plan; resolves with the final state, which is stored. Rejects only for our own bugs. */
export async function runPlan(options: RunOptions): Promise<RunState> {
  const run = openRun(options);
  run.record(await runSteps(run));
  await run.settle();
  return run.state();
}

async function runSteps(run: Run): Promise<RunEnded> {
  const end = await runScope(run, rootScope(run.plan));
  if (end.status === 'passed' && !end.isLast && run.plan.until !== undefined)
    run.ports.reporter.warn(`Input \`until\`: no step \`${run.plan.until}\` came, so nothing was left out.`);
  const base = { type: 'run-ended', status: end.status, jobAttempt: run.jobAttempt } as const;
  return end.status === 'passed' ? base : { ...base, failedStep: end.path };
}

/** How steps that run one after the other ended: `isLast` tells that nothing at all runs after them. */
export type ScopeEnd =
  | { readonly status: 'passed'; readonly isLast: boolean }
  | { readonly status: 'failed' | 'cancelled'; readonly path: string };

/** Runs what is left of the steps of one scope. */
export async function runScope(run: Run, scope: Scope): Promise<ScopeEnd> {
  for (const planned of scope.steps) {
    const placed = place(planned, scope);
    const end = await passStep(run, placed);
    if (end.status !== 'passed' || end.isLast) return end;
    if (placed.path === run.plan.until) {
      run.ports.reporter.say(`Stopped after ${placed.path}, as the input \`until\` says.`);
      return { status: 'passed', isLast: true };
    }
  }
  return { status: 'passed', isLast: false };
}

/** A split that has passed is gone through all the same: `until` may name a step in it, or `each` have grown. */
async function passTasks(run: Run, placed: PlacedStep): Promise<ScopeEnd> {
  const end = await runTasks(run, placed);
  if (end.status !== 'passed')
    run.record({ type: 'step-ended', step: placed.path, status: end.status, jobAttempt: run.jobAttempt });
  return end;
}

async function passStep(run: Run, placed: PlacedStep): Promise<ScopeEnd> {
  const known = run.state().steps.get(placed.path);
  if (known?.status !== 'passed') return runStep(run, placed);
  run.ports.reporter.takenOver(known);
  return passTasks(run, placed);
}

function openRun({ state: initial, ...options }: RunOptions): Run {
  let state = initial;
  let isDue = false;
  let hasGateFiles = false;
  return {
    ...options,
    inUse: new Set(),
    state: () => state,
    record(event) {
      state = apply(state, options.ports.journal.append(event));
      // What only says that everything was taken over needs no checkpoint of its own.
      if (event.type === 'attempt-ended' || event.type === 'step-ended') isDue = true;
    },
    agentWorks() {
      isDue = true;
    },
    gatesWork() {
      hasGateFiles = true;
    },
    async settle() {
      const due = [isDue, hasGateFiles];
      [isDue, hasGateFiles] = [false, false];
      const { checkpoints, workspace } = options.ports;
      await Promise.all([due[0] && checkpoints.store(state), due[1] && workspace.disown()]);
    },
  };
}
