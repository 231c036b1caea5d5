/**
 * A mark that every program inherits and that it cannot remove: a limit on file locks. Linux ignores this limit since
 * version 2.6 (getrlimit(2), RLIMIT_LOCKS), so the mark has no other effect. Only a program with CAP_SYS_RESOURCE can
 * raise a limit; others can only lower it further. Programs that this action did not start do not have it.
 */
import { randomInt } from 'node:crypto';
import { readLockLimit } from './process-table.js';

/** The marks of one run: `base` and the numbers above it. */
export interface LimitRange {
  readonly base: number;
  readonly count: number;
}

/** Marks of all runs on a machine are between these two. A lower limit was set by somebody else, or lowered. */
const lowestMark = 2 ** 39;
const highestMark = 2 ** 41;
const count = 2 ** 16;

/** A random range for this run. `undefined` on other systems, and if the limit of this process is too low already. */
export function openLimitRange(): LimitRange | undefined {
  const own = readLockLimit('self');
  const top = Math.floor(Math.min(own ?? 0, highestMark) / count) - 1;
  const bottom = lowestMark / count;
  return top - bottom < 2 ** 16 ? undefined : { base: randomInt(bottom, top) * count, count };
}

export function isInRange(limit: number, range: LimitRange): boolean {
  return limit >= range.base && limit < range.base + range.count;
}

/** Whether a program with a mark may have lowered its limit to this value to hide. */
export function isLoweredLimit(limit: number): boolean {
  return limit < lowestMark;
}

/** A command line that sets the limit and then becomes the given program. */
export function withLimit(
  limit: number,
  file: string,
  args: readonly string[],
): { readonly file: string; readonly args: readonly string[] } {
  // dash and BusyBox call the limit `-w`, bash calls it `-x`.
  const script = 'ulimit -w "$1" 2>/dev/null || ulimit -x "$1" 2>/dev/null; shift; exec "$@"';
  return { file: '/bin/sh', args: ['-c', script, 'sh', String(limit), file, ...args] };
}
