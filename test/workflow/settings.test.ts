import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readSettings } from '../../src/workflow/settings.js';
import { holds } from '../fakes/holds.js';
import { codeBlocks, tableRows } from '../meta/project-files.js';

const problemsOf = (text: string) =>
  readSettings(text).problems.map(({ severity, message, line }) => `${line}: ${severity}: ${message}`);

describe('gump.toml', () => {
  it('sets what the page says', () => {
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

  it('is on the page with all of its settings, and the page prints a good one', () => {
    const printed = codeBlocks('docs/workflow.md', 'toml');
    expect(printed).toHaveLength(1);
    for (const { text } of printed) expect(readSettings(text).problems).toEqual([]);
    const names = tableRows('docs/workflow.md').flatMap(([first = '']) =>
      [...first.matchAll(/`(default_agent|(?:validation|error_context)\.\w+)`/g)].map(
        (found) => found[1] ?? '',
      ),
    );
    expect(names).toHaveLength(8);
    // A value that is never right: a name that nobody knows would be a warning.
    for (const name of names)
      expect(problemsOf(`${name} = false`)).toEqual([expect.stringMatching(/^1: error/)]);
  });

  it('may be empty, and may hold what only means something elsewhere', () => {
    const elsewhere =
      'log_level = "debug"\ndisplay.verbose = true\nanalytics = {enabled = false}\n[update]\nx = 1';
    for (const text of ['', '# nothing\n', elsewhere])
      expect(readSettings(text)).toEqual({ settings: { commands: {} }, problems: [] });
  });

  it('tells all that is wrong, each with its line', () => {
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
      '6: error: `validation.timeout` must be a length of time such as `"10m"` or `"1h30m"`, but is "soon".',
      '7: warning: There is no setting `validation.tst_cmd`, so it has no effect. Did you mean `validation.test_cmd`?',
      '10: error: `error_context.max_diff_chars` must be a whole number from 1 on, but is `0`.',
      '11: error: `error_context.max_error_chars` must be a whole number from 1 on, but is a list.',
      '14: warning: There is no setting `lint_cmd`, so it has no effect. Did you mean `validation.lint_cmd`?',
      '15: warning: There is no setting `whatever`, so it has no effect.',
    ]);
  });

  it('keeps what is right beside what is wrong', () => {
    const { settings } = readSettings('default_agent = "claude"\n[validation]\ntimeout = 5\nlint_cmd = "x"');
    expect(settings).toEqual({ defaultAgent: 'claude', commands: { lint: 'x' } });
  });

  it('finds the line of a key in a table, and of a table that is none', () => {
    expect(problemsOf('[error_context]\n\n# so\nmax_error_chars = 1.5')).toEqual([
      '4: error: `error_context.max_error_chars` must be a whole number from 1 on, but is `1.5`.',
    ]);
    expect(problemsOf('\nvalidation = "make"')).toEqual([
      '2: error: `validation` must be a table: write `[validation]`.',
    ]);
  });

  it('says where a broken file is broken', () => {
    expect(problemsOf('default_agent = "claude"\n[validation\ntimeout = "1m"')).toEqual([
      expect.stringMatching(/^2: error: This is not valid TOML: .+ \(column \d+\)\.$/),
    ]);
    expect(problemsOf('a = 1\na = 2')).toEqual([expect.stringMatching(/^2: error: This is not valid TOML/)]);
  });

  it('asks whether an agent is one, and takes it as named all the same', () => {
    const agentFault = (agent: string) => (agent === 'claude' ? undefined : `is no agent: ${agent}.`);
    expect(
      readSettings('default_agent = " claude "', { agentProblem: agentFault }).settings.defaultAgent,
    ).toBe('claude');
    expect(readSettings('\ndefault_agent = "cluade"', { agentProblem: agentFault })).toEqual({
      settings: { defaultAgent: 'cluade', commands: {} },
      problems: [{ severity: 'error', message: '`default_agent` is no agent: cluade.', line: 2 }],
    });
  });

  it('is refused when it is longer than anybody needs', () => {
    expect(problemsOf(`#${'x'.repeat(40_000)}`)).toEqual([
      '1: error: The file is 40001 characters long; 32768 are allowed.',
    ]);
  });

  it('never throws, and names a line of the file', () => {
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
        for (const fault of readSettings(text).problems) {
          expect(fault.line).toBeGreaterThan(0);
          expect(fault.line).toBeLessThanOrEqual(text.split('\n').length + 1);
          expect(fault.message).not.toMatch(/\n/);
        }
      }),
      60,
    );
  });
});
