/**
 * Runs the gates of reused steps once more if the start tree is another one than that of the recorded run (S11): the
 * steps changed none of the files that differ, but they may not fit the new ones.
 */
import type { GateRunner } from '../engine/engine-ports.js';
import { gateFailure } from '../engine/evaluate-gates.js';
import { type Failure, UserError } from '../failure.js';
import type { GateResult } from '../gates/gate-result.js';
import type { NewEvent } from '../journal/event.js';
import {
  type Attempt,
  hasPassed,
  newestSnapshot,
  type RunState,
  type StepState,
} from '../journal/run-state.js';
import { defined } from '../optional-keys.js';
import { expandPlan, type PlacedStep } from '../plan/placed-step.js';
import type { Plan } from '../plan/plan.js';
import { isInCall, isSameOrNestedBranch } from '../step-path.js';
import type { Snapshot, Workspace } from '../workspace/workspace.js';

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
  readonly branchPrefix: string;
  /** Recorded before the decision about the steps after it. */
  readonly events: readonly NewEvent[];
}

interface ReusedStep {
  readonly placed: PlacedStep;
  readonly step: StepState;
  readonly attempt: Attempt;
}

/**
 * The reused steps whose gates fail, none if all pass. Steps that run again because of one of them are not checked.
 * `interrupted`: the job was cancelled before all gates had run. Afterwards, the worktree has the newest state again.
 */
export async function recheckGates(
  options: RecheckOptions,
): Promise<readonly FailedRecheck[] | 'interrupted'> {
  const { plan, state, workspace, log } = options;
  const reused = expandPlan(plan, state).flatMap((placed): readonly ReusedStep[] => {
    const step = state.steps.get(placed.path);
    const attempt = step?.attempts.at(-1);
    if (step === undefined || attempt === undefined || commandGates(placed).length === 0) return [];
    return isReused(placed, step) ? [{ placed, step, attempt }] : [];
  });
  if (reused.length === 0) return [];
  log('The start tree is not that of the recorded run: the gates of the reused steps run once more');
  const newest = newestSnapshot(state) ?? workspace.startSnapshot;
  let present = newest;
  // A step after it may have changed what a gate checks: the gate of a first step can be that a new test fails.
  const moveTo = async (snapshot: Snapshot) => {
    if (snapshot.commit !== present.commit) await workspace.reset(snapshot);
    present = snapshot;
  };
  const failed: FailedRecheck[] = [];
  for (const one of reused) {
    const { branchPrefix } = one.step;
    if (failed.some((other) => isSameOrNestedBranch(other.branchPrefix, branchPrefix))) continue;
    const end = snapshotAtEnd(options, one);
    await moveTo(end);
    const checked = await checkStep(options, one, end);
    if (checked === 'interrupted') {
      await moveTo(newest);
      return checked;
    }
    if (checked !== 'passed') failed.push(checked);
  }
  await moveTo(newest);
  return failed;
}

/** Also a step that waits for a person, and a plan. A group has not passed any more if a step below it runs again. */
function isReused({ step: { kind } }: PlacedStep, step: StepState): boolean {
  return step.status === 'passed' || ((kind === 'agent' || kind === 'split') && hasPassed(step));
}

/** Reviews by called workflows cost money, and what they judged has not changed. */
function commandGates({ step, path }: PlacedStep) {
  return isInCall(path) ? [] : ownGates(step).filter(({ type }) => type !== 'validate');
}

function ownGates(step: PlacedStep['step']) {
  return step.kind === 'split' ? step.planner.gates : step.gates;
}

/** What the gates of the step saw. A step that runs only gates records no state. */
function snapshotAtEnd({ state, workspace }: RecheckOptions, { step, attempt }: ReusedStep): Snapshot {
  const { snapshot, order } = attempt;
  return snapshot ?? newestSnapshot(state, step.branchPrefix, order) ?? workspace.startSnapshot;
}

async function checkStep(
  { workspace, gates, signal, log }: RecheckOptions,
  { placed, step, attempt }: ReusedStep,
  end: Snapshot,
): Promise<FailedRecheck | 'passed' | 'interrupted'> {
  const { path, branchPrefix, startSnapshot } = step;
  log(`Checking step \`${path}\` once more`);
  const start = placed.step.kind === 'gates' ? workspace.startSnapshot : startSnapshot;
  const { results, failure } = await gates.run({
    step: path,
    branchName: '',
    directory: workspace.directory,
    gates: commandGates(placed),
    changes: () => workspace.changes(start, end),
    ...defined({ output: attempt.output?.text }),
    signal,
  });
  // What gates write belongs to no step.
  await workspace.disown();
  if (signal.aborted) return 'interrupted';
  // The run stops: no agent starts, and the next re-run checks the gates again.
  if (failure?.isFinal === true) throw new UserError(failure.message);
  const cause = failure ?? gateFailure(results);
  if (cause === undefined) return 'passed';
  log(
    `Step \`${path}\` passed on another start tree only, and continues as one that failed: ${cause.message}`,
  );
  return { step: path, branchPrefix, events: failedEvents(step, attempt, results, cause) };
}

/** The attempt failed after all, in the job attempt that ran it, so that this job continues it (S10). */
function failedEvents(
  { path }: StepState,
  { number, jobAttempt, files, durationMs = 0 }: Attempt,
  results: readonly GateResult[],
  failure: Failure,
): readonly NewEvent[] {
  const ref = { step: path, number, jobAttempt };
  const message = `${failure.message.replace(/\.$/, '')}. They passed on the start tree of job attempt ${jobAttempt}, and failed on that of this one.`;
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
