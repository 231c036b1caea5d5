/**
 * Runs the gates of reused steps once more if the start tree is another one than that of the recorded run (S11): the
 * steps changed none of the files that differ, but they may not fit the new ones.
 */
import type { GateRunner } from '../engine/engine-ports.js';
import { gateFailure } from '../engine/evaluate-gates.js';
import { FailureError } from '../failure.js';
import type { GateResult } from '../gates/gate-result.js';
import type { NewEvent } from '../journal/event.js';
import type { Attempt, RunState, StepState } from '../journal/run-state.js';
import { defined } from '../optional-keys.js';
import { expandPlan, type PlacedStep } from '../plan/placed-step.js';
import type { Plan } from '../plan/plan.js';
import { isInCall } from '../step-path.js';
import type { Workspace } from '../workspace/workspace.js';

export interface RecheckOptions {
  readonly plan: Plan;
  /** The steps whose results are reused. */
  readonly state: RunState;
  readonly workspace: Workspace;
  readonly gates: GateRunner;
  readonly signal: AbortSignal;
  log(line: string): void;
}

export interface FailedRecheck {
  readonly step: string;
  /** Recorded before the decision about the steps after it. */
  readonly events: readonly NewEvent[];
}

/** The first reused step whose gates fail. `interrupted`: the job was cancelled before all gates had run. */
export async function recheckGates(
  options: RecheckOptions,
): Promise<FailedRecheck | 'passed' | 'interrupted'> {
  const { plan, state, signal, log } = options;
  const reused = expandPlan(plan, state).flatMap((placed) => {
    const step = state.steps.get(placed.path);
    const attempt = step?.attempts.at(-1);
    return step?.status === 'passed' && attempt !== undefined && isInCheckout(step, state)
      ? [{ placed, step, attempt }]
      : [];
  });
  if (reused.every(({ placed }) => commandGates(placed).length === 0)) return 'passed';
  log('The start tree is not that of the recorded run: the gates of the reused steps run once more');
  for (const { placed, step, attempt } of reused) {
    const results = await runGatesOf(options, placed, step, attempt);
    if (signal.aborted) return 'interrupted';
    const failure = gateFailure(results);
    if (failure !== undefined) return { step: step.path, events: failedEvents(step, attempt, results) };
  }
  return 'passed';
}

/** Reviews by called workflows cost money, and what they judged has not changed. */
function commandGates({ step, path }: PlacedStep) {
  return isInCall(path) ? [] : agentGates(step).filter(({ type }) => type !== 'validate');
}

function agentGates(step: PlacedStep['step']) {
  return step.kind === 'split' ? step.planner.gates : step.gates;
}

/** The changes of a parallel branch are in the checkout when all of them have been merged. */
function isInCheckout({ branchPrefix }: StepState, state: RunState): boolean {
  if (branchPrefix === '') return true;
  const parents = [...state.steps.values()].filter(({ path }) => branchPrefix.startsWith(`${path}/`));
  return parents.some(({ merged, branchPrefix: outer }) => merged !== undefined && outer === '');
}

async function runGatesOf(
  { workspace, gates, signal, log }: RecheckOptions,
  placed: PlacedStep,
  { path, startSnapshot }: StepState,
  { snapshot, output }: Attempt,
): Promise<readonly GateResult[]> {
  const own = commandGates(placed);
  if (own.length === 0) return [];
  log(`Checking step \`${path}\` once more`);
  const { results, failure } = await gates.run({
    step: path,
    branchName: '',
    directory: workspace.directory,
    gates: own,
    changes: async () => (snapshot === undefined ? [] : workspace.changes(startSnapshot, snapshot)),
    ...defined({ output: output?.text }),
    signal,
  });
  if (failure !== undefined) throw new FailureError(failure);
  // What gates write belongs to no step.
  await workspace.disown();
  return results;
}

/** The attempt failed after all, in the job attempt that ran it, so that this job continues it (S10). */
function failedEvents(
  { path }: StepState,
  { number, jobAttempt, files, durationMs = 0 }: Attempt,
  results: readonly GateResult[],
): readonly NewEvent[] {
  const ref = { step: path, number, jobAttempt };
  const failure = { ...gateFailure(results), kind: 'gate' } as const;
  const message = `${failure.message ?? 'gates failed'}. They passed on the start tree of job attempt ${jobAttempt}, and failed on that of this one.`;
  return [
    {
      type: 'attempt-ended',
      ...ref,
      status: 'failed',
      failure: { ...failure, message },
      gates: results,
      files,
      durationMs,
    },
    { type: 'step-ended', step: path, status: 'failed', jobAttempt },
  ];
}
