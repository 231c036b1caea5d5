/**
 * What of an earlier job's results still holds (S10, S11, S14). Pure: compares the fold with the plan and
 * says which steps are forgotten and why.
 *
 * A step hangs on all that began before it, but for what ran beside it in another parallel unit.
 */
import type { Fingerprint } from '../journal/event.js';
import { hasPassed, type RunState, type StepState } from '../journal/run-state.js';
import { isBelow, isInCall, isSameOrNestedBranch } from '../step-path.js';
import { expandPlan, innerStepsOf, type PlacedStep } from './placed-step.js';
import type { Plan } from './plan.js';

export interface ReuseDecision {
  /** Paths whose results do not hold any more; those of the plan in its order. */
  readonly dropped: readonly string[];
  /** Why, for people; absent where nothing is dropped. */
  readonly reason?: string;
}

export interface ReuseFacts {
  readonly plan: Plan;
  /** The fold of the checkpoint's journal. */
  readonly state: RunState;
  /** This job: its id, action step and matrix leg. */
  readonly job: string;
  readonly jobAttempt: number;
  readonly startTree: string;
}

export function decideReuse(facts: ReuseFacts): ReuseDecision {
  if (isRunCompleted(facts)) return startFresh(facts.state);
  const recorded = [...facts.state.steps.values()];
  const invalidations = [
    ...findStartTreeChange(facts),
    ...findStepChanges(facts),
    ...findNewBranchSteps(facts),
    ...findFromStep(facts),
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

/** From which of the recorded steps on nothing holds, but for what lies in a lane beside this one. */
interface Invalidation {
  readonly index: number;
  readonly branchPrefix: string;
  readonly reason: string;
}

/**
 * S14: the recorded run and the job it was part of had both ended well, and this job had its part in it. One
 * that had none goes on from it instead: it comes later, and failed before it got here.
 */
function isRunCompleted({ state, job, jobAttempt }: ReuseFacts): boolean {
  const { runEnded, jobEnded } = state;
  if (runEnded?.status !== 'passed' || jobEnded?.status !== 'success') return false;
  const hadPart = state.jobs.some((one) => one.job === job && one.jobAttempt < jobAttempt);
  return hadPart && jobEnded.jobAttempt < jobAttempt;
}

function startFresh(state: RunState): ReuseDecision {
  const reason =
    'the run of the earlier attempt had passed and its job had ended with success, so this re-run starts afresh';
  return { dropped: [...state.steps.keys()], reason };
}

/** Without a passed step there is no result that could be out of date: the conversation goes on. */
function findStartTreeChange({ state, startTree }: ReuseFacts): readonly Invalidation[] {
  const recorded = state.jobs.at(-1)?.startTree;
  if (recorded === undefined || recorded === startTree) return [];
  const index = [...state.steps.values()].findIndex(hasPassed);
  const reason = 'the files that the run starts from are not the same as before';
  return index < 0 ? [] : [{ index, branchPrefix: '', reason }];
}

/** Of each lane the first step that is not what it was. */
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
  // Which calls attempts make depends on how the attempts went: calls have no place of their own in the order.
  const own = expected.filter(({ path }) => !isInCall(path));
  let place = 0;
  for (const [index, step] of recorded.entries()) {
    if (step.branchPrefix !== branchPrefix) continue;
    const isOwn = !isInCall(step.path);
    const planned = isOwn ? own[place] : expected.find(({ path }) => path === step.path);
    if (isOwn) place += 1;
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

/** A group or a call has them as soon as one of its steps has. */
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

/** What was put together of units lacks what a step does that has come to them since: all after it hangs on that. */
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
  const after = expected.slice(Math.max(from, 0)).map(({ path }) => path);
  const behind = new Set(after.filter((path) => !isInCall(path)));
  const recorded = [...state.steps.values()];
  const index = recorded.findIndex(
    (step) => behind.has(step.path) && isSameOrNestedBranch(branchPrefix, step.branchPrefix),
  );
  const reason = `the input \`from-step\` names \`${fromPath}\``;
  return from < 0 || index < 0 ? [] : [{ index, branchPrefix, reason }];
}
