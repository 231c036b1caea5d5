/** The values of `{previous.…}` and `{pr.diff_since_previous}`. Only what the templates name is read. */
import { type Failure, UserError } from '../failure.js';
import { diffSincePrevious, isPreviousName } from '../workflow/previous-names.js';
import type { EarlierRun, EarlierStep, PreviousRuns } from './previous-run.js';

export interface EarlierNames {
  /** The name without `previous.`, or `pr.diff_since_previous` → its value. Empty without an earlier run. */
  readonly values: ReadonlyMap<string, string>;
  /** A value could not be read. */
  readonly obstacle?: Failure;
}

export async function readEarlierNames(
  previous: PreviousRuns | undefined,
  wanted: readonly string[],
): Promise<EarlierNames> {
  const names = wanted.filter(isPreviousName);
  if (previous?.run === undefined || names.length === 0) return { values: new Map() };
  const values = new Map(fieldsOfRun(previous.run));
  if (names.includes('previous.range')) values.set('range', await rangeOf(previous, previous.run));
  if (!names.includes(diffSincePrevious)) return { values };
  const diff = await previous.readDiff().catch(toObstacle);
  if (typeof diff !== 'string') return { values, obstacle: diff };
  return { values: values.set(diffSincePrevious, diff) };
}

function fieldsOfRun({ commit, steps }: EarlierRun): readonly (readonly [string, string])[] {
  return [['commit', commit], ...[...steps.values()].flatMap(fieldsOfStep)];
}

function fieldsOfStep({ path, result, comments, diff }: EarlierStep): readonly (readonly [string, string])[] {
  return Object.entries({ result, comments, diff }).flatMap(([field, value]) =>
    value === undefined ? [] : [[`${path}.${field}`, value] as const],
  );
}

/** After a force-push, the commits since the merge base are what is new. */
async function rangeOf(previous: PreviousRuns, { commit }: EarlierRun): Promise<string> {
  const { relation, base } = await previous.compareCommits();
  return `${relation === 'rewritten' ? base : commit}..HEAD`;
}

function toObstacle(error: unknown): Failure {
  if (!(error instanceof UserError)) throw error;
  return { kind: 'crash', message: error.message, isFinal: true };
}
