/**
 * Whether the latest job attempts of a run made progress, from the marks that gump-action left in their jobs. Pure.
 *
 * A mark describes what the run had achieved at the end of a job attempt. Two job attempts in a row without progress
 * leave the mark of the job attempt before them: three equal marks.
 */
import type { ResumeMark } from '../report/resume-mark.js';

/** The marks of one job attempt by the names of the jobs. A job without a mark is absent. */
export type AttemptMarks = ReadonlyMap<string, ResumeMark>;

/** The marks of two job attempts without progress, and of the one before. */
const neededMarks = 3;
/** More than this are not read, however often people re-ran the run before its time. */
const mostAttempts = 8;

/**
 * `attempts`: the latest first. A run made progress if one of its jobs did. A job without enough marks says nothing, for
 * example because its machine was lost.
 */
export function lacksProgress(attempts: readonly AttemptMarks[]): boolean {
  const changes = jobsOf(attempts).map((name) => hasChanged(marksOf(name, attempts)));
  return changes.includes(false) && !changes.includes(true);
}

/** Whether a job attempt before these can change the answer of `lacksProgress`. */
export function needsEarlierAttempt(attempts: readonly AttemptMarks[]): boolean {
  if (attempts.length >= mostAttempts) return false;
  return jobsOf(attempts).some((name) => marksOf(name, attempts).length < neededMarks);
}

function jobsOf(attempts: readonly AttemptMarks[]): readonly string[] {
  return [...(attempts[0]?.keys() ?? [])];
}

/** `undefined`: unknown. */
function hasChanged(marks: readonly (ResumeMark | undefined)[]): boolean | undefined {
  const [latest, between, first] = marks;
  if (latest === undefined || first === undefined) return undefined;
  return [between ?? latest, first].some(({ progress }) => progress !== latest.progress);
}

/**
 * The latest first. A job attempt that was started before the time of a usage limit ends at once with the same time. It
 * had no chance, so it does not count.
 */
function marksOf(name: string, attempts: readonly AttemptMarks[]): readonly (ResumeMark | undefined)[] {
  const marks = attempts.map((attempt) => attempt.get(name));
  return marks.filter((mark, index) => !isSameWait(mark, marks[index + 1])).slice(0, neededMarks);
}

function isSameWait(mark: ResumeMark | undefined, before: ResumeMark | undefined): boolean {
  return mark?.reason === 'limit' && before?.reason === 'limit' && mark.at === before.at;
}
