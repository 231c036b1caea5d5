/** Reading the share of covered code out of what a coverage tool printed. Pure. */
import { stripVTControlCharacters } from 'node:util';

/**
 * The most telling first; of several matches of one the last counts. Statements are meant where a tool
 * tells several shares apart, as Go does.
 */
const shares: readonly RegExp[] = [
  // go tool cover: `total: (statements) 85.7%`; pytest-cov: `TOTAL 120 10 92%`.
  /^.*\btotal\b.*?(\d+(?:\.\d+)?) ?%[^%\n]*$/gim,
  // go test: `coverage: 85.7% of statements`; SimpleCov: `Line Coverage: 85.71% (6 / 7)`.
  /\bcoverage: *(\d+(?:\.\d+)?) ?%/gi,
  // jest, vitest, c8, nyc: the row `All files | 85.71 | …`, whose numbers have no percent sign.
  /^\W*All files *\| *(\d+(?:\.\d+)?) *\|/gm,
  // cargo tarpaulin: `85.71% coverage, 6/7 lines covered`, after shares of single files.
  /(\d+(?:\.\d+)?) ?% coverage\b/gi,
  // PHPUnit: the summary's row `Lines: 85.71% (6/7)`.
  /^\s*Lines: +(\d+(?:\.\d+)?) ?%/gm,
];

/** Percent of code covered, 0 to 100; absent where the output has no share of anything. */
export function readCoverage(output: string): number | undefined {
  const text = stripVTControlCharacters(output);
  for (const pattern of shares) {
    const last = [...text.matchAll(pattern)].at(-1)?.[1];
    if (last !== undefined) return Number(last);
  }
  const first = /(\d+(?:\.\d+)?) ?%/.exec(text)?.[1];
  return first === undefined ? undefined : Number(first);
}
