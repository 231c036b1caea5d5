/**
 * Runs scopes as parallel branches, each in its own worktree, with a limit on how many run at once. Their changes
 * are merged in the order of the workflow. A failed branch does not undo the others.
 *
 * BRANCH1 All branches start from one snapshot: the one when the first of them started, also in a re-run.
 * BRANCH2 A branch in which every step has passed is not opened again; its recorded snapshot counts.
 * BRANCH3 If two branches conflict, the later one runs once more on top of the earlier ones, in its own sessions:
 *         as often as `retry` allows, and once in a re-run.
 */

import type { Failure } from '../failure.js';
import { FailureError, UserError } from '../failure.js';
import { writeConflict } from '../journal/conflict-event.js';
import { newestSnapshot, type StepState } from '../journal/run-state.js';
import { type PlacedStep, placeStep, type StepScope, stepsInScope } from '../plan/placed-step.js';
import { branchName, isAtOrBelow, isBelow, isInBranch } from '../step-path.js';
import type { BranchConflict, BranchMergeResult, Snapshot } from '../workspace/workspace.js';
import { createBranchRun, currentSnapshot } from './branch-context.js';
import { waitOfNewBranch } from './branch-wait.js';
import { type EngineRun, type ScopeEnd, scopePassed, type WaitingEnd } from './engine-run.js';
import { lastAttemptOf } from './history.js';
import { mapConcurrently } from './pool.js';
import { maxAttempts } from './retry-policy.js';
import { reportWait } from './stopped-step.js';

export async function runParallelBranches(
  run: EngineRun,
  placed: PlacedStep,
  scopes: readonly StepScope[],
  maxConcurrent: number,
): Promise<ScopeEnd> {
  const { path, step } = placed;
  const wanted = scopesUpTo(run.plan.until, scopes);
  if (isMerged(run, path, scopes)) return scopePassed;
  const retries = step.kind === 'split' || step.kind === 'group' ? maxAttempts(step.retry) - 1 : 0;
  let remaining = retries + (run.state().steps.get(path)?.conflict ? 1 : 0);
  if (run.state().steps.get(path)?.branchesStart === undefined)
    run.record({ type: 'units-begun', step: path, snapshot: currentSnapshot(run) });
  run.ports.reporter.log(
    `Step \`${path}\`: running ${wanted.length} parallel branches, at most ${maxConcurrent} at once`,
  );
  for (;;) {
    const end = await runBranches(run, path, wanted, maxConcurrent);
    if (end.status !== 'passed' || end.isLast) return end;
    const conflict = await mergeBranches(run, path, scopes);
    if (conflict === undefined) return scopePassed;
    if (conflict.status === 'occupied')
      return { status: 'failed', path, failure: occupiedFailure(path, conflict) };
    if (remaining === 0) return { status: 'failed', path, failure: conflictFailure(path, conflict) };
    remaining -= 1;
    await reopenLaterBranch(run, path, scopes, conflict);
  }
}

/** The snapshot that the branches start from. A later merge contains changes of other branches and is no base. */
function branchBase(run: EngineRun, path: string): Snapshot {
  return run.state().steps.get(path)?.branchesStart ?? currentSnapshot(run);
}

/** Leaves out the branches after the one with the step `until`. */
function scopesUpTo(until: string | undefined, scopes: readonly StepScope[]): readonly StepScope[] {
  const last = scopes.findIndex(
    ({ branchPrefix }) => until !== undefined && isAtOrBelow(until, branchName(branchPrefix)),
  );
  return last < 0 ? scopes : scopes.slice(0, last + 1);
}

async function runBranches(
  run: EngineRun,
  path: string,
  scopes: readonly StepScope[],
  maxConcurrent: number,
): Promise<ScopeEnd> {
  const base = branchBase(run, path);
  let isStopped = false;
  const ends = await mapConcurrently(scopes, maxConcurrent, async (scope): Promise<ScopeEnd | undefined> => {
    if (isStopped || run.signal.aborted) return undefined;
    const end = await runBranch(run, path, scope, base);
    if (end.status === 'failed' && mustStopBranches(run, end)) isStopped = true;
    return end;
  });
  const worst = findWorstEnd(run, ends);
  if (worst !== undefined) return worst;
  // Without a failed branch, only a cancellation leaves branches out.
  const first = scopes[ends.indexOf(undefined)];
  if (first !== undefined) return { status: 'cancelled', path: branchName(first.branchPrefix) };
  const stopped = ends.find((end) => end?.status === 'passed' && end.isLast);
  if (stopped !== undefined)
    run.ports.reporter.log(
      `Step \`${path}\`: not merging the parallel branches, because \`until\` stopped one of them`,
    );
  return stopped ?? scopePassed;
}

type UnsuccessfulEnd = Extract<ScopeEnd, { path: string }>;

/**
 * A cancellation takes precedence, then a failure that stops all branches, then the first failure, then the shortest
 * wait, then a pause.
 */
function findWorstEnd(run: EngineRun, ends: readonly (ScopeEnd | undefined)[]): UnsuccessfulEnd | undefined {
  const unsuccessful = ends.filter(
    (end): end is UnsuccessfulEnd => end !== undefined && end.status !== 'passed',
  );
  const of = (status: UnsuccessfulEnd['status']) => unsuccessful.filter((end) => end.status === status);
  const failed = of('failed');
  const blocking = failed.find((end) => mustStopBranches(run, end));
  return of('cancelled')[0] ?? blocking ?? failed[0] ?? shortestWait(unsuccessful) ?? of('paused')[0];
}

function shortestWait(ends: readonly UnsuccessfulEnd[]): WaitingEnd | undefined {
  const waiting = ends.filter((end): end is WaitingEnd => end.status === 'waiting');
  return waiting.toSorted((a, b) => a.resumeAt - b.resumeAt)[0];
}

/** Whether the failure would stop the other branches too, such as a missing credential or a used-up budget. */
function mustStopBranches(run: EngineRun, end: Extract<ScopeEnd, { path: string }>): boolean {
  const failure = end.failure ?? lastAttemptOf(run, end.path)?.failure;
  if (failure?.kind === 'auth' || failure?.kind === 'budget') return true;
  return failure?.kind === 'guard' && failure.isFinal === true;
}

async function runBranch(run: EngineRun, path: string, scope: StepScope, base: Snapshot): Promise<ScopeEnd> {
  if (hasAllPassed(run, scope)) return reportReused(run, scope);
  const wait = waitOfNewBranch(run, scope);
  if (wait !== undefined) return reportWait(run, wait);
  const from = newestSnapshot(run.state(), scope.branchPrefix) ?? base;
  let branch: Awaited<ReturnType<EngineRun['ports']['branches']['open']>>;
  try {
    branch = await run.ports.branches.open(scope.branchPrefix, from, run.signal);
  } catch (error) {
    if (run.signal.aborted) return { status: 'cancelled', path };
    if (error instanceof FailureError) return { status: 'failed', path, failure: error.failure };
    if (!(error instanceof UserError)) throw error;
    return { status: 'failed', path, failure: { kind: 'crash', message: error.message } };
  }
  const branchRun = createBranchRun(run, scope.branchPrefix, base, branch);
  const end = await branchRun.steps.runScope(branchRun, scope);
  // The checkpoint at the end of the run stores the state of this branch.
  if (run.signal.aborted) return end;
  await branchRun.flush();
  await branch.close();
  return end;
}

function hasAllPassed(run: EngineRun, scope: StepScope): boolean {
  const { until } = run.plan;
  if (until !== undefined && isBelow(until, branchName(scope.branchPrefix))) return false;
  const { steps } = run.state();
  return stepsInScope(scope, run.state()).every(({ path }) => steps.get(path)?.status === 'passed');
}

function reportReused(run: EngineRun, scope: StepScope): ScopeEnd {
  for (const planned of scope.steps) {
    const known = run.state().steps.get(placeStep(planned, scope).path);
    if (known !== undefined && known.endedInJobAttempt !== run.jobAttempt)
      run.ports.reporter.stepReused(known);
  }
  return scopePassed;
}

/** Whether the branches are already merged and no step in them has run since, as after a lost machine. */
function isMerged(run: EngineRun, path: string, scopes: readonly StepScope[]): boolean {
  const { merged, round } = run.state().steps.get(path) ?? {};
  if (merged === undefined || (round !== undefined && round.order > merged.order)) return false;
  const inside = [...run.state().steps.values()].filter((step) =>
    scopes.some(({ branchPrefix }) => isInBranch(step.branchPrefix, branchPrefix)),
  );
  return (
    scopes.every((scope) => hasAllPassed(run, scope)) &&
    inside.every((step) => lastOrder(step) < merged.order)
  );
}

function lastOrder({ order, attempts }: StepState): number {
  return Math.max(order, ...attempts.map((attempt) => attempt.order));
}

type MergeConflict = Extract<BranchMergeResult, { status: 'conflict' }>;
type OccupiedFiles = Extract<BranchMergeResult, { status: 'occupied' }>;

async function mergeBranches(
  run: EngineRun,
  path: string,
  scopes: readonly StepScope[],
): Promise<MergeConflict | OccupiedFiles | undefined> {
  const { branches, workspace, reporter } = run.ports;
  const base = branchBase(run, path);
  const merge = await branches.merge(
    base,
    branchResults(run, scopes, base),
    `Merge the parallel branches of ${path}`,
  );
  if (merge.status === 'conflict') {
    run.record(writeConflict(path, merge));
    return merge;
  }
  if (merge.status === 'occupied') return merge;
  run.record({ type: 'units-merged', step: path, snapshot: merge.snapshot });
  await workspace.reset(merge.snapshot);
  reporter.log(`Step \`${path}\`: merged the changes of ${scopes.length} parallel branches`);
  return undefined;
}

function branchResults(run: EngineRun, scopes: readonly StepScope[], base: Snapshot) {
  return scopes.map(({ branchPrefix }) => ({
    name: branchName(branchPrefix),
    snapshot: newestSnapshot(run.state(), branchPrefix) ?? base,
  }));
}

function conflictFailure(path: string, { files, branches: { earlier, later } }: BranchConflict): Failure {
  const message =
    `merge conflict in step \`${path}\`: the parallel branches \`${earlier}\` and \`${later}\` changed the same lines of ${files.join(', ')}. ` +
    `Re-run the job: \`${later}\` then continues on top of the changes of the other branches.`;
  return { kind: 'output', message, isFinal: true };
}

function occupiedFailure(path: string, { files }: OccupiedFiles): Failure {
  const message = `the changes of the parallel branches of \`${path}\` cannot be merged into the checkout: they would overwrite ${files.join(', ')}, which the run did not write. Remove the file, or change the earlier step of the job that creates it, and re-run.`;
  return { kind: 'output', message, isFinal: true };
}

/** BRANCH3: the later branch starts once more, from the merged changes of the branches before it. */
async function reopenLaterBranch(
  run: EngineRun,
  path: string,
  scopes: readonly StepScope[],
  { branches: { later } }: BranchConflict,
): Promise<void> {
  const index = scopes.findIndex(({ branchPrefix }) => branchName(branchPrefix) === later);
  const scope = scopes[index];
  if (scope === undefined) return;
  const base = branchBase(run, path);
  const before = await run.ports.branches.merge(
    base,
    branchResults(run, scopes.slice(0, index), base),
    `Merge some parallel branches of ${path}`,
  );
  if (before.status !== 'merged') return;
  const state = run.state();
  const steps = stepsInScope(scope, state)
    .map(({ path: one }) => one)
    .filter((one) => state.steps.has(one));
  run.record({ type: 'steps-reopened', by: path, steps, from: before.snapshot, isUnit: true });
  run.ports.reporter.log(
    `Parallel branch \`${later}\` runs again, on top of the changes of the branches before it`,
  );
}
