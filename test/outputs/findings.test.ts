/** The findings of a verdict: what is read, what is dropped, and which places count. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { placeFinding, readFindings } from '../../src/outputs/findings.js';
import { readVerdict, readVerdictFindings } from '../../src/outputs/verdict-file.js';
import { holds } from '../fakes/holds.js';

const one = (fields: object) => readFindings([{ message: 'm', ...fields }]);

describe('readFindings', () => {
  it('reads every field', () => {
    const finding = {
      path: 'src/a.ts',
      line: 3,
      endLine: 5,
      severity: 'error',
      message: 'm',
      suggestion: 's',
    };
    expect(readFindings([finding])).toEqual({ findings: [finding], problems: [] });
  });

  it.each([
    [{}, { severity: 'warning', message: 'm' }],
    [{ severity: 'ERROR' }, { severity: 'error', message: 'm' }],
    [{ severity: 'nit' }, { severity: 'notice', message: 'm' }],
    [
      { path: 'a', line: '12', endLine: 12 },
      { path: 'a', line: 12, severity: 'warning', message: 'm' },
    ],
    [
      { path: 'a', line: 0, endLine: null },
      { path: 'a', severity: 'warning', message: 'm' },
    ],
    [
      { line: 4, suggestion: ' ' },
      { severity: 'warning', message: 'm' },
    ],
    [
      { path: null, suggestion: null },
      { severity: 'warning', message: 'm' },
    ],
  ])('is lenient about %j', (fields, finding) => {
    expect(one(fields)).toEqual({ findings: [finding], problems: [] });
  });

  it.each([
    ['text', 'is not an object'],
    [null, 'is not an object'],
    [{ path: 'a' }, 'has no "message"'],
    [{ message: 'm', severity: 'terrible' }, 'has the "severity" "terrible", not "error"'],
    [{ message: 'm', path: 3 }, 'has a "path" that is not a string'],
    [{ message: 'm', line: -1 }, 'has the "line" -1, not a number from 1'],
    [{ message: 'm', line: 1.5 }, 'has the "line" 1.5'],
    [{ message: 'm', endLine: {} }, 'has the "endLine" {}'],
    [{ message: 'm', suggestion: [] }, 'has a "suggestion" that is not a string'],
  ])('drops %j and says why', (entry, problem) => {
    const { findings, problems } = readFindings([{ message: 'kept' }, entry]);
    expect(findings).toEqual([{ severity: 'warning', message: 'kept' }]);
    expect(problems).toEqual([expect.stringContaining(`finding 2 ${problem}`)]);
  });

  it('drops a value that is no list, and what is beyond a limit', () => {
    expect(readFindings({ message: 'm' })).toEqual({ findings: [], problems: ['"findings" is not a list'] });
    expect(readFindings(undefined)).toEqual({ findings: [], problems: [] });
    const many = readFindings(Array.from({ length: 501 }, () => ({ message: 'm' })));
    expect(many.findings).toHaveLength(500);
    expect(many.problems).toEqual(['there are 1 more than 500 findings']);
  });

  it('reads any value', () => {
    holds(fc.property(fc.jsonValue(), (value) => void readFindings(value)));
    holds(fc.property(fc.jsonValue(), (value) => void readFindings([value])));
  });

  it('leaves the verdict valid', () => {
    const text = JSON.stringify({ pass: true, comments: '', findings: 'none' });
    expect(readVerdict(text)).toEqual({ pass: true, comments: '' });
    expect(readVerdictFindings(text).problems).toEqual(['"findings" is not a list']);
    expect(readVerdictFindings('no JSON')).toEqual({ findings: [], problems: [] });
  });
});

describe('placeFinding', () => {
  const sizes: Readonly<Record<string, number>> = { 'app/src/a.ts': 10, 'README.md': 1 };
  const place = (path: string, line?: number, endLine?: number) => {
    const finding = { path, severity: 'error', message: 'm', ...(line ? { line } : {}) } as const;
    const countLines = (name: string) => sizes[name];
    const placed = placeFinding(endLine ? { ...finding, endLine } : finding, {
      root: '/repo',
      prefix: 'app/',
      countLines,
    });
    expect(placed).toMatchObject({ severity: 'error', message: 'm' });
    return [placed.path, placed.line, placed.endLine];
  };

  it('finds a path relative to the repository, to the working directory, or absolute', () => {
    expect(place('README.md', 1)).toEqual(['README.md', 1, undefined]);
    expect(place('./src/a.ts', 2, 3)).toEqual(['app/src/a.ts', 2, 3]);
    expect(place('/repo/app/src/a.ts', 9, 99)).toEqual(['app/src/a.ts', 9, 10]);
  });

  it('keeps the finding without a place that does not exist', () => {
    expect(place('README.md', 2)).toEqual(['README.md', undefined, undefined]);
    expect(place('missing.md', 1)).toEqual([undefined, undefined, undefined]);
  });

  it.each(['../README.md', '/etc/passwd', 'a/../README.md', 'README.md\0', 'app\\src\\a.ts', ''])(
    'knows no place %j',
    (path) => {
      expect(place(path, 1)).toEqual([undefined, undefined, undefined]);
    },
  );
});
