/** What a round did, in sentences for the log and the summary. Pure. */
import { formatInstant } from '../report/resume-mark.js';
import type { LeaveReason, RerunRules } from './decide-rerun.js';
import { leaveText, reasonTexts } from './leave-texts.js';
import {
  mostReruns,
  mostUnreadable,
  type RoundOutcome,
  type RoundResult,
  type RoundRun,
  type RoundStop,
} from './resume-round.js';
import type { WorkflowRun } from './run-source.js';

/** Runs of these reasons are only counted: most of them have nothing to do with gump-action. */
const countedReasons: Readonly<Partial<Record<LeaveReason, string>>> = {
  own: 'failed for a reason of its own',
  person: 'cancelled by somebody',
  replaced: 'cancelled for a newer run',
  cancelled: 'cancelled, and GitHub does not say why',
  fork: 'of a pull request from a fork',
  'in-progress': 'in progress',
};

export function isCounted({ decision }: RoundRun): boolean {
  return decision?.kind === 'leave' && countedReasons[decision.why] !== undefined;
}

/** `cancelled by somebody (3)`, one for each reason. */
export function countTexts({ runs }: RoundResult): readonly string[] {
  return Object.entries(countedReasons).flatMap(([why, text]) => {
    const count = runs.filter(({ decision }) => decision?.kind === 'leave' && decision.why === why).length;
    return count === 0 ? [] : [`${text} (${count})`];
  });
}

/** What happened to a run, and why. Both without a full stop at the end. */
export interface RunTexts {
  readonly result: string;
  readonly why: string;
}

export function runTexts({ decision, problem = '', outcome }: RoundRun, rules: RerunRules): RunTexts {
  if (decision === undefined) return { result: 'not read', why: problem };
  if (decision.kind === 'leave') return { result: 'left alone', why: leaveText(decision, rules) };
  const time = formatInstant(decision.at);
  const reason = reasonTexts[decision.reason];
  if (outcome === undefined) return { result: `waits until ${time}`, why: reason };
  const problemOfRerun = 'message' in outcome ? `. ${outcome.message}` : '';
  return { result: outcomeTexts[outcome.kind], why: `${reason}, due since ${time}${problemOfRerun}` };
}

const outcomeTexts: Readonly<Record<RoundOutcome['kind'], string>> = {
  rerun: 're-run',
  'dry-run': 'would be re-run',
  changed: 'left alone: it is in progress again',
  running: 'left alone: it is in progress again',
  postponed: 'left to the next round',
  refused: 'refused by GitHub',
  unknown: 'no answer, left to the next round',
};

/** The runs that this round re-ran. */
export function rerunIds({ runs }: RoundResult): readonly number[] {
  return runs.filter(({ outcome }) => outcome?.kind === 'rerun').map(({ run }) => run.id);
}

/** The earliest time for which a run waits, as RFC 3339. */
export function nextTime({ runs }: RoundResult): string | undefined {
  const times = runs.flatMap(({ decision }) => (decision?.kind === 'wait' ? [decision.at] : []));
  return times.length === 0 ? undefined : formatInstant(Math.min(...times));
}

/** `2 runs re-run, 1 waits`. */
export function roundTitle(result: RoundResult, isDryRun: boolean): string {
  const count = (text: string, isIn: (run: RoundRun) => boolean) => {
    const found = result.runs.filter(isIn).length;
    return found === 0 ? [] : [`${found} ${text}`];
  };
  const parts = [
    ...count(isDryRun ? 'due (dry run)' : 're-run', ({ outcome }) =>
      isDryRun ? outcome?.kind === 'dry-run' : outcome?.kind === 'rerun',
    ),
    ...count('waiting', ({ decision }) => decision?.kind === 'wait'),
    ...count('left to the next round', ({ outcome }) => outcome?.kind === 'postponed'),
  ];
  return parts.length === 0 ? 'nothing to re-run' : parts.join(', ');
}

/** What the round did not do, as warnings. */
export function roundWarnings(result: RoundResult): readonly string[] {
  const { runs, unread, stop } = result;
  const postponed = runs.filter(({ outcome }) => outcome?.kind === 'postponed').length;
  const unreadable = runs.filter(({ problem }) => problem !== undefined).length;
  return [
    ...(stop?.stoppedBy === 'limited' ? [limitText(stop, unread, postponed)] : []),
    ...(stop?.stoppedBy === 'errors' ? [errorsText(stop, unread)] : []),
    ...(stop === undefined && postponed > 0
      ? [`Due runs left to the next round: ${postponed}. A round re-runs at most ${mostReruns} runs.`]
      : []),
    ...(unreadable > 0 && stop?.stoppedBy !== 'errors'
      ? [`Some runs could not be read (${unreadable} in the summary). The next round tries again.`]
      : []),
    ...runs.flatMap(({ run, outcome }) => (outcome?.kind === 'refused' ? [refusedText(run)] : [])),
  ];
}

function limitText({ message }: RoundStop, unread: number, postponed: number): string {
  return (
    `The rate limit of GitHub ended this round (${message}). Failed and cancelled runs that were not read: ${unread}; ` +
    `due runs that were not re-run: ${postponed}. The next round tries again. ` +
    'Name your workflows in the input `workflows`, so that a round needs fewer requests.'
  );
}

function errorsText({ message }: RoundStop, unread: number): string {
  return (
    `${mostUnreadable} runs in a row could not be read, so this round ended (${message}). ` +
    `Failed and cancelled runs that were not read: ${unread}. The next round tries again.`
  );
}

function refusedText({ id, name, number }: WorkflowRun): string {
  return `GitHub refuses to re-run ${name} #${number} (run ${id}; see the summary). Re-run it yourself.`;
}

/** The error for a token that may not do what the action needs. */
export function permissionText({ message }: RoundStop): string {
  return (
    `The token may not read or re-run workflow runs. ${message}. ` +
    'Add these lines to the job that uses gump-action/resume:\npermissions:\n  actions: write\n  checks: read'
  );
}
