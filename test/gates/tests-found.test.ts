import { describe, expect, it } from 'vitest';
import { isTestFile } from '../../src/gates/test-files.js';
import { judgeTestList, judgeTests } from '../../src/gates/tests-found.js';

describe('a runner that found tests, passing or failing', () => {
  it.each([
    ['jest', 'PASS ./a.test.js\n\nTest Suites: 1 passed, 1 total\nTests:       2 passed, 2 total\n'],
    [
      'jest, in colour',
      '\u001b[1mTest Suites: \u001b[22m\u001b[31m1 failed\u001b[39m, 1 total\n\u001b[1mTests: \u001b[22m      \u001b[31m1 failed\u001b[39m, 1 total\n',
    ],
    [
      'jest, a file that cannot be loaded',
      "FAIL ./a.test.js\n  ● Test suite failed to run\n    Cannot find module './a'\n\nTest Suites: 1 failed, 1 total\nTests:       0 total\n",
    ],
    ['vitest', ' Test Files  1 passed (1)\n      Tests  3 passed | 1 failed (4)\n   Start at  10:00:00\n'],
    [
      'vitest, a file that cannot be loaded',
      ' FAIL  a.test.ts\nError: Cannot find module\n\n Test Files  1 failed (1)\n      Tests  no tests\n',
    ],
    ['mocha', '\n  add\n    ✔ adds\n\n  1 passing (3ms)\n'],
    ['mocha, failing', '\n  0 passing (3ms)\n  1 failing\n'],
    ['node:test, spec', '✔ adds (0.5ms)\nℹ tests 1\nℹ suites 0\nℹ pass 1\n'],
    ['node:test, tap', 'TAP version 13\nok 1 - adds\n1..1\n# tests 1\n# pass 1\n'],
    ['AVA', '  ✔ adds\n  ─\n\n  1 test passed\n'],
    ['bun', 'a.test.ts:\n(pass) adds\n\n 1 pass\n 0 fail\nRan 1 test across 1 file. [8.00ms]\n'],
    ['deno', 'running 2 tests from ./a_test.ts\nadds ... ok (1ms)\n\nok | 2 passed | 0 failed (5ms)\n'],
    ['Playwright', '\nRunning 2 tests using 1 worker\n  2 passed (1.2s)\n'],
    ['pytest', 'collected 3 items\n\ntest_a.py F..    [100%]\n===== 1 failed, 2 passed in 0.03s =====\n'],
    ['pytest -q', '...   [100%]\n3 passed in 0.01s\n'],
    [
      'pytest, a file that cannot be loaded',
      'collected 0 items / 1 error\nERROR test_a.py\n!!!!! Interrupted: 1 error during collection !!!!!\n===== 1 error in 0.08s =====\n',
    ],
    ['unittest', '..\n------\nRan 2 tests in 0.000s\n\nOK\n'],
    ['go test', 'ok  \texample.com/a\t0.002s\n?   \texample.com/b\t[no test files]\n'],
    ['go test, cached', 'ok  \texample.com/a\t(cached)\n'],
    [
      'go test, failing',
      '--- FAIL: TestAdd (0.00s)\n    a_test.go:6: got 3\nFAIL\nFAIL\texample.com/a\t0.002s\n',
    ],
    ['cargo test', 'running 2 tests\ntest a ... ok\n\ntest result: ok. 2 passed\n\nrunning 0 tests\n'],
    ['cargo nextest', '    Starting 5 tests across 1 binary\n     Summary [ 0.01s] 5 tests run: 5 passed\n'],
    ['PHPUnit', 'OK (3 tests, 3 assertions)\n'],
    ['PHPUnit, failing', 'FAILURES!\nTests: 3, Assertions: 3, Failures: 1.\n'],
    ['Pest', '  Tests:    1 failed, 3 passed (4 assertions)\n'],
    ['Maven', '[INFO] Tests run: 3, Failures: 0, Errors: 0, Skipped: 0\n[INFO] BUILD SUCCESS\n'],
    ['Gradle, failing', '> Task :test FAILED\n\n3 tests completed, 1 failed\n'],
    ['RSpec', 'Finished in 0.002 seconds\n2 examples, 1 failure\n'],
    ['RSpec, a file that cannot be loaded', '0 examples, 0 failures, 1 error occurred outside of examples\n'],
    ['minitest', '2 runs, 2 assertions, 0 failures, 0 errors, 0 skips\n'],
    [
      'dotnet test',
      'Passed!  - Failed:     0, Passed:     3, Skipped:     0, Total:     3, Duration: 5 ms\n',
    ],
    ['dotnet test, long', 'Test Run Successful.\nTotal tests: 3\n     Passed: 3\n'],
    ['dotnet test, new platform', 'Test run summary: Passed!\n  total: 3\n  failed: 0\n'],
    ['XCTest', 'Executed 3 tests, with 0 failures (0 unexpected) in 0.01 seconds\n'],
    [
      'Swift Testing',
      'Executed 0 tests, with 0 failures\n✔ Test run with 3 tests passed after 0.001 seconds.\n',
    ],
    ['CTest', '100% tests passed, 0 tests failed out of 3\n'],
    ['GoogleTest', '[==========] Running 3 tests from 1 test suite.\n'],
    ['ExUnit', 'Finished in 0.02 seconds\n2 tests, 0 failures\n'],
    ['bats', '1..2\nok 1 adds\nnot ok 2 takes\n'],
    ['ScalaTest', '[info] Total number of tests run: 2\n'],
    ['Flutter', '00:00 +0: loading a_test.dart\n00:01 +2: All tests passed!\n'],
    ['Jasmine', 'Started\n..\n\n2 specs, 0 failures\n'],
    [
      'workspaces, one without tests',
      'No tests found, exiting with code 1\nTests:       2 passed, 2 total\n',
    ],
  ])('%s', (_, output) => {
    expect(judgeTests(output)).toBe('found');
  });
});

describe('a runner that found no tests', () => {
  it.each([
    ['jest', 'No tests found, exiting with code 1\nRun with `--passWithNoTests` to exit with code 0\n'],
    ['jest, passWithNoTests', 'No tests found, exiting with code 0\n'],
    ['vitest', 'No test files found, exiting with code 1\n'],
    ['mocha', '\n  0 passing (1ms)\n'],
    ['node:test', 'ℹ tests 0\nℹ suites 0\nℹ pass 0\n'],
    ['TAP', 'TAP version 13\n1..0\n'],
    ['npm without a test script', 'Error: no test specified\n'],
    ['pytest', 'collected 0 items\n\n===== no tests ran in 0.01s =====\n'],
    ['unittest', '\n------\nRan 0 tests in 0.000s\n\nNO TESTS RAN\n'],
    ['go test', '?   \texample.com/a\t[no test files]\n'],
    ['go test, with a test file without tests', 'ok  \texample.com/a\t0.002s [no tests to run]\n'],
    [
      'cargo test',
      'running 0 tests\n\ntest result: ok. 0 passed; 0 failed\n\n   Doc-tests a\n\nrunning 0 tests\n',
    ],
    ['PHPUnit', 'No tests executed!\n'],
    ['Maven', '[INFO] No tests to run.\n'],
    ['Gradle', '> Task :compileTestJava NO-SOURCE\n> Task :test NO-SOURCE\n\nBUILD SUCCESSFUL in 1s\n'],
    ['RSpec', 'No examples found.\n\nFinished in 0.0002 seconds\n0 examples, 0 failures\n'],
    ['dotnet test', 'No test is available in /a/b.dll. Make sure that test discoverer is registered\n'],
    ['CTest', 'No tests were found!!!\n'],
    ['GoogleTest', '[==========] Running 0 tests from 0 test suites.\n'],
    ['Playwright', 'Error: No tests found\n'],
    ['deno', 'error: No test modules found\n'],
    ['ExUnit', 'There are no tests to run\n'],
    ['AVA', "  ✘ Couldn't find any files to test\n"],
  ])('%s', (_, output) => {
    expect(judgeTests(output)).toBe('none');
  });
});

describe('tests that cannot be built', () => {
  it.each([
    [
      'go',
      '# example.com/a [example.com/a.test]\n./a_test.go:6:7: undefined: Add\nFAIL\texample.com/a [build failed]\n',
    ],
    [
      'cargo',
      'error[E0425]: cannot find function\nerror: could not compile `a` (lib test) due to 1 previous error\n',
    ],
    ['Maven', '[ERROR] COMPILATION ERROR :\n[ERROR] ATest.java:[3,8] cannot find symbol\n'],
    ['Gradle', "> Task :compileTestJava FAILED\nExecution failed for task ':compileTestJava'.\n"],
    ['dotnet', 'ATest.cs(9,20): error CS0103: The name does not exist\n'],
  ])('%s', (_, output) => {
    expect(judgeTests(output)).toBe('broken');
  });
});

it.each([
  '',
  'all good\n',
  'checked 12 things in 3 files\n',
  'BUILD SUCCESSFUL in 1s\n',
  'sh: 1: jest: not found\n',
])('the output of an unknown runner: %j', (output) => {
  expect(judgeTests(output)).toBe('unknown');
});

describe('the list of go test', () => {
  it.each([
    ['TestAdd\nok  \texample.com/a\t0.002s\n', 'found'],
    ['FuzzAdd\nExampleAdd\nok  \texample.com/a\t0.002s\n', 'found'],
    ['?   \texample.com/a\t[no test files]\n', 'none'],
    ['ok  \texample.com/a\t0.002s\n', 'none'],
    ['BenchmarkAdd\nok  \texample.com/a\t0.002s\n', 'none'],
    ['./a_test.go:6:7: undefined: Add\nFAIL\texample.com/a [build failed]\n', 'broken'],
    ['TestAdd\nok  \texample.com/a\t0.002s\nFAIL\texample.com/b [build failed]\n', 'found'],
  ])('%j: %s', (output, verdict) => {
    expect(judgeTestList(output)).toBe(verdict);
  });
});

describe('the name of a test file', () => {
  it.each([
    'a.test.ts',
    'src/a.spec.js',
    'a_test.go',
    'a_spec.rb',
    'lib/a-test.js',
    'test_a.py',
    'src/test/java/ATest.java',
    'ATests.swift',
    'TestA.java',
    'StoreIT.java',
    'tests/a.rs',
    '__tests__/a.js',
    'test/run.sh',
    'a.bats',
    't/a.t',
    'features/a.feature',
  ])('%s', (path) => {
    expect(isTestFile(path)).toBe(true);
  });

  it.each([
    'src/a.ts',
    'README.md',
    'contest.py',
    'latest.js',
    'AUDIT.md',
    'INIT.py',
    'tests/data.json',
    'tests/__init__.py',
    'tests/conftest.py',
    'spec/spec_helper.rb',
    'test/__snapshots__/a.test.js.snap',
    'tests/Dockerfile',
    'src/testing.ts',
  ])('not %s', (path) => {
    expect(isTestFile(path)).toBe(false);
  });
});
