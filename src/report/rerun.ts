/** What "Re-run failed jobs" will do, and until when it can: said in the error, the log and the summary. */
import type { RunState } from '../journal/run-state.js';
import { formatDay } from './format.js';

const day = 24 * 60 * 60 * 1000;

/** GitHub allows a re-run for 30 days after the run's first start. */
const rerunDays = 30;

/** The Actions cache drops what nobody used for 7 days. */
const cacheDays = 7;

export interface RerunFacts {
  readonly state: RunState;
  readonly persisted: boolean;
  /** The state lies in the Actions cache, not in a directory. */
  readonly isInCache: boolean;
  readonly now: number;
  readonly failedStep?: string;
}

/** One sentence or two. */
export function rerunNote(facts: RerunFacts): string {
  if (!facts.persisted)
    return 'The last state is not stored: a re-run goes on from the newest checkpoint that is, or starts afresh.';
  const passed = [...facts.state.steps.values()].filter((step) => step.status === 'passed').length;
  const reusedText =
    passed === 0 ? '' : `takes over ${passed === 1 ? 'the step' : `the ${passed} steps`} that passed and `;
  return `"Re-run failed jobs" before ${formatDay(rerunDeadline(facts))} ${reusedText}${rerunStepText(facts)}.`;
}

function rerunStepText({ state, failedStep }: RerunFacts): string {
  if (failedStep === undefined) return 'runs what is left';
  const last = state.steps.get(failedStep)?.attempts.at(-1);
  if (last === undefined) return `runs step \`${failedStep}\``;
  // Without a mark the conversation is not in the checkpoint.
  const isLost = last.failure?.kind === 'context' || last.failure?.kind === 'session-lost';
  if (last.mark === undefined || isLost) return `runs step \`${failedStep}\` again`;
  return `goes on with step \`${failedStep}\` in the same conversation`;
}

/** Milliseconds since 1970: the earlier of GitHub's limit and, in the cache, of the entry's life. */
export function rerunDeadline({ state, isInCache, now }: RerunFacts): number {
  const first = state.jobs[0]?.at ?? now;
  const rerun = first + rerunDays * day;
  return isInCache ? Math.min(rerun, now + cacheDays * day) : rerun;
}
