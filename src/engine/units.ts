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
import { newestSnapshot, type StepState } from '../journal/state.js';
import { type PlacedStep, place, type Scope, stepsIn } from '../plan/place.js';
import type { Snapshot } from '../workspace/workspace.js';
import { lastAttempt } from './history.js';
import { attemptsAllowed } from './ladder.js';
import { besides, treeNow } from './lane.js';
import { inPool } from './pool.js';
import type { Merge } from './ports.js';
import { passed, type Run, type ScopeEnd } from './run-context.js';

export async function runUnits(
  run: Run,
  placed: PlacedStep,
  scopes: readonly Scope[],
  atOnce: number,
): Promise<ScopeEnd> {
  const { path, step } = placed;
  const wanted = upTo(run.plan.until, scopes);
  if (isMerged(run, path, scopes)) return passed;
  const retries = step.kind === 'split' || step.kind === 'group' ? attemptsAllowed(step.retry) - 1 : 0;
  let left = retries + (run.state().steps.get(path)?.conflict ? 1 : 0);
  if (run.state().steps.get(path)?.unitsFrom === undefined)
    run.record({ type: 'units-begun', step: path, snapshot: treeNow(run) });
  run.ports.reporter.say(`${path}: ${wanted.length} side by side, at most ${atOnce} at once.`);
  for (;;) {
    const end = await runAll(run, path, wanted, atOnce);
    if (end.status !== 'passed' || end.isLast) return end;
    const conflict = await putTogether(run, path, scopes);
    if (conflict === undefined) return passed;
    if (conflict.status === 'occupied') return { status: 'failed', path, failure: inTheWay(path, conflict) };
    if (left === 0) return { status: 'failed', path, failure: clash(path, conflict) };
    left -= 1;
    await openLater(run, path, scopes, conflict);
  }
}

/** Where the units begin. What was merged since has other units' changes in it, and is no tree to compare with. */
function baseOf(run: Run, path: string): Snapshot {
  return run.state().steps.get(path)?.unitsFrom ?? treeNow(run);
}

/** Units after the one in which the run is told to stop do not run. */
function upTo(until: string | undefined, scopes: readonly Scope[]): readonly Scope[] {
  const last = scopes.findIndex(({ lane }) => until !== undefined && `${until}/`.startsWith(lane));
  return last < 0 ? scopes : scopes.slice(0, last + 1);
}

async function runAll(run: Run, path: string, scopes: readonly Scope[], atOnce: number): Promise<ScopeEnd> {
  const base = baseOf(run, path);
  let isStopped = false;
  const ends = await inPool(scopes, atOnce, async (scope): Promise<ScopeEnd | undefined> => {
    if (isStopped || run.signal.aborted) return undefined;
    const end = await runUnit(run, path, scope, base);
    if (end.status === 'failed' && mustStop(run, end)) isStopped = true;
    return end;
  });
  const worst = worstOf(run, ends);
  if (worst !== undefined) return worst;
  // Only a cancellation leaves units out without one that failed.
  const first = scopes[ends.indexOf(undefined)];
  if (first !== undefined) return { status: 'cancelled', path: first.lane.slice(0, -1) };
  const stopped = ends.find((end) => end?.status === 'passed' && end.isLast);
  if (stopped !== undefined)
    run.ports.reporter.say(`${path}: its units are not put together, as one of them was told to stop.`);
  return stopped ?? passed;
}

type Bad = Extract<ScopeEnd, { path: string }>;

/** A failure that no unit gets past goes before those that a retry may mend, else the first in the order. */
function worstOf(run: Run, ends: readonly (ScopeEnd | undefined)[]): Bad | undefined {
  const bad = ends.filter((end): end is Bad => end !== undefined && end.status !== 'passed');
  const of = (status: Bad['status']) => bad.filter((end) => end.status === status);
  const failed = of('failed');
  const hopeless = failed.find((end) => mustStop(run, end));
  return of('cancelled')[0] ?? hopeless ?? failed[0] ?? of('paused')[0];
}

/** What no other unit could get past either; a file that is missing in one of them is its own affair. */
function mustStop(run: Run, end: Extract<ScopeEnd, { path: string }>): boolean {
  const failure = end.failure ?? lastAttempt(run, end.path)?.failure;
  if (failure?.kind === 'auth' || failure?.kind === 'budget') return true;
  return failure?.kind === 'guard' && failure.isFinal === true;
}

async function runUnit(run: Run, path: string, scope: Scope, base: Snapshot): Promise<ScopeEnd> {
  if (hasAllPassed(run, scope)) return tellTakenOver(run, scope);
  const from = newestSnapshot(run.state(), scope.lane) ?? base;
  let unit: Awaited<ReturnType<Run['ports']['units']['open']>>;
  try {
    unit = await run.ports.units.open(scope.lane, from, run.signal);
  } catch (error) {
    if (run.signal.aborted) return { status: 'cancelled', path };
    if (!(error instanceof UserError)) throw error;
    return { status: 'failed', path, failure: { kind: 'crash', message: error.message } };
  }
  const lane = besides(run, scope.lane, base, unit);
  const end = await lane.steps.runScope(lane, scope);
  // What the run ends with, the checkpoint that comes after it holds.
  if (run.signal.aborted) return end;
  await lane.settle();
  await unit.close();
  return end;
}

function hasAllPassed(run: Run, scope: Scope): boolean {
  const { until } = run.plan;
  if (until?.startsWith(scope.lane)) return false;
  const { steps } = run.state();
  return stepsIn(scope, run.state()).every(({ path }) => steps.get(path)?.status === 'passed');
}

function tellTakenOver(run: Run, scope: Scope): ScopeEnd {
  for (const planned of scope.steps) {
    const known = run.state().steps.get(place(planned, scope).path);
    if (known !== undefined && known.endedIn !== run.jobAttempt) run.ports.reporter.takenOver(known);
  }
  return passed;
}

/** The machine was lost after the units were put together: nothing in them has run since. */
function isMerged(run: Run, path: string, scopes: readonly Scope[]): boolean {
  const { merged, round } = run.state().steps.get(path) ?? {};
  if (merged === undefined || (round !== undefined && round.order > merged.order)) return false;
  const lanes = new Set(scopes.map(({ lane }) => lane));
  const inside = [...run.state().steps.values()].filter(({ lane }) =>
    [...lanes].some((one) => lane.startsWith(one)),
  );
  return (
    scopes.every((scope) => hasAllPassed(run, scope)) &&
    inside.every((step) => lastOrder(step) < merged.order)
  );
}

function lastOrder({ order, attempts }: StepState): number {
  return Math.max(order, ...attempts.map((attempt) => attempt.order));
}

type Conflict = Extract<Merge, { status: 'conflict' }>;
type Occupied = Extract<Merge, { status: 'occupied' }>;

async function putTogether(
  run: Run,
  path: string,
  scopes: readonly Scope[],
): Promise<Conflict | Occupied | undefined> {
  const { units, workspace, reporter } = run.ports;
  const base = baseOf(run, path);
  const merge = await units.merge(base, results(run, scopes, base), `${path}, put together`);
  if (merge.status === 'conflict') {
    run.record({ type: 'units-conflict', step: path, files: merge.files, units: merge.units });
    return merge;
  }
  if (merge.status === 'occupied') return merge;
  run.record({ type: 'units-merged', step: path, snapshot: merge.snapshot });
  await workspace.reset(merge.snapshot);
  reporter.say(`${path}: what ${scopes.length} units changed is put together.`);
  return undefined;
}

function results(run: Run, scopes: readonly Scope[], base: Snapshot) {
  return scopes.map(({ lane }) => ({
    name: lane.slice(0, -1),
    snapshot: newestSnapshot(run.state(), lane) ?? base,
  }));
}

function clash(path: string, { files, units: [one, other] }: Conflict): Failure {
  const message =
    `the units \`${one}\` and \`${other}\` of \`${path}\` changed the same lines of ${files.join(', ')}, and cannot be put together. ` +
    `A re-run lets \`${other}\` go on with what the others changed in its files.`;
  return { kind: 'output', message, isFinal: true };
}

function inTheWay(path: string, { files }: Occupied): Failure {
  const message = `what the units of \`${path}\` made cannot be put into the checkout: ${files.join(', ')} lies there already, and is no file that the run knows. Remove it, or have an earlier step of the job not make it, and re-run.`;
  return { kind: 'output', message, isFinal: true };
}

/** U3: the later unit begins once more from what those before it add up to. */
async function openLater(
  run: Run,
  path: string,
  scopes: readonly Scope[],
  { units: [, later] }: Conflict,
): Promise<void> {
  const index = scopes.findIndex(({ lane }) => lane.slice(0, -1) === later);
  const scope = scopes[index];
  if (scope === undefined) return;
  const base = baseOf(run, path);
  const before = await run.ports.units.merge(
    base,
    results(run, scopes.slice(0, index), base),
    `${path}, in part`,
  );
  if (before.status !== 'merged') return;
  const state = run.state();
  const steps = stepsIn(scope, state)
    .map(({ path: one }) => one)
    .filter((one) => state.steps.has(one));
  run.record({ type: 'steps-reopened', by: path, steps, from: before.snapshot, isUnit: true });
  run.ports.reporter.say(`${later} runs once more, on top of what the units before it changed.`);
}
