/**
 * One round: lists the runs that failed or were cancelled, decides about each, and re-runs those that are due. A run that
 * cannot be read does not stop the others. A missing permission or a rate limit does.
 */
import { defined } from '../optional-keys.js';
import type { Clock } from '../system/clock.js';
import { affectsAllRuns, type JudgedRun, type JudgeOptions, judgeRun } from './judge-run.js';
import { listRuns } from './list-runs.js';
import { type RerunOutcome, rerunOnce } from './rerun-once.js';
import { type RunSource, SourceError, type WorkflowRun } from './run-source.js';

export interface RoundOptions extends JudgeOptions {
  readonly clock: Clock;
  /** The workflow file that runs this action. */
  readonly ownPath: string;
}

/** `postponed`: the next round re-runs it. */
export type RoundOutcome = RerunOutcome | { readonly kind: 'postponed' | 'dry-run' };

/** `outcome` is present if the run is due. */
export interface RoundRun extends JudgedRun {
  readonly outcome?: RoundOutcome;
}

/** `errors`: too many runs in a row could not be read. `message`: the text of GitHub. */
export interface RoundStop {
  readonly stoppedBy: 'permission' | 'limited' | 'errors';
  readonly message: string;
}

export interface RoundResult {
  /** In the order in which they were read. */
  readonly runs: readonly RoundRun[];
  /** The number of runs that were listed and not read. */
  readonly unread: number;
  /** Why the round ended early. */
  readonly stop?: RoundStop;
}

/** Not more start at once: those that waited for one usage limit would soon reach it again. */
export const mostReruns = 20;

/** After this many runs in a row that could not be read, GitHub has a problem. Each takes some seconds. */
export const mostUnreadable = 5;

/** The requests that are left to the other jobs of the repository, and to the re-runs of this round. */
export const reservedRequests = 100;

/**
 * Throws `UserErrors` if the input `workflows` names an unknown workflow, and a `SourceError` if GitHub does not answer
 * the list of runs.
 */
export async function resumeRuns(options: RoundOptions): Promise<RoundResult> {
  const { source, inputs, ownPath, clock } = options;
  const listed = await orStop(() => listRuns(source, inputs, ownPath, clock.now()));
  if ('stoppedBy' in listed) return { runs: [], unread: 0, stop: listed };
  const { judged, stop: reading } = await judgeRuns(options, listed);
  const unread = listed.length - judged.length;
  if (reading?.stoppedBy === 'permission') return { runs: judged, unread, stop: reading };
  const { runs, stop = reading } = await rerunDue(options, judged);
  return { runs, unread, ...defined({ stop }) };
}

async function judgeRuns(
  options: RoundOptions,
  listed: readonly WorkflowRun[],
): Promise<{ readonly judged: readonly JudgedRun[]; readonly stop?: RoundStop }> {
  const judged: JudgedRun[] = [];
  for (const run of listed) {
    const found = await orStop(async () => {
      leaveReserve(options.source);
      return judgeRun(options, run, options.clock.now());
    });
    if ('stoppedBy' in found) return { judged, stop: found };
    judged.push(found);
    const latest = judged.slice(-mostUnreadable).flatMap(({ problem }) => problem ?? []);
    if (latest.length === mostUnreadable)
      return { judged, stop: { stoppedBy: 'errors', message: latest.at(-1) ?? '' } };
  }
  return { judged };
}

/** A problem that affects all runs as a value. */
async function orStop<T>(work: () => Promise<T>): Promise<T | RoundStop> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof SourceError) || !affectsAllRuns(error)) throw error;
    return {
      stoppedBy: error.problem === 'permission' ? 'permission' : 'limited',
      message: error.message,
    };
  }
}

function leaveReserve(source: RunSource): void {
  const left = source.requestsLeft();
  if (left !== undefined && left < reservedRequests)
    throw new SourceError(
      'limited',
      `the rate limit of this token allows only ${left} more requests for now`,
    );
}

/** The runs that have been due for the longest time first. */
async function rerunDue(
  options: RoundOptions,
  judged: readonly JudgedRun[],
): Promise<{ readonly runs: readonly RoundRun[]; readonly stop?: RoundStop }> {
  const outcomes = new Map<number, RoundOutcome>();
  let stop: RoundStop | undefined;
  for (const run of dueRuns(judged)) {
    const mayAsk = stop === undefined && outcomes.size < mostReruns;
    const found = mayAsk ? await orStop(() => rerun(options, run)) : postponed;
    if ('stoppedBy' in found) stop = found;
    outcomes.set(run.id, 'stoppedBy' in found ? postponed : found);
  }
  const runs = judged.map((one) => ({ ...one, ...defined({ outcome: outcomes.get(one.run.id) }) }));
  return { runs, ...defined({ stop }) };
}

const postponed = { kind: 'postponed' } as const;

function dueRuns(judged: readonly JudgedRun[]): readonly WorkflowRun[] {
  const due = judged.flatMap(({ run, decision }) =>
    decision?.kind === 'due' ? [{ run, at: decision.at }] : [],
  );
  return due.sort((one, other) => one.at - other.at).map(({ run }) => run);
}

async function rerun({ source, clock, inputs }: RoundOptions, run: WorkflowRun): Promise<RoundOutcome> {
  if (inputs.dryRun) return { kind: 'dry-run' };
  try {
    return await rerunOnce(source, run, clock);
  } catch (error) {
    if (!(error instanceof SourceError) || affectsAllRuns(error)) throw error;
    return { kind: 'unknown', message: error.message };
  }
}
