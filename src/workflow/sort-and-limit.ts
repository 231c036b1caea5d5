/** The faults of one file as they are told. */
import { type Diagnostic, problem } from './diagnostic.js';

const maxShown = 100;

/** In the order of the file, each once: what an alias repeats is the same fault at the same place. At most 100, and one more that says so. */
export function sortAndLimit(problems: readonly Diagnostic[]): readonly Diagnostic[] {
  const unique = new Map(problems.map((one) => [`${one.start} ${one.code} ${one.message}`, one]));
  const sorted = [...unique.values()].sort((a, b) => a.start - b.start || a.end - b.end);
  const next = sorted[maxShown];
  if (next === undefined) return sorted;
  const message = `There are ${sorted.length - maxShown} more faults from here on, which are not shown.`;
  return [...sorted.slice(0, maxShown), problem('too-many', next, message)];
}
