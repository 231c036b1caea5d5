/** The problems of one file in the form in which they are reported. */
import { type Diagnostic, problem } from './diagnostic.js';

const maxShown = 100;

/**
 * In the order of the file, without duplicates: a YAML alias repeats the problems of its anchor at the same place.
 * At most 100, then one that gives the number of the others.
 */
export function sortAndLimit(problems: readonly Diagnostic[]): readonly Diagnostic[] {
  const unique = new Map(problems.map((one) => [`${one.start} ${one.code} ${one.message}`, one]));
  const sorted = [...unique.values()].sort((a, b) => a.start - b.start || a.end - b.end);
  const next = sorted[maxShown];
  if (next === undefined) return sorted;
  const message = `There are ${sorted.length - maxShown} more problems from here on, which are not shown. Fix the problems above first.`;
  return [...sorted.slice(0, maxShown), problem('too-many', next, message)];
}
