/**
 * Scopes side by side: each in a work tree and a lane of its own, so many at once; what they changed is put
 * together in the order in which they were declared. A unit that failed does not undo the others.
 *
 * U1 All begin from one tree: the one that their lane stood at when they first began, also in a re-run.
 * U2 A unit in which everything has passed is not opened again; its recorded tree is what counts.
 * U3 Of two units that clash the later one runs once more on top of the earlier ones, in its own sessions: as
 *    often as `retry` allows, and once in a re-run.
 */

import type { Failure } from '../failure.js';
import { UserError } from '../failure.js';
import { writeConflict } from '../journal/conflict-event.js';
import { newestSnapshot, type StepState } from '../journal/run-state.js';
import { type PlacedStep, placeStep, type StepScope, stepsInScope } from '../plan/placed-step.js';
import { branchName, isAtOrBelow, isBelow, isInBranch } from '../step-path.js';
import type { BranchConflict, BranchMergeResult, Snapshot } from '../workspace/workspace.js';
import { createBranchRun, currentSnapshot } from './branch-context.js';
import { type EngineRun, type ScopeEnd, scopePassed } from './engine-run.js';
import { lastAttemptOf } from './history.js';
import { mapConcurrently } from './pool.js';
import { maxAttempts } from './retry-policy.js';

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
  let left = retries + (run.state().steps.get(path)?.conflict ? 1 : 0);
  if (run.state().steps.get(path)?.branchesStart === undefined)
    run.record({ type: 'units-begun', step: path, snapshot: currentSnapshot(run) });
  run.ports.reporter.log(`${path}: ${wanted.length} side by side, at most ${maxConcurrent} at once.`);
  for (;;) {
    const end = await runBranches(run, path, wanted, maxConcurrent);
    if (end.status !== 'passed' || end.isLast) return end;
    const conflict = await mergeBranches(run, path, scopes);
    if (conflict === undefined) return scopePassed;
    if (conflict.status === 'occupied')
      return { status: 'failed', path, failure: occupiedFailure(path, conflict) };
    if (left === 0) return { status: 'failed', path, failure: conflictFailure(path, conflict) };
    left -= 1;
    await reopenLaterBranch(run, path, scopes, conflict);
  }
}

/** Where the units begin. What was merged since has other units' changes in it, and is no tree to compare with. */
function branchBase(run: EngineRun, path: string): Snapshot {
  return run.state().steps.get(path)?.branchesStart ?? currentSnapshot(run);
}

/** Units after the one in which the run is told to stop do not run. */
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
  // Only a cancellation leaves units out without one that failed.
  const first = scopes[ends.indexOf(undefined)];
  if (first !== undefined) return { status: 'cancelled', path: branchName(first.branchPrefix) };
  const stopped = ends.find((end) => end?.status === 'passed' && end.isLast);
  if (stopped !== undefined)
    run.ports.reporter.log(`${path}: its units are not put together, as one of them was told to stop.`);
  return stopped ?? scopePassed;
}

type UnsuccessfulEnd = Extract<ScopeEnd, { path: string }>;

/** A failure that no unit gets past goes before those that a retry may mend, else the first in the order. */
function findWorstEnd(run: EngineRun, ends: readonly (ScopeEnd | undefined)[]): UnsuccessfulEnd | undefined {
  const unsuccessful = ends.filter(
    (end): end is UnsuccessfulEnd => end !== undefined && end.status !== 'passed',
  );
  const of = (status: UnsuccessfulEnd['status']) => unsuccessful.filter((end) => end.status === status);
  const failed = of('failed');
  const hopeless = failed.find((end) => mustStopBranches(run, end));
  return of('cancelled')[0] ?? hopeless ?? failed[0] ?? of('paused')[0];
}

/** What no other unit could get past either; a file that is missing in one of them is its own affair. */
function mustStopBranches(run: EngineRun, end: Extract<ScopeEnd, { path: string }>): boolean {
  const failure = end.failure ?? lastAttemptOf(run, end.path)?.failure;
  if (failure?.kind === 'auth' || failure?.kind === 'budget') return true;
  return failure?.kind === 'guard' && failure.isFinal === true;
}

async function runBranch(run: EngineRun, path: string, scope: StepScope, base: Snapshot): Promise<ScopeEnd> {
  if (hasAllPassed(run, scope)) return reportReused(run, scope);
  const from = newestSnapshot(run.state(), scope.branchPrefix) ?? base;
  let branch: Awaited<ReturnType<EngineRun['ports']['branches']['open']>>;
  try {
    branch = await run.ports.branches.open(scope.branchPrefix, from, run.signal);
  } catch (error) {
    if (run.signal.aborted) return { status: 'cancelled', path };
    if (!(error instanceof UserError)) throw error;
    return { status: 'failed', path, failure: { kind: 'crash', message: error.message } };
  }
  const branchRun = createBranchRun(run, scope.branchPrefix, base, branch);
  const end = await branchRun.steps.runScope(branchRun, scope);
  // What the run ends with, the checkpoint that comes after it holds.
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

/** The machine was lost after the units were put together: nothing in them has run since. */
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
  const merge = await branches.merge(base, branchResults(run, scopes, base), `${path}, put together`);
  if (merge.status === 'conflict') {
    run.record(writeConflict(path, merge));
    return merge;
  }
  if (merge.status === 'occupied') return merge;
  run.record({ type: 'units-merged', step: path, snapshot: merge.snapshot });
  await workspace.reset(merge.snapshot);
  reporter.log(`${path}: what ${scopes.length} units changed is put together.`);
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
    `the units \`${earlier}\` and \`${later}\` of \`${path}\` changed the same lines of ${files.join(', ')}, and cannot be put together. ` +
    `A re-run lets \`${later}\` go on with what the others changed in its files.`;
  return { kind: 'output', message, isFinal: true };
}

function occupiedFailure(path: string, { files }: OccupiedFiles): Failure {
  const message = `what the units of \`${path}\` made cannot be put into the checkout: ${files.join(', ')} lies there already, and is no file that the run knows. Remove it, or have an earlier step of the job not make it, and re-run.`;
  return { kind: 'output', message, isFinal: true };
}

/** U3: the later unit begins once more from what those before it add up to. */
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
    `${path}, in part`,
  );
  if (before.status !== 'merged') return;
  const state = run.state();
  const steps = stepsInScope(scope, state)
    .map(({ path: one }) => one)
    .filter((one) => state.steps.has(one));
  run.record({ type: 'steps-reopened', by: path, steps, from: before.snapshot, isUnit: true });
  run.ports.reporter.log(`${later} runs once more, on top of what the units before it changed.`);
}
