/** The gate `tests_found`: whether the project has tests, whether they pass or fail. Pure. */
import { stripVTControlCharacters } from 'node:util';
import {
  buildFailurePatterns,
  failedFileCounts,
  noTestsPatterns,
  type TestCount,
  testCounts,
  testResultPatterns,
} from './test-summaries.js';

/**
 * `found`: a runner reported tests, or test files that it could not load; `none`: it reported that there are no
 * tests; `broken`: the tests could not be built; `unknown`: the output format is unknown, and the caller looks at
 * file names (`test-files.ts`).
 *
 * The exit code does not help: failing tests are allowed, and then mocha ends with their number, cargo with 101 and
 * make with 2. If there are several runners (workspaces), one that finds tests is enough.
 */
export type TestsVerdict = 'found' | 'none' | 'broken' | 'unknown';

/** Reads the output of a test command. */
export function judgeTests(output: string): TestsVerdict {
  const text = stripVTControlCharacters(output);
  const numbers = testCounts.flatMap((count) => readCounts(count, text));
  const isFound = numbers.some((count) => count > 0) || matchesAny(testResultPatterns, text);
  if (isFound || hasUnloadedFiles(text)) return 'found';
  if (matchesAny(buildFailurePatterns, text)) return 'broken';
  return numbers.length > 0 || matchesAny(noTestsPatterns, text) ? 'none' : 'unknown';
}

/** Reads the output of `go test -list . ./...`: one test name per line, then a line for each package. */
export function judgeTestList(output: string): TestsVerdict {
  const text = stripVTControlCharacters(output);
  if (/^(?:Test|Fuzz|Example)\w*$/m.test(text)) return 'found';
  return matchesAny(buildFailurePatterns, text) ? 'broken' : 'none';
}

/** The numbers that one form reports, without entries that are no tests. */
function readCounts({ pattern, notTests, unless }: TestCount, text: string): readonly number[] {
  if (unless?.test(text)) return [];
  const counts = [...text.matchAll(pattern)].map((match) =>
    Math.max(...match.slice(1).flatMap((group) => (group === undefined ? [] : Number(group)))),
  );
  if (notTests === undefined || counts.length === 0) return counts;
  return [sum(counts) - [...text.matchAll(notTests)].length];
}

/** Files that failed for another reason than that they have no tests. */
function hasUnloadedFiles(text: string): boolean {
  return failedFileCounts.some(({ failed, empty }) => {
    const count = sum([...text.matchAll(failed)].map(([, number]) => Number(number)));
    return count > (empty === undefined ? 0 : [...text.matchAll(empty)].length);
  });
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((all, one) => all + one, 0);
}

function matchesAny(patterns: readonly RegExp[], text: string): boolean {
  return patterns.some((pattern) => pattern.test(text));
}
