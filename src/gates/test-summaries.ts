/** Patterns for the output of test runners. Data only; `tests-found.ts` uses them. */

/** How a runner reports a number of tests. The groups of the pattern are numbers, of which one is enough. */
export interface TestCount {
  readonly pattern: RegExp;
  /** Entries that the runner counts as tests although they are none: the number of its matches is subtracted. */
  readonly notTests?: RegExp;
  /** The pattern does not count in an output that matches this. */
  readonly unless?: RegExp;
}

/**
 * node:test counts a file without tests as a test that has the name of the file (20.20, 24.21). If the file cannot be
 * loaded, this test fails.
 */
const emptyNodeFile = /^(?:ok \d+ - |✔ )(?:\/.+|\S+)\.[cm]?[jt]sx?(?: \([\d.]+m?s\))?[ \t]*$/gm;

/** node:test also prints suites and files as results of TAP. Only its last lines have the number of tests. */
const nodeSummary = /^(?:#|ℹ) tests +\d+/m;

export const testCounts: readonly TestCount[] = [
  { pattern: /\bTests: .*?(\d+) total/g }, // jest
  { pattern: /\bTests +\d.*\((\d+)\)/g }, // vitest
  { pattern: /^\W*(\d+) (?:passing|failing)\b/gm }, // mocha, Cypress
  { pattern: /^(?:#|ℹ) tests +(\d+)/gm, notTests: emptyNodeFile }, // node:test, tape
  { pattern: /^1\.\.(\d+)/gm, unless: nodeSummary }, // TAP
  // TAP; node-tap prints the file after its indented tests
  {
    pattern: /^[ \t]*(?:not )?ok (\d+)\b(?! - (?:\/.+|\S+)\.[cm]?[jt]sx?[ \t]*$)/gm,
    unless: nodeSummary,
  },
  { pattern: /^\W*(\d+) tests? (?:passed|failed)\b/gm }, // AVA
  { pattern: /^collected \d+ items?\b.* (\d+) selected\b|^collected (\d+) items?\b(?!.* selected\b)/gm }, // pytest
  { pattern: /^=* ?(?:.*, )?(\d+) (?:passed|failed|errors?|xfailed|xpassed)\b.* in \d/gm }, // pytest
  { pattern: /^Ran (\d+) tests?\b/gm }, // unittest, bun
  { pattern: /^running (\d+) tests?\b/gm }, // cargo test, deno
  { pattern: /\bStarting (\d+) tests? across\b/g }, // cargo nextest
  { pattern: /\bOK \((\d+) tests?\b/g }, // PHPUnit
  // PHPUnit, Pest, Cypress. PHPUnit 9 counts a class without tests as a test with a warning.
  { pattern: /\bTests: +(\d+)\b/g, notTests: /^No tests found in class "/gm },
  { pattern: /\bTests run: *(\d+)/g }, // JUnit, Maven, NUnit
  { pattern: /^(\d+) tests completed\b/gm }, // Gradle
  { pattern: /\b(\d+) examples?, \d+ failures?\b/g }, // RSpec, Hspec
  { pattern: /\b(\d+) (?:runs|tests), \d+ assertions\b/g }, // minitest, Rails
  { pattern: /\b(\d+) tests?, \d+ failures?\b/g }, // ExUnit, bats
  { pattern: /\b(\d+) specs?, \d+ failures?\b/g }, // Jasmine
  { pattern: /\bTotal: *(\d+), Duration\b|\bTotal tests: *(\d+)/g }, // dotnet test
  { pattern: /\bTest run summary:.*\n(?:.*\n)*? *total: (\d+)$/gm }, // dotnet test
  { pattern: /\bExecuted (\d+) (?:tests?\b|of \d)/g }, // XCTest, Karma
  { pattern: /\bTest run with (\d+) tests?\b/g }, // Swift Testing
  { pattern: /\btests failed out of (\d+)/g }, // CTest
  { pattern: /\bRunning (\d+) tests? (?:from|using)\b/g }, // GoogleTest, Playwright
  { pattern: /\bTotal number of tests run: *(\d+)/g }, // ScalaTest
  // Dart, Flutter: passed, skipped, failed. A time with a zone (`10:00:00 +0100`) is none of this.
  { pattern: /(?:^|\r)\d\d:\d\d \+(0|[1-9]\d*)(?: ~(\d+))?(?: -(\d+))?: /gm },
  { pattern: /\bAll (\d+) tests? passed\b/g }, // Zig, Tasty
];

/** What a runner prints for a single test, or for a package with tests. */
export const testResultPatterns: readonly RegExp[] = [
  /^--- (?:PASS|FAIL|SKIP): /m, // go test
  /^ok\s+\S+\s+(?:\d[\d.]*s|\(cached\))(?!.*\[no tests to run\])/m, // go test
];

/**
 * Test files that could not be loaded. They count as found: a test of code that does not exist yet often cannot be
 * loaded, and the gate accepts such tests. `empty`: files that failed only because they have no tests.
 */
export const failedFileCounts: readonly { readonly failed: RegExp; readonly empty?: RegExp }[] = [
  {
    failed: /\bTest Suites: .*?(\d+) failed\b/g,
    empty: /^ *Your test suite must contain at least one test\./gm,
  }, // jest
  {
    // vitest: a line for each file, and one for each empty suite in it.
    failed: /\bTest Files +(?:.*\| )?(\d+) failed\b/g,
    empty: /^ *FAIL +(?!.* > ).*\n+Error: No test (?:suite )?found in (?:file|suite)\b/gm,
  },
  { failed: /\b(\d+) errors? occurred outside of examples\b/g }, // RSpec
];

/** How runners report that there are no tests. */
export const noTestsPatterns: readonly RegExp[] = [
  /\bno tests? (?:files? |modules? )?(?:were |was )?(?:found|ran|run|executed|collected|specified)\b/i,
  /\b(?:there are )?no tests to run\b/i,
  /\[no test files\]/,
  /\bno packages to test\b/,
  /\bno examples found\b/i,
  /^[ \t]*Tests +no tests[ \t]*$/m, // vitest
  /^No specs found$/m, // Jasmine
  /\bYour test suite must contain at least one test\b/, // jest
  /\bno test is available\b/i,
  /\bno test matches the given\b/i,
  /\bcouldn['’]t find any files to test\b/i,
  /^> Task :\S*test NO-SOURCE/im,
];

/** How compilers report that the tests cannot be built. */
export const buildFailurePatterns: readonly RegExp[] = [
  /\[(?:build|setup) failed\]/, // go test
  /^error: could not compile\b/m, // cargo
  /\bCOMPILATION ERROR\b/, // Maven
  /^Execution failed for task '\S*compile\w*'/m, // Gradle
  /: error CS\d{4}:/, // dotnet
];
