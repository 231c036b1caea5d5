import { describe, expect, it } from 'vitest';
import { positionOf } from '../../src/workflow/diagnostic.js';
import { rewriteOneLineSessions } from '../../src/workflow/one-line-session.js';
import type { SessionChoice } from '../../src/workflow/workflow.js';
import { parseWorkflow } from '../fakes/parse-workflow.js';

function withSession(lines: string): string {
  return `name: demo
steps:
  - name: tests
    type: code
    agent: claude
    prompt: Write tests.
  - name: impl
    type: code
    run: {agent: claude}
    get:
${lines}
      prompt: Make them pass.
`;
}

function sessionOf(text: string): SessionChoice | undefined {
  const { workflow, diagnostics } = parseWorkflow(text, { file: 'a.yaml' });
  expect(diagnostics).toEqual([]);
  const step = workflow?.steps[1];
  expect(step).toMatchObject({ kind: 'agent', prompt: 'Make them pass.' });
  return step?.kind === 'agent' ? step.session : undefined;
}

describe('spellings of a resumed session', () => {
  it.each([
    ['one line', '      session: from: tests'],
    ['one line, several spaces', '      session:   from:   tests  '],
    ['one line, tabs', '      session:\tfrom:\ttests'],
    ['one line, comment at the end', '      session: from: tests # the same session'],
    ['one line, quoted step name', '      session: from: "tests"'],
    ['flow mapping', '      session: {from: tests}'],
    ['nested mapping', '      session:\n        from: tests'],
    ['quoted', '      session: "from: tests"'],
    ['single quotes', "      session: 'from: tests'"],
    ['folded', '      session: >-\n        from:\n        tests'],
  ])('%s', (_, lines) => {
    expect(sessionOf(withSession(lines))).toEqual({ mode: 'from', step: 'tests' });
  });

  it('may be in a get block on one line', () => {
    const text = withSession('      x-note: 1').replace(
      /get:\n.*\n.*\n/,
      'get: {session: from: tests, prompt: Make them pass.}\n',
    );
    expect(sessionOf(text)).toEqual({ mode: 'from', step: 'tests' });
  });

  it('may have Windows line endings', () => {
    const text = withSession('      session: from: tests').replaceAll('\n', '\r\n');
    expect(sessionOf(text)).toEqual({ mode: 'from', step: 'tests' });
  });
});

describe('spellings of the session of an earlier run', () => {
  it.each([
    ['one line', '      session: from: tests of previous run'],
    ['one line, several spaces', '      session:  from:  tests  of  previous  run  # note'],
    ['flow mapping', '      session: {from: tests, run: previous}'],
    ['nested mapping', '      session:\n        run: previous\n        from: tests'],
    ['quoted', '      session: "from: tests of previous run"'],
    ['quoted step name', '      session: "from: \'tests\' of previous run"'],
  ])('%s', (_, lines) => {
    expect(sessionOf(withSession(lines))).toEqual({ mode: 'previous', step: 'tests' });
  });

  it('may name the step itself, or a later one', () => {
    const later = withSession('      x-none: 1').replace(
      'claude\n    prompt: Write',
      'claude\n    session: from: impl of previous run\n    prompt: Write',
    );
    expect(parseWorkflow(later, { file: 'a.yaml' }).diagnostics).toEqual([]);
    expect(sessionOf(withSession('      session: from: impl of previous run'))).toEqual({
      mode: 'previous',
      step: 'impl',
    });
  });
});

describe('a byte order mark', () => {
  it('does not shift positions', () => {
    const text = `\ufeff${withSession('      session: from: tests')}`;
    expect(sessionOf(text)).toEqual({ mode: 'from', step: 'tests' });
    const bad = text.replace('      prompt: Make', '      promt: Make');
    const { diagnostics } = parseWorkflow(bad, { file: 'a.yaml' });
    expect(diagnostics.map(({ start }) => start)).toEqual([bad.indexOf('promt')]);
  });
});

describe('spellings of a new session', () => {
  it.each([
    '      x-none: 1',
    '      session:',
    '      session: new',
    '      session: ""',
    '      session: ~',
    '      session: "new"',
  ])('%s', (lines) => {
    expect(sessionOf(withSession(lines))).toEqual({ mode: 'new' });
  });
});

describe('rewriting of one-line sessions', () => {
  it('keeps the length of the text and every other character', () => {
    const text = withSession('      session: from: tests');
    const rewritten = rewriteOneLineSessions(text);
    const differences = [...rewritten].filter((character, index) => character !== text[index]);
    expect(rewritten.length).toBe(text.length);
    expect(differences).toHaveLength(1);
  });

  it.each([
    ['a block scalar', 'prompt: |\n  session: from: tests\n  more\n'],
    ['a folded block scalar', 'prompt: >-\n  session: from: tests\n'],
    ['a comment', '# session: from: tests\na: 1\n'],
    ['a comment after a value', 'a: 1 # session: from: tests\n'],
    ['quoted text', 'prompt: "use session: from: tests"\n'],
    ['quoted text of several lines', 'prompt: "use\n  session: from: tests\n  and go"\n'],
    ['a nested mapping', 'session:\n  from: tests\n'],
    ['another key', 'sessions: from: tests\n'],
    ['a missing value', 'session: from:\n'],
    ['a value on the next line', 'session: from:\n  tests\n'],
  ])('does not change %s', (_, text) => {
    expect(rewriteOneLineSessions(text)).toBe(text);
  });

  it('keeps the positions of the following text', () => {
    const text = withSession('      session: from: tests').replace('Make them pass.', '{task');
    const { diagnostics } = parseWorkflow(text, { file: 'a.yaml' });
    expect(diagnostics.length).toBeGreaterThan(0);
    expect(positionOf(diagnostics[0] ?? { start: 0, end: 0 }, text).line).toBeGreaterThan(11);
  });

  it('shows the original text in messages', () => {
    const { diagnostics } = parseWorkflow(withSession('      session: from: a: b'), { file: 'a.yaml' });
    expect(JSON.stringify(diagnostics)).not.toMatch(/[\uE000]/);
    expect(diagnostics.map(({ code }) => code)).toContain('yaml-syntax');
  });
});
