/** The faults of one file as they are told. */
import { type Diagnostic, fault } from './diagnostic.js';

const mostShown = 100;

/** In the order of the file, each once: what an alias repeats is the same fault at the same place. At most 100, and one more that says so. */
export function presented(faults: readonly Diagnostic[]): readonly Diagnostic[] {
  const unique = new Map(faults.map((one) => [`${one.start} ${one.code} ${one.message}`, one]));
  const sorted = [...unique.values()].sort((a, b) => a.start - b.start || a.end - b.end);
  const next = sorted[mostShown];
  if (next === undefined) return sorted;
  const message = `There are ${sorted.length - mostShown} more faults from here on, which are not shown.`;
  return [...sorted.slice(0, mostShown), fault('too-many', next, message)];
}
