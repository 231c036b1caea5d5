/**
 * How the log shows a line that an agent or a gate wrote. Pure.
 *
 * A problem matcher is a list of patterns with which the runner turns lines of any step into annotations
 * (actions/runner, `OutputManager`). setup-node, setup-go, setup-python and others add some for the rest of the job, so
 * an agent could create errors in files of its choice. `::stop-commands::` does not stop them.
 *
 * - Most patterns begin with `^`, often with optional blanks, and then the name of a file or a word: the mark, after a
 *   blank, defeats them (eslint-stylish, tsc, python, java).
 * - The others find a place with a line number anywhere (go, gcc, csc, eslint-compact). An invisible character that
 *   joins words (U+2060) after the colon of the place defeats them. The log looks the same.
 */

import { stripAnsi } from '../system/strip-ansi.js';

/** The blank defeats patterns that begin with a character that is no blank, and the mark those that allow blanks. */
export const foreignMark = ' │ ';

const wordJoiner = '\u2060';

/** The colons that the patterns expect after the name of a file, a line number or a place in brackets. */
const placeColons =
  /:(?=\d+(?::\d+)?:\s)|(?<=\.go):(?=\s)|(?<=\(\d{1,9}(?:,\d{1,9}){0,3}\)\s?):|:(?=\sline\s\d)/g;

/** A line with the mark, in which no problem matcher in common use finds anything. */
export function foreignLine(line: string): string {
  return foreignMark + withoutMatches(line);
}

/** The same text, in which no problem matcher that ignores the start of a line finds anything. */
export function withoutMatches(line: string): string {
  // The runner may remove colours before it matches: a line that would match then loses them.
  const plain = stripAnsi(line);
  const defused = plain.replace(placeColons, `:${wordJoiner}`);
  return defused === plain ? line : defused;
}
