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
      'go test 1.2x, of several packages the lowest',
      'ok  \texample.com/a/p\t0.004s\tcoverage: 25.0% of statements\n\texample.com/a/q\t\tcoverage: 3.5% of statements\nok  \tb\t(cached)\tcoverage: 62.5% of statements\n',
      3.5,
    ],
    ['go test of one package', 'PASS\ncoverage: 62.5% of statements in ./...\nok  \ta\t0.1s\n', 62.5],
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
    ['a whole number', 'TOTAL 10 0 100%', 100],
    [
      'c8 and jest 30, after a progress in percent',
      'Downloading 100%\n----------|---------|----------|---------|---------|-------------------\nFile      | % Stmts | % Branch | % Funcs | % Lines | Uncovered Line #s \n----------|---------|----------|---------|---------|-------------------\nAll files |      50 |        0 |      50 |     100 |                   \n a.js     |      50 |        0 |      50 |     100 | 2                 \n',
      50,
    ],
    [
      'c8, summary',
      '=============================== Coverage summary ===============================\nStatements   : 66.66% ( 2/3 )\nBranches     : 100% ( 2/2 )\nFunctions    : 50% ( 1/2 )\nLines        : 100% ( 2/2 )\n',
      66.66,
    ],
    [
      'node:test 20.20, TAP',
      '# start of coverage report\n# file      | line % | branch % | funcs % | uncovered lines\n# a.js      | 100.00 |   100.00 |   50.00 | \n# all files |  87.50 |    80.00 |   66.67 |\n# end of coverage report\n',
      87.5,
    ],
    [
      'node:test 24.21, spec',
      'ℹ file      | line % | branch % | funcs % | uncovered lines\nℹ a.js      | 100.00 |   100.00 |   50.00 | \nℹ all files |  87.50 |   100.00 |   50.00 | \n',
      87.5,
    ],
    [
      'Bun, whose first column is another share',
      'File      | % Funcs | % Lines | Uncovered Line #s\nAll files |   33.33 |   75.00 |\n',
      75,
    ],
    [
      'pytest-cov 7.1 with branches',
      'Name        Stmts   Miss Branch BrPart  Cover   Missing\n-------------------------------------------------------\na.py            6      3      2      0    38%   4-6\n-------------------------------------------------------\nTOTAL           8      3      4      0    58%\nCoverage XML written to file coverage.xml\n============================== 1 passed in 0.51s ===============================\n',
      58,
    ],
    [
      'cargo llvm-cov',
      'Filename   Regions    Missed Regions     Cover   Functions  Missed Functions  Executed       Lines      Missed Lines     Cover    Branches   Missed Branches     Cover\nlib.rs          10                 2    80.00%           3                 1    66.67%          20                 5    75.00%           0                 0         -\nTOTAL           10                 2    80.00%           3                 1    66.67%          20                 5    75.00%           0                 0         -\n',
      75,
    ],
    [
      'JaCoCo, check',
      '[WARNING] Rule violated for bundle app: lines covered ratio is 0.57, but expected minimum is 0.80\n',
      57,
    ],
    [
      'JaCoCo, the table in HTML',
      '<tfoot><tr><td>Total</td><td class="bar">5 of 20</td><td class="ctr2">75%</td><td class="bar">0 of 0</td></tr></tfoot>',
      75,
    ],
    [
      'SimpleCov before 0.22',
      'Coverage report generated for RSpec to /app/coverage. 17 / 22 LOC (77.27%) covered.\n',
      77.27,
    ],
    [
      'PHPUnit, the summary and not a class',
      ' Summary:\n  Classes: 50.00% (1/2)\n  Methods: 66.67% (2/3)\n  Lines:   80.00% (8/10)\n\nApp\\Foo\n  Methods: 100.00% ( 1/ 1)   Lines: 100.00% (  3/  3)\n',
      80,
    ],
    [
      'two packages of a repository, of which the lowest counts',
      'All files |   91 | 100 |\nAll files |   40 | 100 |\nTOTAL 10 1 90%\n',
      40,
    ],
  ])('%s', (_, output, share) => {
    expect(readCoverage(output)).toBe(share);
  });

  it.each([
    'all fine, 3 passed in total',
    'covered 12 of 20 = 60 %, branches 30 %\n',
    'Downloading model 100%\n[####] 100%\n',
    'test coverage: 95%\n',
    'I am done. Coverage is now 95% coverage of all code.\n',
    'total 100% of the tests passed\nTotal: 100%\n',
    'Lines: 100%\n',
    'All files | 450 |\n',
    'All files |\n',
    'Statements   : Unknown% ( 0/0 )\n',
    '100% tests passed, 0 tests failed out of 3\n',
  ])('returns undefined for %j', (output) => {
    expect(readCoverage(output)).toBeUndefined();
  });
});
