/** Patterns for the output of test runners. Data only; `tests-found.ts` uses them. */

/**
 * The matching group is a number of tests, or of test files that could not be loaded. The latter count as found:
 * a test of code that does not exist yet often cannot be loaded, and the gate accepts such tests.
 */
export const testCountPatterns: readonly RegExp[] = [
  /\bTest(?: Suite)?s: .*?(\d+) total/g, // jest
  /\b(?:Tests|Test Files) +\d.*\((\d+)\)/g, // vitest
  /^\W*(\d+) (?:passing|failing)\b/gm, // mocha, Cypress
  /^(?:#|ℹ) tests +(\d+)/gm, // node:test, tape
  /^1\.\.(\d+)/gm, // TAP
  /^\W*(\d+) tests? (?:passed|failed)\b/gm, // AVA
  /^collected (\d+) items?\b/gm, // pytest
  /^=* ?(?:.*, )?(\d+) (?:passed|failed|errors?|xfailed|xpassed)\b.* in \d/gm, // pytest
  /^Ran (\d+) tests?\b/gm, // unittest, bun
  /^running (\d+) tests?\b/gm, // cargo test, deno
  /\bStarting (\d+) tests? across\b/g, // cargo nextest
  /\bOK \((\d+) tests?\b/g, // PHPUnit
  /\bTests: +(\d+)\b/g, // PHPUnit, Pest, Cypress
  /\bTests run: *(\d+)/g, // JUnit, Maven, NUnit
  /^(\d+) tests completed\b/gm, // Gradle
  /\b(\d+) examples?, \d+ failures?\b/g, // RSpec, Hspec
  /\b(\d+) errors? occurred outside of examples\b/g, // RSpec
  /\b(\d+) (?:runs|tests), \d+ assertions\b/g, // minitest, Rails
  /\b(\d+) tests?, \d+ failures?\b/g, // ExUnit, bats
  /\b(\d+) specs?, \d+ failures?\b/g, // Jasmine
  /\bTotal: *(\d+), Duration\b|\bTotal tests: *(\d+)|^ *total: (\d+)$/gm, // dotnet test
  /\bExecuted (\d+) (?:tests?\b|of \d)/g, // XCTest, Karma
  /\bTest run with (\d+) tests?\b/g, // Swift Testing
  /\btests failed out of (\d+)/g, // CTest
  /\bRunning (\d+) tests? (?:from|using)\b/g, // GoogleTest, Playwright
  /\bTotal number of tests run: *(\d+)/g, // ScalaTest
  /\b\d\d:\d\d \+(\d+)/g, // Dart, Flutter
  /\bAll (\d+) tests? passed\b/g, // Zig, Tasty
];

/** What a runner prints for a single test, or for a package with tests. */
export const testResultPatterns: readonly RegExp[] = [
  /^--- (?:PASS|FAIL|SKIP): /m, // go test
  /^ok\s+\S+\s+(?:\d[\d.]*s|\(cached\))(?!.*\[no tests to run\])/m, // go test
  /^(?:not )?ok \d+\b/m, // TAP
];

/** How runners report that there are no tests. */
export const noTestsPatterns: readonly RegExp[] = [
  /\bno tests? (?:files? |modules? )?(?:were |was )?(?:found|ran|run|executed|collected|specified)\b/i,
  /\b(?:there are )?no tests to run\b/i,
  /\[no test files\]/,
  /\bno packages to test\b/,
  /\bno examples found\b/i,
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
