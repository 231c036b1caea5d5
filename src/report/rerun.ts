/** What "Re-run failed jobs" does, and until when it works. The error, the log and the summary show this text. */
import type { Failure } from '../failure.js';
import type { RunState } from '../journal/run-state.js';
import { isAtOrBelow } from '../step-path.js';
import { formatDay, formatMinute } from './format.js';

const day = 24 * 60 * 60 * 1000;

/** GitHub allows a re-run for 30 days after the run's first start. */
const rerunDays = 30;

/** The Actions cache removes entries that were not used for 7 days, and artifacts of checkpoints expire after 7 days. */
const cacheDays = 7;

export interface RerunFacts {
  readonly state: RunState;
  readonly persisted: boolean;
  /** The state is in the Actions cache or in artifacts, not in a directory. */
  readonly isInCache: boolean;
  readonly now: number;
  readonly failedStep?: string;
}

/** One sentence, or two. */
export function rerunNote(facts: RerunFacts): string {
  if (endFailureOf(facts)?.isSameInRerun) return 'A re-run reaches the same limit and starts no agent.';
  if (!facts.persisted)
    return 'The last state is not stored. A re-run continues from the newest stored checkpoint, or starts fresh.';
  if (facts.state.runEnded?.unpublished !== undefined)
    return `"Re-run failed jobs" before ${formatDay(rerunDeadline(facts))} tries again to publish the result, and starts no agent.`;
  const branch = conflictingBranch(facts);
  const passed = [...facts.state.steps.values()].filter(
    ({ status, path }) => status === 'passed' && !(branch !== undefined && isAtOrBelow(path, branch)),
  ).length;
  const reusedText =
    passed === 0 ? '' : `reuses the ${passed === 1 ? 'result of 1 step' : `results of ${passed} steps`} and `;
  const rerun = `"Re-run failed jobs"`;
  const until = `before ${formatDay(rerunDeadline(facts))}`;
  const effect = `${reusedText}${rerunStepText(facts)}`;
  const resumeAt = limitEndOf(facts);
  if (resumeAt === undefined) return `${rerun} ${until} ${effect}.`;
  const lasts =
    resumeAt < rerunDeadline(facts)
      ? `${rerun} after ${formatMinute(resumeAt)} and ${until} ${effect}.`
      : `${rerun} after ${formatMinute(resumeAt)} ${effect}. The state is dropped on ${formatDay(rerunDeadline(facts))} unless a re-run reads it before.`;
  return `${lasts} What ran is not paid again. A re-run before that time starts no agent.`;
}

/** Until when the model service refuses requests, if the run waits for it. */
function limitEndOf({ state: { runEnded } }: RerunFacts): number | undefined {
  return runEnded?.reason === 'limit' ? runEnded.resumeAt : undefined;
}

/** What happened to the step of the run's end, and why. */
export function stepSentence(
  { failedStep }: Pick<RerunFacts, 'failedStep'>,
  what: string,
  failure: Failure | undefined,
): string {
  const why = failure === undefined ? '' : ` (${failure.kind}): ${failure.message}`;
  return `Step \`${failedStep}\` ${what}${why}${/[.!?]$/.test(why) ? '' : '.'}`;
}

/** Why the run ended. */
function endFailureOf({ state, failedStep }: RerunFacts): Failure | undefined {
  const step = failedStep === undefined ? undefined : state.steps.get(failedStep);
  return state.runEnded?.failure ?? step?.failure ?? step?.attempts.at(-1)?.failure;
}

/** The parallel branch that could not be merged. Its steps run again. */
function conflictingBranch({
  state,
  failedStep,
}: Pick<RerunFacts, 'state' | 'failedStep'>): string | undefined {
  return failedStep === undefined ? undefined : state.steps.get(failedStep)?.conflict?.branches.later;
}

/** What a re-run does with the step: `resumes the session of step ...`. Needs a stored checkpoint. */
export function rerunStepText(facts: Pick<RerunFacts, 'state' | 'failedStep'>): string {
  const { state, failedStep } = facts;
  if (failedStep === undefined) return 'runs the remaining steps';
  const branch = conflictingBranch(facts);
  if (branch !== undefined) return `continues parallel branch \`${branch}\``;
  const last = state.steps.get(failedStep)?.attempts.at(-1);
  if (last === undefined) return `runs step \`${failedStep}\``;
  // Without a mark the session is not in the checkpoint.
  const isLost = last.failure?.kind === 'context' || last.failure?.kind === 'session-lost';
  if (last.mark === undefined || isLost) return `runs step \`${failedStep}\` again`;
  return `resumes the session of step \`${failedStep}\``;
}

/** Milliseconds since 1970: GitHub's limit, or the expiry of the cache entry if that is earlier. */
function rerunDeadline({ state, isInCache, now }: RerunFacts): number {
  const first = state.jobs[0]?.at ?? now;
  const rerun = first + rerunDays * day;
  return isInCache ? Math.min(rerun, now + cacheDays * day) : rerun;
}
