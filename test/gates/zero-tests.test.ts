/** Outputs without a single test, and what is next to them. Real ones name the version that printed them. */
import { describe, expect, it } from 'vitest';
import { judgeTests } from '../../src/gates/tests-found.js';

const nodeEnd = (tests: number) => `# tests ${tests}\n# suites 0\n# pass ${tests}\n# fail 0\n`;

describe('files without tests are no tests', () => {
  it.each([
    [
      'vitest 3.2.7, no suite in a file',
      ' FAIL  b.test.js [ b.test.js ]\nError: No test suite found in file /tmp/b.test.js\n⎯⎯⎯[1/1]⎯\n\n\n Test Files  1 failed (1)\n      Tests  no tests\n',
    ],
    [
      'vitest 3.2.7, an empty suite',
      ' ❯ b.test.js (0 test) 31ms\n\n FAIL  b.test.js [ b.test.js ]\nError: No test found in suite b.test.js\n⎯[1/2]⎯\n\n FAIL  b.test.js > x\nError: No test found in suite x\n⎯[2/2]⎯\n\n\n Test Files  1 failed (1)\n      Tests  no tests\n',
    ],
    ['vitest, a file that passes', ' Test Files  1 passed (1)\n      Tests  no tests\n'],
    [
      'jest 30',
      'FAIL ./a.test.js\n  ● Test suite failed to run\n\n    Your test suite must contain at least one test.\n\nTest Suites: 1 failed, 1 total\nTests:       0 total\n',
    ],
    ['jest, suites only', 'Test Suites: 2 passed, 2 total\nTests:       0 total\n'],
    [
      'node:test 20.20, TAP',
      `TAP version 13\n# Subtest: /tmp/my app/a.test.js\nok 1 - /tmp/my app/a.test.js\n  ---\n  duration_ms: 692.4\n  ...\n1..1\n${nodeEnd(1)}`,
    ],
    ['node:test 24.21, spec', '✔ a.test.js (85.713469ms)\nℹ tests 1\nℹ suites 0\nℹ pass 1\nℹ fail 0\n'],
    [
      'node:test 24.21, two files',
      `✔ a.test.js (85.7ms)\n✔ lib/b.test.mjs (5ms)\nℹ tests 2\nℹ suites 0\nℹ pass 2\n`,
    ],
    ['node:test 24.21, an empty suite', `# Subtest: x\nok 1 - x\n  type: 'suite'\n1..1\n${nodeEnd(0)}`],
    [
      'PHPUnit 9',
      'W   1 / 1 (100%)\n\nThere was 1 warning:\n\n1) Warning\nNo tests found in class "FooTest".\n\nWARNINGS!\nTests: 1, Assertions: 0, Warnings: 1.\n',
    ],
    [
      'PHPUnit 10',
      'There was 1 PHPUnit test runner warning:\n\n1) No tests found in class "FooTest".\n\nNo tests executed!\n',
    ],
    ['AVA', '  ✘ No tests found in a.test.js, make sure to import "ava" at the top of your test file\n  ─\n'],
    ['Jasmine 5', 'Started\n\n\nNo specs found\nFinished in 0.002 seconds\nIncomplete: No specs found\n'],
    ['pytest 9.2', 'collected 0 items\n\n==== no tests ran in 0.08s ====\n'],
    [
      'pytest, all deselected',
      'collected 3 items / 3 deselected / 0 selected\n\n==== 3 deselected in 0.01s ====\n',
    ],
    ['bun', '\n 0 pass\n 0 fail\nRan 0 tests across 1 file. [8.00ms]\n'],
    ['Flutter', '00:00 +0: loading a_test.dart\n00:00 +0: No tests ran.\n'],
  ])('%s', (_, output) => {
    expect(judgeTests(output)).toBe('none');
  });
});

describe('tests next to files without tests are found', () => {
  it.each([
    [
      'vitest',
      ' FAIL  b.test.js [ b.test.js ]\nError: No test suite found in file /tmp/b.test.js\n\n Test Files  1 failed | 1 passed (2)\n      Tests  1 passed (1)\n',
    ],
    [
      'vitest, one file without tests and one that cannot be loaded',
      ' FAIL  b.test.js [ b.test.js ]\nError: No test suite found in file /tmp/b.test.js\n\n FAIL  c.test.js [ c.test.js ]\nError: Cannot find module "./c"\n\n Test Files  2 failed (2)\n      Tests  no tests\n',
    ],
    [
      'jest 30, a file that cannot be loaded',
      "FAIL ./a.test.js\n  ● Test suite failed to run\n\n    Cannot find module './nix' from 'a.test.js'\n\nTest Suites: 1 failed, 1 total\nTests:       0 total\n",
    ],
    ['node:test, spec', '✔ a.test.js (85.7ms)\n✔ adds (0.5ms)\nℹ tests 2\nℹ suites 0\nℹ pass 2\n'],
    [
      'node:test 20.20, a file that cannot be loaded',
      "✖ /tmp/je/a.test.js (642.4ms)\n  'test failed'\n\nℹ tests 1\nℹ pass 0\nℹ fail 1\n",
    ],
    ['node-tap', 'TAP version 14\n# Subtest: a.test.js\n    ok 1 - adds\n    1..1\nok 1 - a.test.js\n1..1\n'],
    [
      'PHPUnit 9',
      '1) Warning\nNo tests found in class "FooTest".\n\nWARNINGS!\nTests: 3, Assertions: 2, Warnings: 1.\n',
    ],
    ['pytest, some deselected', 'collected 3 items / 1 deselected / 2 selected\n'],
    ['Dart, all failing', '00:01 +0 -1: adds [E]\n00:01 +0 -1: Some tests failed.\n'],
    ['Dart, after a carriage return', '00:00 +0: loading\r00:01 +2: All tests passed!\n'],
  ])('%s', (_, output) => {
    expect(judgeTests(output)).toBe('found');
  });
});

describe('other numbers are no tests', () => {
  it.each([
    ['a time with a zone', 'Started at 2026-11-28 10:00:00 +0100\n'],
    ['a time with a zone at the start of a line', '10:00 +0100: build started\n'],
    ['a time with a short zone', 'at 10:00 +02 all was well\n'],
    ['a total of something else', 'files:\n  total: 12\n'],
  ])('%s', (_, output) => {
    expect(judgeTests(output)).toBe('unknown');
  });
});
