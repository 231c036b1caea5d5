import { describe, expect, it } from 'vitest';
import { foreignLine, foreignMark } from '../../src/report/foreign-line.js';
import { createLog } from '../../src/report/log.js';

/**
 * Patterns that match what the problem matchers of these actions match (setup-node, setup-go, setup-python, setup-java,
 * setup-dotnet on 2026-11-28, and the usual one for gcc), each with lines that it turns into an annotation.
 */
const matchers: readonly (readonly [name: string, patterns: readonly RegExp[], lines: readonly string[]])[] =
  [
    [
      'tsc',
      [
        /^(?:\s+\d+>)?(\S.*)\((\d+)(?:,(\d+)(?:,\d+){0,2})?\)\s*:\s+(error|warning|info)\s+(\w{1,2}\d+)\s*:\s*(.*)$/,
      ],
      ['src/a.ts(3,4): error TS1: pwned'],
    ],
    [
      'eslint-stylish',
      [/^\s*(\S.*)$/, /^\s+(\d+):(\d+)\s+(error|warning|info)\s+(.*)\s\s+(.*)$/],
      ['src/a.ts', '  3:4  error  pwned  no-rule'],
    ],
    [
      'eslint-compact',
      [/^(.+):\sline\s(\d+),\scol\s(\d+),\s(Error|Warning|Info)\s-\s(.+)\s\((.+)\)$/],
      ['src/a.js: line 3, col 4, Error - pwned (no-rule)'],
    ],
    ['go', [/((?:\.{0,2}[\\/]).+\.go):(?:(\d+):(\d+):)? (.*)/], ['./a.go:3:4: pwned']],
    ['go, without a line', [/((?:\.{0,2}[\\/]).+\.go):(?:(\d+):(\d+):)? (.*)/], ['./a.go: pwned']],
    [
      'python',
      [/^\s*File\s"(.*)",\sline\s(\d+),\sin\s(.*)$/, /^\s*raise\s(.*)\('(.*)'\)$/],
      ['  File "a.py", line 3, in f', "    raise ValueError('pwned')"],
    ],
    ['java', [/^Exception in thread "(.*)" (.*): (.*)$/], ['Exception in thread "main" E: pwned']],
    [
      'csc',
      [/^(.*)\((\d+)(?:,\d+|,\d+,\d+)?\):\s+(error|warning)\s+([a-zA-Z]+\d+):\s*(.*?)\s+\[(.*?)\]$/],
      ['a.cs(3,4): error CS1: pwned [a.csproj]'],
    ],
    [
      'gcc',
      [/^(.*):(\d+):(\d+):\s+(?:fatal\s+)?(warning|error):\s+(.*)$/],
      ['a.c:3:4: error: pwned', '1:2:3: error: x'],
    ],
    ['lines only', [/^(.*):(\d+):\s+(warning|error):\s+(.*)$/], ['a.sh:3: error: pwned']],
  ];

const matches = (patterns: readonly RegExp[], lines: readonly string[]): boolean =>
  patterns.every((pattern) => lines.some((line) => pattern.test(line)));

describe('a line of an agent or a gate', () => {
  it.each(matchers)('is no match for the problem matcher %s', (_name, patterns, lines) => {
    expect(matches(patterns, lines)).toBe(true);
    for (const before of ['', '  ', '[branch] ', '\t'])
      expect(
        matches(
          patterns,
          lines.map((line) => foreignLine(before + line)),
        ),
      ).toBe(false);
  });

  it.each(matchers)('in a message of the action is none for %s', (_name, patterns, lines) => {
    let output = '';
    const log = createLog({
      write: (text) => {
        output += text;
      },
      redact: (text) => text,
      isDebug: false,
    });
    log.info(`✗ impl, attempt 1: failed: ${lines.join('\n')}\n${lines.join('\n')}`);
    expect(matches(patterns, output.split('\n'))).toBe(false);
  });

  it('loses its colours if it would match without them', () => {
    expect(foreignLine('a.c:\u001b[31m3\u001b[0m:4: error: pwned')).not.toContain('\u001b');
    expect(foreignLine('\u001b[31mred\u001b[0m')).toContain('\u001b[31mred');
  });

  it('looks the same after the mark', () => {
    const line = 'src/a.ts:3:4: error at 12:34:56, see http://localhost:3000/a (3): done';
    expect(foreignLine(line).replaceAll('\u2060', '')).toBe(foreignMark + line);
    expect(foreignLine('12:34:56 http://localhost:3000/a')).toBe(
      `${foreignMark}12:34:56 http://localhost:3000/a`,
    );
  });
});
