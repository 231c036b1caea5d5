/** Reads the percentage of covered code from the output of a coverage tool. Pure. */
import { stripVTControlCharacters } from 'node:util';

/**
 * In order of reliability: the first pattern that matches counts, and of its matches the last one. If a tool
 * reports several percentages, as Go does, the one for statements is read.
 */
const percentagePatterns: readonly RegExp[] = [
  // go tool cover: `total: (statements) 85.7%`; pytest-cov: `TOTAL 120 10 92%`.
  /^.*\btotal\b.*?(\d+(?:\.\d+)?) ?%[^%\n]*$/gim,
  // go test: `coverage: 85.7% of statements`; SimpleCov: `Line Coverage: 85.71% (6 / 7)`.
  /\bcoverage: *(\d+(?:\.\d+)?) ?%/gi,
  // jest, vitest, c8, nyc: the row `All files | 85.71 | …`, whose numbers have no percent sign.
  /^\W*All files *\| *(\d+(?:\.\d+)?) *\|/gm,
  // cargo tarpaulin: `85.71% coverage, 6/7 lines covered`, after the percentages of single files.
  /(\d+(?:\.\d+)?) ?% coverage\b/gi,
  // PHPUnit: the summary's row `Lines: 85.71% (6/7)`.
  /^\s*Lines: +(\d+(?:\.\d+)?) ?%/gm,
];

/** Percent of code covered, 0 to 100; `undefined` if the output contains no percentage. */
export function readCoverage(output: string): number | undefined {
  const text = stripVTControlCharacters(output);
  for (const pattern of percentagePatterns) {
    const last = [...text.matchAll(pattern)].at(-1)?.[1];
    if (last !== undefined) return Number(last);
  }
  const first = /(\d+(?:\.\d+)?) ?%/.exec(text)?.[1];
  return first === undefined ? undefined : Number(first);
}
