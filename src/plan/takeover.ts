/**
 * What of an earlier job's results still holds (S10, S11, S14). Pure: compares the fold with the plan and
 * says which steps are forgotten and why.
 *
 * A step hangs on all that began before it, but for what ran beside it in another parallel unit.
 */
import type { Fingerprint } from '../journal/event.js';
import { hasPassed, isSameLine, type RunState, type StepState } from '../journal/state.js';
import { expand, type PlacedStep, stepsBelow } from './place.js';
import type { Plan } from './plan.js';

export interface Takeover {
  /** Paths whose results do not hold any more; those of the plan in its order. */
  readonly dropped: readonly string[];
  /** Why, for people; absent where nothing is dropped. */
  readonly reason?: string;
}

export interface TakeoverFacts {
  readonly plan: Plan;
  /** The fold of the checkpoint's journal. */
  readonly state: RunState;
  /** This job: its id, action step and matrix leg. */
  readonly job: string;
  readonly jobAttempt: number;
  readonly startTree: string;
}

export function decideTakeover(facts: TakeoverFacts): Takeover {
  if (isOver(facts)) return startAfresh(facts.state);
  const recorded = [...facts.state.steps.values()];
  const cuts = [...changedStart(facts), ...changedSteps(facts), ...grownUnits(facts), ...fromStep(facts)];
  const gone = recorded.filter(({ lane }, index) =>
    cuts.some((cut) => index >= cut.index && isSameLine(cut.lane, lane)),
  );
  if (gone.length === 0) return { dropped: [] };
  const first = cuts.reduce((least, cut) => (cut.index < least.index ? cut : least));
  return { dropped: gone.map(({ path }) => path), reason: first.reason };
}

/** From which of the recorded steps on nothing holds, but for what lies in a lane beside this one. */
interface Cut {
  readonly index: number;
  readonly lane: string;
  readonly reason: string;
}

/**
 * S14: the recorded run and the job it was part of had both ended well, and this job had its part in it. One
 * that had none goes on from it instead: it comes later, and failed before it got here.
 */
function isOver({ state, job, jobAttempt }: TakeoverFacts): boolean {
  const { ended, jobEnded } = state;
  if (ended?.status !== 'passed' || jobEnded?.status !== 'success') return false;
  const hadPart = state.jobs.some((one) => one.job === job && one.jobAttempt < jobAttempt);
  return hadPart && jobEnded.jobAttempt < jobAttempt;
}

function startAfresh(state: RunState): Takeover {
  const reason =
    'the run of the earlier attempt had passed and its job had ended with success, so this re-run starts afresh';
  return { dropped: [...state.steps.keys()], reason };
}

/** Without a passed step there is no result that could be out of date: the conversation goes on. */
function changedStart({ state, startTree }: TakeoverFacts): readonly Cut[] {
  const recorded = state.jobs.at(-1)?.startTree;
  if (recorded === undefined || recorded === startTree) return [];
  const index = [...state.steps.values()].findIndex(hasPassed);
  const reason = 'the files that the run starts from are not the same as before';
  return index < 0 ? [] : [{ index, lane: '', reason }];
}

/** Of each lane the first step that is not what it was. */
function changedSteps({ plan, state }: TakeoverFacts): readonly Cut[] {
  const recorded = [...state.steps.values()];
  const expected = expand(plan, state);
  const lanes = new Set(recorded.map(({ lane }) => lane));
  return [...lanes].flatMap((lane) => {
    const planned = expected.filter(({ scope }) => scope.lane === lane);
    const cut = changedInLane(planned, recorded, lane, state);
    return cut === undefined ? [] : [cut];
  });
}

function changedInLane(
  expected: readonly PlacedStep[],
  recorded: readonly StepState[],
  lane: string,
  state: RunState,
): Cut | undefined {
  const own = expected.filter(({ path }) => !isCalled(path));
  let place = 0;
  for (const [index, step] of recorded.entries()) {
    if (step.lane !== lane) continue;
    const isOwn = !isCalled(step.path);
    const planned = isOwn ? own[place] : expected.find(({ path }) => path === step.path);
    if (isOwn) place += 1;
    if (isOwn && planned?.path !== step.path) return { index, lane, reason: movedReason(own, step, planned) };
    const changes =
      planned !== undefined && hasResults(step, planned, state)
        ? changedParts(step.fingerprint, planned.fingerprint)
        : [];
    if (changes.length > 0)
      return { index, lane, reason: `${changes.join(' and ')} of step \`${step.path}\` changed` };
  }
  return undefined;
}

/**
 * Whether an attempt has called it: when that was hangs on how the attempts went, and what it is on the step that
 * made them.
 */
function isCalled(path: string): boolean {
  return path.includes(':');
}

/** A group or a call has them as soon as one of its steps has. */
function hasResults(step: StepState, { step: { kind } }: PlacedStep, state: RunState): boolean {
  if (hasPassed(step)) return true;
  if (kind !== 'group' && kind !== 'call') return false;
  return [...state.steps.values()].some((one) => one.path.startsWith(`${step.path}/`) && hasPassed(one));
}

function movedReason(
  expected: readonly PlacedStep[],
  step: StepState,
  planned: PlacedStep | undefined,
): string {
  const isKnown = expected.some((one) => one.path === step.path);
  if (!isKnown) return `step \`${step.path}\` is no longer in the workflow`;
  return `step \`${planned?.path ?? step.path}\` now comes before step \`${step.path}\``;
}

/** What was put together of units lacks what a step does that has come to them since: all after it hangs on that. */
function grownUnits({ plan, state }: TakeoverFacts): readonly Cut[] {
  const recorded = [...state.steps.values()];
  return expand(plan, state).flatMap((placed) => {
    const { path, lane, merged } = state.steps.get(placed.path) ?? {};
    if (path === undefined || lane === undefined || merged === undefined) return [];
    const fresh = stepsBelow(placed, state).find((one) => !state.steps.has(one.path));
    const index = recorded.findIndex((step) => step.lane === lane && step.order > merged.order);
    const reason = `step \`${fresh?.path}\` is new`;
    return fresh === undefined || index < 0 ? [] : [{ index, lane, reason }];
  });
}

const parts: Readonly<Record<keyof Fingerprint, string>> = {
  definition: 'the definition',
  agent: 'the agent',
  spec: 'the spec',
  vars: 'the variables',
};

function changedParts(before: Fingerprint, now: Fingerprint): readonly string[] {
  return (Object.keys(parts) as (keyof Fingerprint)[])
    .filter((part) => before[part] !== now[part])
    .map((part) => parts[part]);
}

function fromStep({ plan, state }: TakeoverFacts): readonly Cut[] {
  const { fromStep: named } = plan;
  if (named === undefined) return [];
  const expected = expand(plan, state);
  const from = expected.findIndex(({ path }) => path === named);
  const lane = expected[from]?.scope.lane ?? '';
  const after = expected.slice(Math.max(from, 0)).map(({ path }) => path);
  const behind = new Set(after.filter((path) => !isCalled(path)));
  const recorded = [...state.steps.values()];
  const index = recorded.findIndex((step) => behind.has(step.path) && isSameLine(lane, step.lane));
  const reason = `the input \`from-step\` names \`${named}\``;
  return from < 0 || index < 0 ? [] : [{ index, lane, reason }];
}
