/** The gate `tests_found`: whether the project has tests at all, red or green. Pure. */
import { stripVTControlCharacters } from 'node:util';
import {
  buildFailurePatterns,
  noTestsPatterns,
  testCountPatterns,
  testResultPatterns,
} from './test-summaries.js';

/**
 * `found`: a runner named tests, or test files that it could not load; `none`: it said that there are none;
 * `broken`: they could not be built, so nobody knows; `unknown`: not a runner whose words we know, and the
 * caller goes by the names of files (`test-files.ts`).
 *
 * The exit code is no help: red tests are what this gate is for, and mocha ends with their number, cargo
 * with 101, make with 2. Of several runners (workspaces) one that found tests is enough.
 */
export type TestsVerdict = 'found' | 'none' | 'broken' | 'unknown';

/** Reads what a test command printed. */
export function judgeTests(output: string): TestsVerdict {
  const text = stripVTControlCharacters(output);
  const numbers = testCountPatterns.flatMap((pattern) =>
    [...text.matchAll(pattern)].map((match) => Number(match.slice(1).find(Boolean))),
  );
  if (numbers.some((count) => count > 0) || matchesAny(testResultPatterns, text)) return 'found';
  if (matchesAny(buildFailurePatterns, text)) return 'broken';
  return numbers.length > 0 || matchesAny(noTestsPatterns, text) ? 'none' : 'unknown';
}

/** Reads what `go test -list . ./...` printed: one name a line, then a line for each package. */
export function judgeTestList(output: string): TestsVerdict {
  const text = stripVTControlCharacters(output);
  if (/^(?:Test|Fuzz|Example)\w*$/m.test(text)) return 'found';
  return matchesAny(buildFailurePatterns, text) ? 'broken' : 'none';
}

function matchesAny(patterns: readonly RegExp[], text: string): boolean {
  return patterns.some((pattern) => pattern.test(text));
}
