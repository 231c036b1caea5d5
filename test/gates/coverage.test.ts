import { describe, expect, it } from 'vitest';
import { readCoverage } from '../../src/gates/coverage.js';

describe('readCoverage', () => {
  it.each([
    [
      'go tool cover, after the packages',
      'ok  \texample.com/a\t0.01s\tcoverage: 50.0% of statements\na/a.go:3:\tAdd\t100.0%\ntotal:\t(statements)\t85.7%\n',
      85.7,
    ],
    [
      'go test',
      'ok  \ta\t0.1s\tcoverage: 10.0% of statements\nok  \tb\t0.1s\tcoverage: 62.5% of statements\n',
      62.5,
    ],
    [
      'pytest-cov',
      'Name    Stmts   Miss  Cover\na.py       10      0   100%\nTOTAL      50      4    92%\n== 3 passed in 0.1s ==\n',
      92,
    ],
    ['pytest-cov with branches', 'TOTAL    50   4   10   2   89.5%\n', 89.5],
    [
      'jest',
      'File      | % Stmts | % Branch | % Funcs | % Lines |\nAll files |   85.71 |      100 |      50 |   85.71 |\n a.js     |     100 |      100 |     100 |     100 |\n',
      85.71,
    ],
    ['vitest in colour', '\u001b[33;1mAll files\u001b[0m |\u001b[33;1m   71.4\u001b[0m | 100 |\n', 71.4],
    [
      'istanbul, summary',
      'Statements   : 91.3% ( 21/23 )\nBranches     : 50% ( 1/2 )\nLines        : 90% ( 18/20 )\n',
      91.3,
    ],
    [
      'cargo tarpaulin',
      '|| src/lib.rs: 6/7 +0.00%\n|| Tested/Total Lines:\n|| src/lib.rs: 6/7\n85.71% coverage, 6/7 lines covered, +1.20% change in coverage\n',
      85.71,
    ],
    ['SimpleCov', 'Coverage report generated.\nLine Coverage: 77.27% (17 / 22)\n', 77.27],
    [
      'PHPUnit',
      ' Summary:\n  Classes: 50.00% (1/2)\n  Methods: 66.67% (2/3)\n  Lines:   80.00% (8/10)\n',
      80,
    ],
    ['an unknown tool', 'covered 12 of 20 = 60 %, branches 30 %\n', 60],
    ['a whole number', 'TOTAL 10 0 100%', 100],
  ])('%s', (_, output, share) => {
    expect(readCoverage(output)).toBe(share);
  });

  it('returns undefined if there is no percentage', () => {
    expect(readCoverage('all fine, 3 passed in total')).toBeUndefined();
  });
});
