/** The places in the output of tools. test/fixtures/gate-output has what they printed. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { findPlaces, maxGatePlaces } from '../../src/gates/find-places.js';
import { placePatterns } from '../../src/gates/place-patterns.js';
import { readPlaces } from '../../src/gates/read-places.js';
import { stripAnsi } from '../../src/system/strip-ansi.js';
import { holds } from '../fakes/holds.js';

const fixture = (name: string) =>
  readFileSync(join(import.meta.dirname, '../fixtures/gate-output', `${name}.txt`), 'utf8');

const lines = (output: string) =>
  readPlaces(output).map(({ file, line, severity, message }) => `${file}:${line} ${severity}: ${message}`);

const expected: Readonly<Record<string, readonly string[]>> = {
  tsc: ["a.ts:1 error: TS2322: Type 'string' is not assignable to type 'number'."],
  'tsc-pretty': ["a.ts:1 error: TS2322: Type 'string' is not assignable to type 'number'."],
  eslint: [
    "/repo/src/a.mjs:1 warning: 'unused' is assigned a value but never used  no-unused-vars",
    "/repo/src/a.mjs:2 error: 'missing' is not defined                     no-undef",
  ],
  'eslint-unix': [
    "/repo/src/a.mjs:1 warning: 'unused' is assigned a value but never used. [Warning/no-unused-vars]",
    "/repo/src/a.mjs:2 error: 'missing' is not defined. [Error/no-undef]",
  ],
  biome: [
    'b.ts:1 error: This let declares a variable that is only assigned once.',
    'b.ts:2 error: This is an unexpected use of the debugger statement.',
  ],
  ruff: ['a.py:1 error: F401 [*] `os` imported but unused'],
  'ruff-concise': ['a.py:1 error: F401 [*] `os` imported but unused'],
  'ruff-github': ['/repo/a.py:1 error: a.py:1:8: F401 `os` imported but unused'],
  mypy: ['a.py:5 error: Incompatible return value type (got "int", expected "str")  [return-value]'],
  pyright: ['/repo/a.py:5 error: Type "int" is not assignable to return type "str"'],
  flake8: ["a.py:1 error: F401 'os' imported but unused"],
  pytest: ["test_a.py:5 error: AssertionError: assert 1 == '1'"],
  'go-vet': ['main.go:6 error: fmt.Printf format %d has arg "x" of wrong type string'],
  'go-build': ['./main.go:4 error: undefined: undefinedName'],
  'go-test': ['sum_test.go:7 error: Sum(1, 2) = -1, want 3'],
  'cargo-build': ['src/lib.rs:3 error: mismatched types'],
  'cargo-test': ['src/lib.rs:11 error: assertion `left == right` failed'],
  gcc: [
    'a.c:3 error: ‘x’ undeclared (first use in this function)',
    'a.c:3 error: expected ‘;’ before ‘}’ token',
    'a.c:2 warning: unused variable ‘unused’ [-Wunused-variable]',
  ],
  clang: [
    "a.c:3 error: expected ';' after return statement",
    "a.c:2 warning: unused variable 'unused' [-Wunused-variable]",
  ],
  javac: ["A.java:2 error: ';' expected"],
  'maven-compile': ["/repo/src/main/java/A.java:2 error: ';' expected"],
  'maven-test': ['ATest.java:7 error: expected: <3> but was: <-1>'],
  'dotnet-build': [
    "/repo/src/Program.cs:5 error: CS0103: The name 'missing' does not exist in the current context [/repo/src/app.csproj]",
    "/repo/src/Program.cs:3 warning: CS0219: The variable 'unused' is assigned but its value is never used [/repo/src/app.csproj]",
  ],
  'dotnet-test': ['/repo/tests/SumTests.cs:10 error: Assert.Equal() Failure: Values differ'],
  phpunit: ['/repo/tests/SumTest.php:12 error: SumTest::testAdds'],
  phpstan: [
    'src/Sum.php:12 error: Method Sum::add() should return int but returns string.',
    'src/Sum.php:15 error: Undefined variable: $missing',
  ],
  rspec: ['./spec/sum_spec.rb:4 error: Sum adds'],
  rubocop: [
    'lib/sum.rb:1 notice: [Correctable] Style/FrozenStringLiteralComment: Missing frozen string literal comment.',
    'lib/sum.rb:2 warning: [Correctable] Lint/UselessAssignment: Useless assignment to variable - unused.',
  ],
  jest: ['src/add.test.js:4 error: adds'],
  vitest: ['src/a.test.ts:4 error: AssertionError: expected -1 to be 3 // Object.is equality'],
  'vitest-github': ['/repo/src/a.test.ts:4 error: AssertionError: expected -1 to be 3 // Object.is equality'],
  actionlint: [expect.stringMatching(/^\.github\/workflows\/a\.yml:6 error: undefined variable "missing"\./)],
  'shellcheck-gcc': [
    'build.sh:3 notice: Double quote to prevent globbing and word splitting. [SC2086]',
    "build.sh:5 warning: Use 'cd ... || exit' or 'cd ... || return' in case cd fails. [SC2164]",
    "build.sh:8 error: Couldn't parse this if expression. Fix to allow more checks. [SC1073]",
  ],
};

describe('reading places', () => {
  it.each(Object.entries(expected))('finds those of %s', (name, places) => {
    expect(lines(fixture(name))).toEqual(places);
  });

  it('uses every pattern', () => {
    const printed = Object.keys(expected).flatMap((name) => fixture(name).split('\n'));
    const plain = printed.map((line) => stripAnsi(line).trimEnd());
    for (const { tools, pattern } of placePatterns)
      expect(
        plain.some((line) => pattern.test(line)),
        tools,
      ).toBe(true);
  });

  it('ends for any text, also for long lines that almost match', () => {
    holds(fc.property(fc.string(), (text) => void readPlaces(text)));
    const parts = [
      'a',
      ' ',
      ':',
      '1',
      '/',
      '(',
      ')',
      '\\',
      '"',
      '.',
      '- ',
      'at ',
      '  1:1 ',
      '::error ',
      'x.py:1: ',
    ];
    for (const part of parts) {
      const line = part.repeat(Math.floor(1_990 / part.length));
      const output = `${line}\n`.repeat(50) + parts.map((other) => `${other}${line}1:1\n`).join('');
      expect(readPlaces(output).length).toBeLessThanOrEqual(200);
    }
  });
});

describe('finding places in the repository', () => {
  const find = (output: string, files: readonly string[], prefix = '') =>
    findPlaces(output, {
      directory: `/repo/${prefix}`.replace(/\/$/, ''),
      prefix,
      listFiles: async () => files,
    }).then((places) => places.map(({ path, line }) => `${path}:${line}`));

  it('names only files of the repository, relative to its top', async () => {
    const output =
      '/repo/app/a.ts(1,2): error TS1: A.\nb.ts(3,4): error TS1: B.\n/etc/passwd(1,1): error TS1: C.\nnode_modules/c.ts(5,6): error TS1: D.\n../../x.ts(1,1): error TS1: E.\n';
    expect(await find(output, ['app/a.ts', 'app/b.ts'], 'app/')).toEqual(['app/a.ts:1', 'app/b.ts:3']);
  });

  it('finds a file by its name alone if only one file has it', async () => {
    expect(await find(fixture('go-test'), ['sum/sum_test.go'])).toEqual(['sum/sum_test.go:7']);
    expect(await find(fixture('go-test'), ['sum/sum_test.go', 'b/sum_test.go'])).toEqual([]);
    expect(await find(fixture('maven-test'), ['src/test/java/ATest.java'])).toEqual([
      'src/test/java/ATest.java:7',
    ]);
  });

  it('names a problem once that two reporters of a tool print', async () => {
    const output = fixture('vitest') + fixture('vitest-github');
    expect(await find(output, ['src/a.test.ts'])).toEqual(['src/a.test.ts:4']);
  });

  it('names errors before warnings, and not more than GitHub shows', async () => {
    const warnings = Array.from({ length: 12 }, (_, index) => `a.c:${index + 1}:1: warning: w${index}`);
    const output = [...warnings, 'a.c:99:1: error: e'].join('\n');
    const found = await find(output, ['a.c']);
    expect(found).toHaveLength(maxGatePlaces);
    expect(found[0]).toBe('a.c:99');
  });

  it('does not list the files of the repository for an output without places', async () => {
    const listFiles = () => Promise.reject(new Error('asked for the files'));
    expect(await findPlaces('3 tests failed\n', { directory: '/repo', prefix: '', listFiles })).toEqual([]);
  });
});
