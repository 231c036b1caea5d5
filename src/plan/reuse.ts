/**
 * Decides which results of an earlier job are reused (S10, S11, S14). Pure: compares the recorded state with the
 * plan and returns the steps whose results are dropped, and why.
 *
 * A step depends on every step that started before it, except on those in parallel branches that it does not see.
 */
import type { Fingerprint } from '../journal/event.js';
import { hasPassed, type RunState, type StepState } from '../journal/run-state.js';
import { isBelow, isInCall, isSameOrNestedBranch } from '../step-path.js';
import { expandPlan, innerStepsOf, type PlacedStep } from './placed-step.js';
import type { Plan } from './plan.js';

export interface ReuseDecision {
  /** The paths of the steps whose results are dropped, in the order of the journal. */
  readonly dropped: readonly string[];
  /** Why, for people; absent if nothing is dropped. */
  readonly reason?: string;
}

export interface ReuseFacts {
  readonly plan: Plan;
  /** The state from the journal of the checkpoint. */
  readonly state: RunState;
  /** This job: its id, action step and matrix leg. */
  readonly job: string;
  readonly jobAttempt: number;
  /**
   * Step → the files that this step or an earlier one changed and whose content in the start tree is another one now.
   * Steps without such files are left out.
   */
  readonly startDifferences: ReadonlyMap<string, readonly string[]>;
  /** The reused steps whose gates failed on another start tree than that of the recorded run. */
  readonly failedGatesOf?: readonly string[];
}

export function decideReuse(facts: ReuseFacts): ReuseDecision {
  if (isRunCompleted(facts)) return startFresh(facts.state);
  const recorded = [...facts.state.steps.values()];
  const invalidations = [
    ...findStartTreeChange(facts),
    ...findStepChanges(facts),
    ...findUnstoredWork(facts),
    ...findNewBranchSteps(facts),
    ...findFromStep(facts),
    ...findFailedGates(facts),
  ];
  const droppedSteps = recorded.filter(({ branchPrefix }, index) =>
    invalidations.some(
      (invalidation) =>
        index >= invalidation.index && isSameOrNestedBranch(invalidation.branchPrefix, branchPrefix),
    ),
  );
  if (droppedSteps.length === 0) return { dropped: [] };
  const first = invalidations.reduce((least, invalidation) =>
    invalidation.index < least.index ? invalidation : least,
  );
  return { dropped: droppedSteps.map(({ path }) => path), reason: first.reason };
}

/** From this recorded step on, results are dropped, except in parallel branches that do not see this branch. */
interface Invalidation {
  readonly index: number;
  readonly branchPrefix: string;
  readonly reason: string;
}

/**
 * S14: the recorded run and its job both ended with success, and this job took part in the run. A job that did not
 * take part continues the run instead: it comes later in the workflow and failed before it reached this point.
 */
function isRunCompleted({ state, job, jobAttempt }: ReuseFacts): boolean {
  const { runEnded, jobEnded } = state;
  if (runEnded?.status !== 'passed' || jobEnded?.status !== 'success') return false;
  const tookPart = state.jobs.some((one) => one.job === job && one.jobAttempt < jobAttempt);
  return tookPart && jobEnded.jobAttempt < jobAttempt;
}

function startFresh(state: RunState): ReuseDecision {
  const reason = 'the run and its job passed in an earlier job attempt, so this re-run starts fresh';
  return { dropped: [...state.steps.keys()], reason };
}

/** Without a result nothing can be out of date, so sessions are resumed. */
function findStartTreeChange({ state, startDifferences }: ReuseFacts): readonly Invalidation[] {
  return [...state.steps.values()].flatMap((step, index) => {
    const [file, ...others] = hasPassed(step) ? (startDifferences.get(step.path) ?? []) : [];
    if (file === undefined) return [];
    const more = others.length === 0 ? '' : ` and ${others.length} more`;
    const reason = `\`${file}\`${more}, which step \`${step.path}\` or an earlier step changed, is different in the checkout of this job`;
    return [{ index, branchPrefix: step.branchPrefix, reason }];
  });
}

/**
 * The step continues as one that failed, so only the steps after it run again. The steps below a group are part of
 * its round, but the tasks of a split are those of a plan that failed. A step that runs only gates has nothing to
 * continue.
 */
function findFailedGates({ plan, state, failedGatesOf = [] }: ReuseFacts): readonly Invalidation[] {
  const recorded = [...state.steps.values()];
  const planned = expandPlan(plan, state);
  return failedGatesOf.flatMap((failed) => {
    const index = recorded.findIndex(({ path }) => path === failed);
    const step = recorded[index];
    if (step === undefined) return [];
    const kind = planned.find(({ path }) => path === failed)?.step.kind;
    const lastBelow = recorded.findLastIndex(({ path }) => isBelow(path, failed));
    const next = kind === 'split' ? index + 1 : Math.max(index, lastBelow) + 1;
    const reason = `the gates of step \`${failed}\` failed on the start tree of this job`;
    return [{ index: kind === 'gates' ? index : next, branchPrefix: step.branchPrefix, reason }];
  });
}

/** Work in a repository within the worktree is lost with its machine, so the step must do it again. */
function findUnstoredWork({ state }: ReuseFacts): readonly Invalidation[] {
  return [...state.steps.values()].flatMap((step, index) => {
    const lost = new Set(step.attempts.flatMap(({ unstored = [] }) => unstored));
    if (lost.size === 0 || !hasPassed(step)) return [];
    const names = [...lost].map((path) => `\`${path}\``).join(', ');
    const reason = `step \`${step.path}\` changed ${names}, and these changes were not stored`;
    return [{ index, branchPrefix: step.branchPrefix, reason }];
  });
}

/** The first changed step of each branch. */
function findStepChanges({ plan, state }: ReuseFacts): readonly Invalidation[] {
  const recorded = [...state.steps.values()];
  const expected = expandPlan(plan, state);
  const branchPrefixes = new Set(recorded.map(({ branchPrefix }) => branchPrefix));
  return [...branchPrefixes].flatMap((branchPrefix) => {
    const planned = expected.filter(({ scope }) => scope.branchPrefix === branchPrefix);
    const invalidation = findChangeInBranch(planned, recorded, branchPrefix, state);
    return invalidation === undefined ? [] : [invalidation];
  });
}

function findChangeInBranch(
  expected: readonly PlacedStep[],
  recorded: readonly StepState[],
  branchPrefix: string,
  state: RunState,
): Invalidation | undefined {
  // Which calls are made depends on the results of the attempts, so calls have no fixed position in the order.
  const own = expected.filter(({ path }) => !isInCall(path));
  let position = 0;
  for (const [index, step] of recorded.entries()) {
    if (step.branchPrefix !== branchPrefix) continue;
    const isOwn = !isInCall(step.path);
    const planned = isOwn ? own[position] : expected.find(({ path }) => path === step.path);
    if (isOwn) position += 1;
    if (isOwn && planned?.path !== step.path)
      return { index, branchPrefix, reason: describeMove(own, step, planned) };
    const changes =
      planned !== undefined && hasResults(step, planned, state)
        ? findChangedParts(step.fingerprint, planned.fingerprint)
        : [];
    if (changes.length > 0)
      return { index, branchPrefix, reason: `${changes.join(' and ')} of step \`${step.path}\` changed` };
  }
  return undefined;
}

/** A group or a call has results as soon as one of its steps has. */
function hasResults(step: StepState, { step: { kind } }: PlacedStep, state: RunState): boolean {
  if (hasPassed(step)) return true;
  if (kind !== 'group' && kind !== 'call') return false;
  return [...state.steps.values()].some((one) => isBelow(one.path, step.path) && hasPassed(one));
}

function describeMove(
  expected: readonly PlacedStep[],
  step: StepState,
  planned: PlacedStep | undefined,
): string {
  const isKnown = expected.some((one) => one.path === step.path);
  if (!isKnown) return `step \`${step.path}\` is no longer in the workflow`;
  return `step \`${planned?.path ?? step.path}\` now comes before step \`${step.path}\``;
}

/** A merge of parallel branches lacks the changes of steps that were added to them since; later steps depend on those. */
function findNewBranchSteps({ plan, state }: ReuseFacts): readonly Invalidation[] {
  const recorded = [...state.steps.values()];
  return expandPlan(plan, state).flatMap((placed) => {
    const { path, branchPrefix, merged } = state.steps.get(placed.path) ?? {};
    if (path === undefined || branchPrefix === undefined || merged === undefined) return [];
    const fresh = innerStepsOf(placed, state).find((one) => !state.steps.has(one.path));
    const index = recorded.findIndex(
      (step) => step.branchPrefix === branchPrefix && step.order > merged.order,
    );
    const reason = `step \`${fresh?.path}\` is new`;
    return fresh === undefined || index < 0 ? [] : [{ index, branchPrefix, reason }];
  });
}

const fingerprintPartNames: Readonly<Record<keyof Fingerprint, string>> = {
  definition: 'the definition',
  agent: 'the agent',
  spec: 'the spec',
  vars: 'the variables',
};

function findChangedParts(before: Fingerprint, now: Fingerprint): readonly string[] {
  return (Object.keys(fingerprintPartNames) as (keyof Fingerprint)[])
    .filter((part) => before[part] !== now[part])
    .map((part) => fingerprintPartNames[part]);
}

function findFromStep({ plan, state }: ReuseFacts): readonly Invalidation[] {
  const { fromStep: fromPath } = plan;
  if (fromPath === undefined) return [];
  const expected = expandPlan(plan, state);
  const from = expected.findIndex(({ path }) => path === fromPath);
  const branchPrefix = expected[from]?.scope.branchPrefix ?? '';
  const following = expected.slice(Math.max(from, 0)).map(({ path }) => path);
  const affected = new Set(following.filter((path) => !isInCall(path)));
  const recorded = [...state.steps.values()];
  const index = recorded.findIndex(
    (step) => affected.has(step.path) && isSameOrNestedBranch(branchPrefix, step.branchPrefix),
  );
  const reason = `the input \`from-step\` names \`${fromPath}\``;
  return from < 0 || index < 0 ? [] : [{ index, branchPrefix, reason }];
}
