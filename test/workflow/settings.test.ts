import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readSettings } from '../../src/workflow/settings.js';
import { holds } from '../fakes/holds.js';
import { codeBlocks, tableRows } from '../meta/project-files.js';

const problemsOf = (text: string) =>
  readSettings(text).problems.map(({ severity, message, line }) => `${line}: ${severity}: ${message}`);

describe('gump.toml', () => {
  it('reads every setting', () => {
    const text = `
default_agent = "claude-haiku"

[validation]
timeout = "1m30s"
compile_cmd = "make"
test_cmd = """
make test
make e2e
"""
lint_cmd = 'make lint'
coverage_cmd = "make cov"

[error_context]
max_error_chars = 2000
max_diff_chars = 3_000
`;
    expect(readSettings(text)).toEqual({
      settings: {
        defaultAgent: 'claude-haiku',
        gateTimeoutMs: 90_000,
        commands: { compile: 'make', test: 'make test\nmake e2e', lint: 'make lint', coverage: 'make cov' },
        maxErrorChars: 2000,
        maxDiffChars: 3000,
      },
      problems: [],
    });
  });

  it('has every setting and a valid example in docs/workflow.md', () => {
    const printed = codeBlocks('docs/workflow.md', 'toml');
    expect(printed).toHaveLength(1);
    for (const { text } of printed) expect(readSettings(text).problems).toEqual([]);
    const names = tableRows('docs/workflow.md').flatMap(([first = '']) =>
      [...first.matchAll(/`(default_agent|(?:validation|error_context)\.\w+)`/g)].map(
        (found) => found[1] ?? '',
      ),
    );
    expect(names).toHaveLength(8);
    // `false` is invalid for every setting. An unknown name would be a warning.
    for (const name of names)
      expect(problemsOf(`${name} = false`)).toEqual([expect.stringMatching(/^1: error/)]);
  });

  it('may be empty, and ignores the settings of the command line of Gump', () => {
    const ignored =
      'log_level = "debug"\ndisplay.verbose = true\nanalytics = {enabled = false}\n[update]\nx = 1';
    for (const text of ['', '# nothing\n', ignored])
      expect(readSettings(text)).toEqual({ settings: { commands: {} }, problems: [] });
  });

  it('reports all problems together, each with its line', () => {
    const text = `# a comment
default_agent = 3
defualt_agent = "claude"

validation.test_cmd = ""
validation.timeout = "soon"
validation.tst_cmd = """

x"""
error_context.max_diff_chars = 0
error_context.max_error_chars = [
  1,
]
lint_cmd = "make lint"
whatever = 1979-05-27
`;
    expect(problemsOf(text)).toEqual([
      '2: error: `default_agent` must be text that is not empty, but is `3`.',
      '3: warning: There is no setting `defualt_agent`, so it has no effect. Did you mean `default_agent`?',
      '5: error: `validation.test_cmd` must be text that is not empty, but is "".',
      '6: error: `validation.timeout` must be a duration such as `"10m"` or `"1h30m"`, but is "soon".',
      '7: warning: There is no setting `validation.tst_cmd`, so it has no effect. Did you mean `validation.test_cmd`?',
      '10: error: `error_context.max_diff_chars` must be a whole number, 1 or more, but is `0`.',
      '11: error: `error_context.max_error_chars` must be a whole number, 1 or more, but is a list.',
      '14: warning: There is no setting `lint_cmd`, so it has no effect. Did you mean `validation.lint_cmd`?',
      '15: warning: There is no setting `whatever`, so it has no effect.',
    ]);
  });

  it('keeps the valid values if others are invalid', () => {
    const { settings } = readSettings('default_agent = "claude"\n[validation]\ntimeout = 5\nlint_cmd = "x"');
    expect(settings).toEqual({ defaultAgent: 'claude', commands: { lint: 'x' } });
  });

  it('finds the line of a key in a table, and of a value that is not a table', () => {
    expect(problemsOf('[error_context]\n\n# so\nmax_error_chars = 1.5')).toEqual([
      '4: error: `error_context.max_error_chars` must be a whole number, 1 or more, but is `1.5`.',
    ]);
    for (const value of ['"make"', '1979-05-27', '[]'])
      expect(problemsOf(`\nvalidation = ${value}`)).toEqual([
        '2: error: `validation` must be a table: write `[validation]`.',
      ]);
  });

  it('reports the line and column of a syntax error', () => {
    expect(problemsOf('default_agent = "claude"\n[validation\ntimeout = "1m"')).toEqual([
      expect.stringMatching(/^2: error: This is not valid TOML: .+ \(column \d+\)\.$/),
    ]);
    expect(problemsOf('a = 1\na = 2')).toEqual([expect.stringMatching(/^2: error: This is not valid TOML/)]);
  });

  it('reports an invalid agent name and keeps the name', () => {
    const agentProblem = (agent: string) => (agent === 'claude' ? undefined : `is not an agent: ${agent}.`);
    expect(readSettings('default_agent = " claude "', { agentProblem }).settings.defaultAgent).toBe('claude');
    expect(readSettings('\ndefault_agent = "cluade"', { agentProblem })).toEqual({
      settings: { defaultAgent: 'cluade', commands: {} },
      problems: [{ severity: 'error', message: '`default_agent` is not an agent: cluade.', line: 2 }],
    });
  });

  it('must not be longer than 32,768 characters', () => {
    expect(problemsOf(`#${'x'.repeat(40_000)}`)).toEqual([
      '1: error: The file has 40001 characters. Shorten it to 32768 characters at most.',
    ]);
  });

  it('never throws, and every problem has a line of the file', () => {
    const line = fc.constantFrom(
      'default_agent = 1',
      '[validation]',
      '[[validation]]',
      'timeout = """',
      '"""',
      '__proto__ = 1',
      'constructor.x = 2',
      '[display]',
      '"a\\nb" = 1',
      "''",
      'x = {a = 1, b = [1,',
      ']}',
      '# no',
    );
    holds(
      fc.property(fc.array(fc.oneof(line, fc.string()), { maxLength: 12 }), (lines) => {
        const text = lines.join('\n');
        for (const problem of readSettings(text).problems) {
          expect(problem.line).toBeGreaterThan(0);
          expect(problem.line).toBeLessThanOrEqual(text.split('\n').length + 1);
          expect(problem.message).not.toMatch(/\n/);
        }
      }),
      60,
    );
  });
});
