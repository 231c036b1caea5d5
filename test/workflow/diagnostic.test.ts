import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { positionOf, problem, renderDiagnostic } from '../../src/workflow/diagnostic.js';
import { holds } from '../fakes/holds.js';

const at = (text: string, piece: string) => {
  const start = text.indexOf(piece);
  return problem('unknown-key', { start, end: start + piece.length }, 'Wrong.');
};

function shown(text: string, piece: string): string {
  return renderDiagnostic(at(text, piece), { file: 'a.yaml', text });
}

describe('a rendered problem', () => {
  it('has position, severity, message, code, line and caret', () => {
    expect(shown('a: 1\nbad: 2\nc: 3\n', 'bad')).toBe(
      'a.yaml:2:1: error: Wrong. [unknown-key]\n   2 | bad: 2\n     | ^^^',
    );
  });

  it('names a warning as such', () => {
    const one = problem('yaml-tag', { start: 0, end: 1 }, 'Hm.');
    expect(renderDiagnostic(one, { file: 'a.yaml', text: 'x' })).toContain(
      'a.yaml:1:1: warning: Hm. [yaml-tag]',
    );
  });

  it('has its caret in the right column after tabs and wide characters', () => {
    expect(shown('a:\tbad', 'bad').split('\n').slice(1)).toEqual(['   1 | a:\tbad', '     |   \t^^^']);
    expect(shown('日本🎉 bad', 'bad').split('\n').slice(1)).toEqual([
      '   1 | 日本🎉 bad',
      '     |        ^^^',
    ]);
    expect(shown('e\u0301 bad', 'bad').split('\n').slice(1)).toEqual(['   1 | e\u0301 bad', '     |   ^^^']);
  });

  it('ends its carets at the end of the line', () => {
    expect(shown('bad one\nbad two\n', 'bad one\nbad').split('\n')[2]).toBe('     | ^^^^^^^');
  });

  it('cuts long lines around the carets', () => {
    const [, line = '', carets = ''] = shown(`${'x '.repeat(500)}bad${' y'.repeat(500)}`, 'bad').split('\n');
    expect(line.length).toBeLessThan(120);
    expect(line.slice(carets.indexOf('^'), carets.lastIndexOf('^') + 1)).toBe('bad');
  });

  it('omits Windows line endings and terminal control characters', () => {
    expect(shown('a\u001b[31m bad\r\nb\r\n', 'bad').split('\n')[1]).toBe('   1 | a�[31m bad');
  });

  it('may be at the end of the text or in an empty text', () => {
    const end = problem('empty-file', { start: 5, end: 5 }, 'Nothing.');
    expect(renderDiagnostic(end, { file: 'a', text: '' })).toBe(
      'a:1:1: error: Nothing. [empty-file]\n   1 | \n     | ^',
    );
    expect(renderDiagnostic(end, { file: 'a', text: 'abcd\n' })).toContain('a:2:1: ');
  });
});

describe('positions', () => {
  it('count from 1; the end is after the last character', () => {
    const text = 'one\ntwo three\n';
    expect(positionOf(at(text, 'three'), text)).toEqual({ line: 2, column: 5, endLine: 2, endColumn: 10 });
    expect(positionOf(at(text, 'one\ntwo'), text)).toEqual({ line: 1, column: 1, endLine: 2, endColumn: 4 });
  });

  it('are valid for any text and any offsets', () => {
    const text = fc.string({
      unit: fc.constantFrom('a', '\n', '\r', '\t', '\ud83c', '\udf89', '日', '\u200d', '\0'),
    });
    holds(
      fc.property(text, fc.nat(50), fc.nat(50), (source, start, length) => {
        const one = problem('bad-value', { start, end: start + length }, 'x');
        const { line, column, endLine, endColumn } = positionOf(one, source);
        const lines = source.split('\n');
        expect(column).toBeLessThanOrEqual((lines[line - 1] ?? '').length + 1);
        expect(endColumn).toBeLessThanOrEqual((lines[endLine - 1] ?? '').length + 1);
        expect(renderDiagnostic(one, { file: 'f', text: source }).split('\n')).toHaveLength(3);
      }),
    );
  });
});
