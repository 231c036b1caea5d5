import { describe, expect, it } from 'vitest';
import { judgeTouch } from '../../src/gates/touched.js';
import type { FileChange } from '../../src/workspace/workspace.js';

function hits(pattern: string, path: string): boolean {
  return judgeTouch({ type: 'touched', pattern }, [{ path, kind: 'modified' }]).passed;
}

describe('a pattern of touched and untouched', () => {
  it.each([
    // without `/`: the base name
    ['*_test.*', 'a_test.go'],
    ['*_test.*', 'deep/down/a_test.go'],
    ['Makefile', 'sub/Makefile'],
    ['*', 'deep/.env'],
    ['.env*', 'deep/.env.local'],
    ['*.{ts,js}', 'src/a.js'],
    ['*.ts', '/outside/a.ts'],
    // with `/`: the whole path
    ['src/*.ts', 'src/a.ts'],
    ['src/**', 'src/deep/a.ts'],
    ['src/**', 'src/.hidden/a.ts'],
    ['src/**/*.ts', 'src/a.ts'],
    ['./src/*.ts', 'src/a.ts'],
    ['src/', 'src/deep/a.ts'],
    ['**/*.test.ts', 'a.test.ts'],
    ['**/*.test.ts', 'src/a.test.ts'],
    ['**/*.ts', '/outside/a.ts'],
    ['/outside/**', '/outside/a.ts'],
    ['!src/**', 'docs/a.md'],
    ['!*.md', 'docs/a.ts'],
    ['[ab]/*.ts', 'a/x.ts'],
  ])('%s matches %s', (pattern, path) => {
    expect(hits(pattern, path)).toBe(true);
  });

  it.each([
    ['*_test.*', 'a_test/a.go'],
    ['Makefile', 'Makefile.am'],
    ['src/*.ts', 'src/deep/a.ts'],
    ['src/**', 'lib/src/a.ts'],
    ['src/**', '/src/a.ts'],
    ['src', 'src/a.ts'],
    ['!src/**', 'src/a.ts'],
    ['!*.md', 'docs/a.md'],
  ])('%s does not match %s', (pattern, path) => {
    expect(hits(pattern, path)).toBe(false);
  });
});

describe('the verdict', () => {
  const changes: readonly FileChange[] = [
    { path: 'src/a.ts', kind: 'modified' },
    { path: 'test/a.test.ts', kind: 'added' },
    { path: 'test/old.test.ts', kind: 'deleted' },
  ];

  it('touched passes with one match, and names all matches', () => {
    expect(judgeTouch({ type: 'touched', pattern: '*.test.ts' }, changes)).toEqual({
      passed: true,
      explanation:
        'Changed files that match `*.test.ts`:\n- test/a.test.ts (added)\n- test/old.test.ts (deleted)',
    });
  });

  it('touched fails without a match, and names the changes', () => {
    expect(judgeTouch({ type: 'touched', pattern: '*.go' }, changes.slice(0, 1))).toEqual({
      passed: false,
      explanation: 'This step changed no file that matches `*.go`. It changed only:\n- src/a.ts (modified)',
    });
    expect(judgeTouch({ type: 'touched', pattern: '*.go' }, [])).toEqual({
      passed: false,
      explanation: 'This step changed no file that matches `*.go`. It changed nothing.',
    });
  });

  it('untouched fails with one match, and names it', () => {
    expect(judgeTouch({ type: 'untouched', pattern: 'test/**' }, changes)).toEqual({
      passed: false,
      explanation:
        'This step must not change files that match `test/**`, but changed:\n- test/a.test.ts (added)\n- test/old.test.ts (deleted)',
    });
  });

  it('untouched passes without a match and without changes', () => {
    expect(judgeTouch({ type: 'untouched', pattern: '*.go' }, changes).passed).toBe(true);
    expect(judgeTouch({ type: 'untouched', pattern: '**' }, []).passed).toBe(true);
  });

  it('names the first 50 of many files', () => {
    const many = Array.from(
      { length: 53 },
      (_, index): FileChange => ({ path: `a${index}.ts`, kind: 'added' }),
    );
    const { explanation } = judgeTouch({ type: 'touched', pattern: '*.ts' }, many);
    expect(explanation.split('\n').slice(-2)).toEqual(['- a49.ts (added)', '- and 3 more']);
  });
});
