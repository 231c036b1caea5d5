/**
 * Reads the share of covered code from what a coverage tool prints. Only report lines of known tools count: any other
 * percentage (a progress bar, a download, a failure rate) says nothing about coverage. Pure.
 */
import { stripVTControlCharacters } from 'node:util';

/** Each tool has its forms in order of reliability. The first form that is in the output counts. */
const tools: readonly (readonly CoverageForm[])[] = [
  // jest, vitest, c8, nyc (Istanbul), node:test, Bun
  [readTable, matching(/^\W*Statements *: *(\d+(?:\.\d+)?)% \( *\d+\/\d+ *\)/gm)],
  // pytest-cov, coverage.py: `TOTAL  50  4  92%`, with branches two columns more
  [matching(/^TOTAL(?:[ \t]+\d+){2,4}[ \t]+(\d+(?:\.\d+)?)%[ \t]*$/gm)],
  // go tool cover -func: the total; go test: one line for each package
  [
    matching(/^total:[ \t]+\(statements\)[ \t]+(\d+(?:\.\d+)?)%[ \t]*$/gm),
    matching(/^(?:ok[ \t]+\S+[ \t]+\S+|[ \t]+\S+)?[ \t]*coverage: (\d+(?:\.\d+)?)% of statements\b/gm),
  ],
  // cargo tarpaulin
  [matching(/^(\d+(?:\.\d+)?)% coverage, \d+\/\d+ lines covered/gm)],
  // cargo llvm-cov: regions, functions, lines
  [
    matching(
      /^TOTAL(?:[ \t]+\d+[ \t]+\d+[ \t]+(?:\d+\.\d+%|-)){2}[ \t]+\d+[ \t]+\d+[ \t]+(\d+(?:\.\d+)?)%/gm,
    ),
  ],
  // JaCoCo: its check, and the last row of its table in HTML
  [
    (text) => matching(/\blines covered ratio is (\d+(?:\.\d+)?),/g)(text).map((ratio) => toPercent(ratio)),
    matching(/<td>Total<\/td><td class="bar">[^<]*<\/td><td class="ctr2">(\d+) ?%<\/td>/g),
  ],
  // SimpleCov, and its form before 0.22
  [
    matching(/^Line Coverage: (\d+(?:\.\d+)?)% \(\d+ \/ \d+\)/gm),
    matching(/^Coverage report generated for .* \d+ \/ \d+ LOC \((\d+(?:\.\d+)?)%\) covered/gm),
  ],
  // PHPUnit: the summary. Classes have their methods and lines on one line.
  [matching(/^[ \t]*Lines:[ \t]+(\d+(?:\.\d+)?)% \( *\d+\/ *\d+\)[ \t]*$/gm)],
];

/** The percentages that one form of a report contains. */
type CoverageForm = (text: string) => readonly number[];

function matching(pattern: RegExp): CoverageForm {
  return (text) => [...text.matchAll(pattern)].map(([, share]) => Number(share));
}

function toPercent(ratio: number): number {
  return Math.round(ratio * 10_000) / 100;
}

/** The row for all files in a table whose columns have names. The numbers have no percent sign. */
function readTable(text: string): readonly number[] {
  let column = 1;
  const shares: number[] = [];
  for (const line of text.split('\n')) {
    const cells = line
      .replace(/^[#ℹ|\s]+/, '')
      .split('|')
      .map((cell) => cell.trim());
    if (/^File$/i.test(cells[0] ?? '')) column = columnOf(cells);
    const share = cells[column] ?? '';
    if (/^All files$/i.test(cells[0] ?? '') && /^\d+(?:\.\d+)?$/.test(share)) shares.push(Number(share));
  }
  return shares;
}

/** Statements if the tool counts them, otherwise lines: the first column of Bun and of Deno is another share. */
function columnOf(names: readonly string[]): number {
  const found = [/stmts/i, /^(?:%? ?lines?|lines? ?%)$/i].map((name) =>
    names.findIndex((one) => name.test(one)),
  );
  return found.find((index) => index > 0) ?? 1;
}

/**
 * Percent of code covered, 0 to 100; `undefined` if the output contains no known report line. If there are several
 * reports, such as one for each package, the lowest counts: the gate is about all the code.
 */
export function readCoverage(output: string): number | undefined {
  const text = stripVTControlCharacters(output).replaceAll('\r\n', '\n');
  const shares = tools.flatMap((forms) => {
    for (const form of forms) {
      const found = form(text).filter((share) => share <= 100);
      if (found.length > 0) return found;
    }
    return [];
  });
  return shares.length === 0 ? undefined : Math.min(...shares);
}
