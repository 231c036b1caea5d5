/**
 * What holds other steps: groups, called workflows, and the tasks of a split. They are gone through in rounds,
 * as many as `retry` allows. In a further round what has passed is left alone and the step that failed goes on
 * where it was, with as many attempts again. Where the steps have passed and the gates of what holds them have
 * not, all of them run once more, in their own sessions and told what those gates said.
 */

import { type AttemptRef, failedUnjudged, type NewEvent } from '../journal/event.js';
import type { Attempt } from '../journal/state.js';
import { defined } from '../optional-keys.js';
import type { Task } from '../outputs/plan-file.js';
import {
  innerScopes,
  type PlacedStep,
  plannedTasks,
  type Scope,
  stepsBelow,
  unplannedSteps,
} from '../plan/place.js';
import type { CallStep, GroupStep } from '../workflow/workflow.js';
import { within } from './budget.js';
import { renderInputs } from './call-inputs.js';
import { hasAllBelow, isCutOff, isFinal, isWhole, lastAttempt, latest } from './history.js';
import { judgeGates } from './judge.js';
import { attemptsAllowed, type Rung } from './ladder.js';
import { treeNow } from './lane.js';
import { rungFor } from './next-attempt.js';
import { pausesAfter, pausesAt, stillWaits } from './pause.js';
import { passed, type Run, type ScopeEnd } from './run-context.js';
import { runUnits } from './units.js';

/** The rounds of a group or a call, each an attempt of its own. */
export async function runRounds(run: Run, placed: PlacedStep): Promise<ScopeEnd> {
  const { path, step } = placed;
  const before = latest(run, path);
  if (before !== undefined && before.status !== 'running') {
    if (stillWaits(run, path, before)) return { status: 'paused', path };
    // Not so where a step below it was forgotten since, or was added to the workflow.
    if (before.status === 'passed' && isWhole(run, placed))
      return pausesAfter(run, placed, before) ? { status: 'paused', path } : passed;
  }
  const allowed = attemptsAllowed(step.kind === 'gates' ? [] : step.retry);
  for (let made = 1; ; made += 1) {
    await run.settle();
    if (run.signal.aborted) return { status: 'cancelled', path };
    const end = await runRound(run, placed);
    const attempt = lastAttempt(run, path);
    if (attempt === undefined || attempt.status === 'running' || run.signal.aborted) return end;
    run.ports.reporter.attemptEnds(path, attempt);
    if (end.status !== 'passed' && (end.status !== 'failed' || made >= allowed || isFinal(run, attempt)))
      return end;
    if (pausesAfter(run, placed, attempt)) return { status: 'paused', path };
    if (end.status === 'passed') return end;
  }
}

async function runRound(run: Run, placed: PlacedStep): Promise<ScopeEnd> {
  const { path } = placed;
  const last = latest(run, path);
  if (last?.status === 'running' && stillWaits(run, path, last)) return { status: 'paused', path };
  const ref = await beginRound(run, placed);
  if ('status' in ref) return ref;
  const end = await runScopes(run, placed);
  if (end.status !== 'passed') return endRound(run, ref, end);
  if (end.isLast) return end;
  if (pausesAt(run, ref, hitlOf(placed), 'before-gate', lastAttempt(run, path)))
    return { status: 'paused', path };
  return judgeRound(run, placed, ref);
}

function hitlOf({ step }: PlacedStep) {
  return step.kind === 'group' || step.kind === 'call' ? step.hitl : undefined;
}

/** Writes down the round; one that was cut off goes on, with the number and the inputs that it had. */
async function beginRound(run: Run, placed: PlacedStep): Promise<AttemptRef | ScopeEnd> {
  const { path } = placed;
  const last = lastAttempt(run, path);
  const before = latest(run, path);
  const isSame = last !== undefined && isCutOff(last) && before !== undefined;
  const number = isSame ? last.number : (last?.number ?? 0) + 1;
  const ref = { step: path, number, jobAttempt: run.jobAttempt };
  const inputs = isSame ? last.inputs : await inputsOf(run, placed, number);
  // A round that follows one that has passed mends nothing: it runs what is missing.
  const isFurther = !isSame && last !== undefined && before?.status !== 'passed';
  const stopped = isFurther ? await openNext(run, placed, last, ref) : undefined;
  if (stopped !== undefined) return stopped;
  run.record({
    type: 'attempt-started',
    ...ref,
    ...defined({ inputs }),
    ...(isSame ? { standsAgain: true } : {}),
  });
  run.ports.reporter.roundStarts(path, number, titleOf(placed));
  return ref;
}

/** Opens again what the round needs; an end instead where nobody knows how to go on. */
async function openNext(
  run: Run,
  placed: PlacedStep,
  last: Attempt,
  ref: AttemptRef,
): Promise<ScopeEnd | undefined> {
  const rung = await rungFor(run, placed, ref.number);
  if (rung === 'stopped') return { status: 'cancelled', path: placed.path };
  if ('kind' in rung) {
    run.record({ type: 'attempt-started', ...ref });
    run.record(failedUnjudged(ref, rung));
    return { status: 'failed', path: placed.path };
  }
  await openAgain(run, placed, last, rung);
  return undefined;
}

async function inputsOf(run: Run, placed: PlacedStep, number: number) {
  const { step } = placed;
  return step.kind === 'call' ? renderInputs(run, placed, number, step.call) : undefined;
}

function titleOf({ step }: PlacedStep): string {
  if (step.kind === 'call') return `workflow ${step.call.path}`;
  return step.kind === 'group' && step.parallel ? 'side by side' : 'group';
}

/** What of the steps below runs once more in a further round, and from which tree. */
async function openAgain(run: Run, placed: PlacedStep, last: Attempt, rung: Rung): Promise<void> {
  const { path } = placed;
  const state = run.state();
  const step = state.steps.get(path);
  if (step === undefined) return;
  // Calls of former attempts are over, whatever they said.
  const below = stepsBelow(placed, state).flatMap((one) => state.steps.get(one.path) ?? []);
  // Units that clash are seen to where they are put together; begun anew they would only clash again.
  if ([step, ...below].some(({ conflict }) => conflict !== undefined)) return;
  // Where nobody has judged, as where what judges has broken down, there is nothing to mend.
  const isJudged = last.failure?.kind === 'gate';
  const isAll = rung.resetWorktree || (isJudged && hasAllBelow(run, placed));
  const isFresh = rung.freshSession ? { freshSession: true } : {};
  if (!isAll && !rung.freshSession) return;
  const again = isAll ? below : below.filter(({ status }) => status !== 'passed');
  const steps = again.map((one) => one.path);
  if (rung.resetWorktree) await run.ports.workspace.reset(step.from);
  const from = isAll ? { from: rung.resetWorktree ? step.from : treeNow(run) } : {};
  run.record({ type: 'steps-reopened', by: path, steps, ...from, ...isFresh });
  run.ports.reporter.say(
    `${path}: ${steps.join(', ')} run once more (${last.failure?.message.replace(/\.$/, '') ?? 'retry'}).`,
  );
}

function endRound(run: Run, ref: AttemptRef, end: Exclude<ScopeEnd, { status: 'passed' }>): ScopeEnd {
  if (end.status !== 'failed') return end;
  const cause = end.failure ?? lastAttempt(run, end.path)?.failure;
  const failure = {
    kind: cause?.kind ?? 'crash',
    message:
      end.path === ref.step ? (cause?.message ?? '') : `step \`${end.path}\` failed: ${cause?.message ?? ''}`,
    ...(cause?.isFinal ? { isFinal: true } : {}),
  } as const;
  run.record({ ...roundEnd(run, ref), status: 'failed', failure, gates: [], files: [] });
  return end;
}

function roundEnd(run: Run, ref: AttemptRef) {
  const startedAt = lastAttempt(run, ref.step)?.startedAt ?? run.ports.clock.now();
  const durationMs = run.ports.clock.now() - startedAt;
  return { type: 'attempt-ended', ...ref, durationMs, snapshot: treeNow(run) } as const;
}

async function judgeRound(run: Run, placed: PlacedStep, ref: AttemptRef): Promise<ScopeEnd> {
  const { path } = placed;
  const { gates } = placed.step as GroupStep | CallStep;
  const from = run.state().steps.get(path)?.from ?? run.origin;
  const changes = () => run.ports.workspace.changes(from, treeNow(run));
  const verdict = await judgeGates(within(run, placed), placed, ref, gates, changes);
  if (verdict === 'cancelled') return { status: 'cancelled', path };
  const ended: NewEvent = { ...roundEnd(run, ref), ...verdict };
  run.record(ended);
  return verdict.status === 'passed' ? passed : { status: 'failed', path };
}

/** The rounds over the tasks of a split, whose own attempts are those of its planner; of others what is below. */
export async function runBelow(run: Run, placed: PlacedStep): Promise<ScopeEnd> {
  if (placed.step.kind !== 'split') return runScopes(run, placed);
  const rounds = attemptsAllowed(placed.step.retry);
  for (let round = 1; ; round += 1) {
    const end = await runScopes(run, placed);
    if (end.status !== 'failed' || round >= rounds || !mayGoOn(run, end)) return end;
    run.ports.reporter.say(`${placed.path}: round ${round + 1} of ${rounds} over its tasks.`);
  }
}

function mayGoOn(run: Run, end: Extract<ScopeEnd, { status: 'failed' | 'cancelled' | 'paused' }>): boolean {
  const last = lastAttempt(run, end.path);
  return end.failure === undefined && last !== undefined && !isFinal(run, last);
}

async function runScopes(run: Run, placed: PlacedStep): Promise<ScopeEnd> {
  const scopes = innerScopes(placed, tasksOf(run, placed));
  const { step } = placed;
  const inner = within(run, placed);
  const isParallel = (step.kind === 'split' || step.kind === 'group') && step.parallel;
  if (isParallel && scopes.length > 0)
    return runUnits(inner, placed, scopes, step.maxParallel ?? run.maxParallel);
  return runInTurn(inner, scopes);
}

function tasksOf(run: Run, placed: PlacedStep): readonly Task[] {
  const { path, step } = placed;
  if (step.kind !== 'split') return [];
  const tasks = plannedTasks(run.state().steps.get(path)) ?? [];
  const dropped = unplannedSteps(run.state(), placed, tasks);
  const reason = 'the plan was made once more and is another one';
  if (dropped.length > 0) run.record({ type: 'steps-dropped', steps: dropped, reason });
  if (tasks.length === 0)
    run.ports.reporter.warn(`Step ${path}: the plan has no tasks; its steps are left out.`);
  return tasks;
}

async function runInTurn(run: Run, scopes: readonly Scope[]): Promise<ScopeEnd> {
  for (const scope of scopes) {
    const end = await run.steps.runScope(run, scope);
    if (end.status !== 'passed' || end.isLast) return end;
  }
  return passed;
}
