/**
 * What of an earlier job's results still holds (S10, S11, S14). Pure: compares the fold with the plan and
 * says which steps are forgotten and why.
 */
import type { Fingerprint } from '../journal/event.js';
import { hasPassed, type RunState, type StepState } from '../journal/state.js';
import { expand, type PlacedStep } from './place.js';
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
  const cuts = [changedStart(facts), changedStep(facts), fromStep(facts)].filter((cut) => cut !== undefined);
  const first = cuts.reduce<Cut | undefined>(
    (least, cut) => (least === undefined || cut.index < least.index ? cut : least),
    undefined,
  );
  if (first === undefined) return { dropped: [] };
  return { dropped: [...facts.state.steps.keys()].slice(first.index), reason: first.reason };
}

/** From which of the recorded steps on nothing holds. */
interface Cut {
  readonly index: number;
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
function changedStart({ state, startTree }: TakeoverFacts): Cut | undefined {
  const recorded = state.jobs.at(-1)?.startTree;
  const index = [...state.steps.values()].findIndex(hasPassed);
  if (recorded === undefined || recorded === startTree || index < 0) return undefined;
  return { index, reason: 'the files that the run starts from are not the same as before' };
}

/** Steps run one after the other, so each hangs on all before it. */
function changedStep({ plan, state }: TakeoverFacts): Cut | undefined {
  const recorded = [...state.steps.values()];
  const expected = expand(plan, state);
  for (const [index, step] of recorded.entries()) {
    const planned = expected[index];
    if (planned?.path !== step.path) return { index, reason: movedReason(expected, step, planned) };
    const changes = hasPassed(step) ? changedParts(step.fingerprint, planned.fingerprint) : [];
    if (changes.length > 0)
      return { index, reason: `${changes.join(' and ')} of step \`${step.path}\` changed` };
  }
  return undefined;
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

function fromStep({ plan, state }: TakeoverFacts): Cut | undefined {
  if (plan.fromStep === undefined) return undefined;
  const order = expand(plan, state).map((step) => step.path);
  const from = order.indexOf(plan.fromStep);
  const index = from < 0 ? -1 : [...state.steps.keys()].findIndex((path) => order.indexOf(path) >= from);
  return index < 0 ? undefined : { index, reason: `the input \`from-step\` names \`${plan.fromStep}\`` };
}
