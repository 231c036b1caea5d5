/**
 * Runs steps that contain other steps: groups, called workflows, and the tasks of a split. They run in rounds, as
 * many as `retry` allows. In a further round passed steps do not run again, and the failed step continues with its
 * full number of attempts. If all steps passed and the gates of the containing step failed, all steps run once more,
 * in their own sessions, and their prompts contain the output of those gates.
 */

import { type Failure, withCause } from '../failure.js';
import { type AttemptRef, failedWithoutVerdict, type NewEvent } from '../journal/event.js';
import type { Attempt } from '../journal/run-state.js';
import { defined } from '../optional-keys.js';
import type { Task } from '../outputs/plan-file.js';
import {
  findUnplannedSteps,
  innerScopes,
  innerStepsOf,
  type PlacedStep,
  plannedTasks,
  type StepScope,
} from '../plan/placed-step.js';
import type { CallStep, GroupStep } from '../workflow/workflow.js';
import { currentSnapshot } from './branch-context.js';
import { renderInputs } from './call-inputs.js';
import { type EngineRun, type ScopeEnd, scopePassed } from './engine-run.js';
import { evaluateGates } from './evaluate-gates.js';
import {
  currentAttemptOf,
  haveInnerStepsPassed,
  isComplete,
  isFinalAttempt,
  isInterrupted,
  lastAttemptOf,
} from './history.js';
import { withInnerLimits } from './limits/run-limits.js';
import { overridesForRound } from './next-attempt.js';
import { runParallelBranches } from './parallel-branches.js';
import { type EffectiveRetryOverrides, maxAttempts } from './retry-policy.js';
import { pauseAfterGatesIfRequested, pauseIfRequested, staysPaused } from './step-pause.js';
import { endOfStopped } from './stopped-step.js';

/** The rounds of a group or a call, each an attempt of its own. */
export async function runRounds(run: EngineRun, placed: PlacedStep): Promise<ScopeEnd> {
  const { path, step } = placed;
  const before = currentAttemptOf(run, path);
  if (before !== undefined && before.status !== 'running') {
    if (staysPaused(run, path, before)) return { status: 'paused', path };
    // Not complete if the result of a step below it was dropped, or a step was added to the workflow.
    if (before.status === 'passed' && isComplete(run, placed))
      return pauseAfterGatesIfRequested(run, placed, before) ? { status: 'paused', path } : scopePassed;
  }
  const allowed = maxAttempts(step.kind === 'gates' ? [] : step.retry);
  for (let made = 1; ; made += 1) {
    await run.flush();
    if (run.signal.aborted) return { status: 'cancelled', path };
    const end = await runRound(run, placed);
    const attempt = lastAttemptOf(run, path);
    if (attempt === undefined || attempt.status === 'running' || run.signal.aborted) return end;
    run.ports.reporter.attemptEnds(path, attempt);
    if (
      end.status !== 'passed' &&
      (end.status !== 'failed' || made >= allowed || isFinalAttempt(run, attempt))
    )
      return end;
    if (pauseAfterGatesIfRequested(run, placed, attempt)) return { status: 'paused', path };
    if (end.status === 'passed') return end;
  }
}

async function runRound(run: EngineRun, placed: PlacedStep): Promise<ScopeEnd> {
  const { path } = placed;
  const last = currentAttemptOf(run, path);
  if (last?.status === 'running' && staysPaused(run, path, last)) return { status: 'paused', path };
  const ref = await beginRound(run, placed);
  if ('status' in ref) return ref;
  const end = await runScopes(run, placed);
  if (end.status !== 'passed') return failRound(run, ref, end);
  if (end.isLast) return end;
  if (pauseIfRequested(run, ref, hitlOf(placed), 'before-gate', lastAttemptOf(run, path)))
    return { status: 'paused', path };
  return judgeRound(run, placed, ref);
}

function hitlOf({ step }: PlacedStep) {
  return step.kind === 'group' || step.kind === 'call' ? step.hitl : undefined;
}

/** Records the start of the round. An interrupted round continues with the same number and inputs. */
async function beginRound(run: EngineRun, placed: PlacedStep): Promise<AttemptRef | ScopeEnd> {
  const { path } = placed;
  const last = lastAttemptOf(run, path);
  const before = currentAttemptOf(run, path);
  const isContinued = last !== undefined && isInterrupted(last) && before !== undefined;
  const number = isContinued ? last.number : (last?.number ?? 0) + 1;
  const ref = { step: path, number, jobAttempt: run.jobAttempt };
  const rendered = isContinued ? { inputs: last.inputs } : await inputsOf(run, placed, number);
  if ('obstacle' in rendered) return failBeforeRound(run, ref, rendered.obstacle);
  // A round after a passed one fixes nothing: it only runs the steps that are missing.
  const isFurther = !isContinued && last !== undefined && before?.status !== 'passed';
  const stopped = isFurther ? await prepareNextRound(run, placed, last, ref) : undefined;
  if (stopped !== undefined) return stopped;
  run.record({
    type: 'attempt-started',
    ...ref,
    ...defined({ inputs: rendered.inputs }),
    ...(isContinued ? { standsAgain: true } : {}),
  });
  run.ports.reporter.roundStarts(path, number, titleOf(placed));
  return ref;
}

/** Opens the steps that run again in the round. Returns an end if a retry condition has no verdict. */
async function prepareNextRound(
  run: EngineRun,
  placed: PlacedStep,
  last: Attempt,
  ref: AttemptRef,
): Promise<ScopeEnd | undefined> {
  const overrides = await overridesForRound(run, placed, ref.number);
  if (overrides === 'stopped') return endOfStopped(run, placed.path);
  if ('kind' in overrides) return failBeforeRound(run, ref, overrides);
  await reopenSteps(run, placed, last, overrides);
  return undefined;
}

function failBeforeRound(run: EngineRun, ref: AttemptRef, failure: Failure): ScopeEnd {
  run.record({ type: 'attempt-started', ...ref });
  run.record(failedWithoutVerdict(ref, failure));
  return { status: 'failed', path: ref.step };
}

async function inputsOf(run: EngineRun, placed: PlacedStep, number: number) {
  const { step } = placed;
  return step.kind === 'call' ? renderInputs(run, placed, number, step.call) : { inputs: undefined };
}

function titleOf({ step }: PlacedStep): string {
  if (step.kind === 'call') return `workflow ${step.call.path}`;
  return step.kind === 'group' && step.parallel ? 'parallel group' : 'group';
}

/** Decides which of the steps below run once more in a further round, and from which snapshot. */
async function reopenSteps(
  run: EngineRun,
  placed: PlacedStep,
  last: Attempt,
  overrides: EffectiveRetryOverrides,
): Promise<void> {
  const { path } = placed;
  const state = run.state();
  const step = state.steps.get(path);
  if (step === undefined) return;
  // Workflows that attempts called are not opened again.
  const below = innerStepsOf(placed, state).flatMap((one) => state.steps.get(one.path) ?? []);
  // Conflicts between parallel branches are handled by their merge: branches that start over conflict again.
  if ([step, ...below].some(({ conflict }) => conflict !== undefined)) return;
  // If no gate has judged the round, for example because a called workflow broke, there is nothing to fix.
  const isJudged = last.failure?.kind === 'gate';
  const isAll = overrides.resetWorktree || (isJudged && haveInnerStepsPassed(run, placed));
  const isFresh = overrides.freshSession ? { freshSession: true } : {};
  if (!isAll && !overrides.freshSession) return;
  const reopened = isAll ? below : below.filter(({ status }) => status !== 'passed');
  const steps = reopened.map((one) => one.path);
  if (overrides.resetWorktree) await run.ports.workspace.reset(step.startSnapshot);
  const from = isAll ? { from: overrides.resetWorktree ? step.startSnapshot : currentSnapshot(run) } : {};
  run.record({ type: 'steps-reopened', by: path, steps, ...from, ...isFresh });
  run.ports.reporter.log(
    `Step \`${path}\`: running ${steps.map((one) => `\`${one}\``).join(', ')} once more (${last.failure?.message.replace(/\.$/, '') ?? 'retry'})`,
  );
}

function failRound(run: EngineRun, ref: AttemptRef, end: Exclude<ScopeEnd, { status: 'passed' }>): ScopeEnd {
  if (end.status !== 'failed') return end;
  const cause: Failure | undefined = end.failure ?? lastAttemptOf(run, end.path)?.failure;
  const { retryAfterMs: _retryAfterMs, ...known } = cause ?? { kind: 'crash', message: '' };
  const failure = end.path === ref.step ? known : withCause(`step \`${end.path}\` failed`, known);
  run.record({ ...roundEndFields(run, ref), status: 'failed', failure, gates: [], files: [] });
  return end;
}

function roundEndFields(run: EngineRun, ref: AttemptRef) {
  const startedAt = lastAttemptOf(run, ref.step)?.startedAt ?? run.ports.clock.now();
  const durationMs = run.ports.clock.now() - startedAt;
  return { type: 'attempt-ended', ...ref, durationMs, snapshot: currentSnapshot(run) } as const;
}

async function judgeRound(run: EngineRun, placed: PlacedStep, ref: AttemptRef): Promise<ScopeEnd> {
  const { path } = placed;
  const { gates } = placed.step as GroupStep | CallStep;
  const from = run.state().steps.get(path)?.startSnapshot ?? run.origin;
  const changes = () => run.ports.workspace.changes(from, currentSnapshot(run));
  const verdict = await evaluateGates(withInnerLimits(run, placed), placed, ref, gates, changes);
  if (verdict === 'cancelled') return endOfStopped(run, path);
  const ended: NewEvent = { ...roundEndFields(run, ref), ...verdict };
  run.record(ended);
  return verdict.status === 'passed' ? scopePassed : { status: 'failed', path };
}

/** Runs the steps below a step; those of a split in rounds, because its own attempts are those of its planner. */
export async function runInnerSteps(run: EngineRun, placed: PlacedStep): Promise<ScopeEnd> {
  if (placed.step.kind !== 'split') return runScopes(run, placed);
  const rounds = maxAttempts(placed.step.retry);
  for (let round = 1; ; round += 1) {
    const end = await runScopes(run, placed);
    if (end.status !== 'failed' || round >= rounds || !canRunAnotherRound(run, end)) return end;
    run.ports.reporter.log(`Step \`${placed.path}\`: round ${round + 1} of ${rounds} over its tasks`);
  }
}

function canRunAnotherRound(run: EngineRun, end: Exclude<ScopeEnd, { status: 'passed' }>): boolean {
  const last = lastAttemptOf(run, end.path);
  return end.failure === undefined && last !== undefined && !isFinalAttempt(run, last);
}

async function runScopes(run: EngineRun, placed: PlacedStep): Promise<ScopeEnd> {
  const scopes = innerScopes(placed, tasksOf(run, placed));
  const { step } = placed;
  const inner = withInnerLimits(run, placed);
  const isParallel = (step.kind === 'split' || step.kind === 'group') && step.parallel;
  if (isParallel && scopes.length > 0)
    return runParallelBranches(inner, placed, scopes, step.maxParallel ?? run.maxParallel);
  return runInTurn(inner, scopes);
}

function tasksOf(run: EngineRun, placed: PlacedStep): readonly Task[] {
  const { path, step } = placed;
  if (step.kind !== 'split') return [];
  const tasks = plannedTasks(run.state().steps.get(path)) ?? [];
  const dropped = findUnplannedSteps(run.state(), placed, tasks);
  const reason = 'the planner wrote a new plan';
  if (dropped.length > 0) run.record({ type: 'steps-dropped', steps: dropped, reason });
  if (tasks.length === 0)
    run.ports.reporter.warn(`Step \`${path}\`: the plan has no tasks, so its \`each\` steps do not run.`);
  return tasks;
}

async function runInTurn(run: EngineRun, scopes: readonly StepScope[]): Promise<ScopeEnd> {
  for (const scope of scopes) {
    const end = await run.steps.runScope(run, scope);
    if (end.status !== 'passed' || end.isLast) return end;
  }
  return scopePassed;
}
