import { describe, expect, it } from 'vitest';
import { judgeFiles } from '../../src/gates/files.js';

const judge = (patterns: readonly string[], ...paths: readonly string[]) =>
  judgeFiles(
    patterns,
    'fail',
    paths.map((path) => ({ path, kind: 'modified' })),
  );

describe('judgeFiles', () => {
  it.each([
    ['src/a.ts', 'src/a.ts'],
    ['./src/a.ts', 'src/a.ts'],
    [' src/a.ts ', 'src/a.ts'],
    ['src', 'src/deep/a.ts'],
    ['src/', 'src/deep/a.ts'],
    ['src/deep', 'src/deep/er/a.ts'],
    ['src/*.ts', 'src/a.ts'],
    ['src/**/*.ts', 'src/a.ts'],
    ['src/**/*.ts', 'src/deep/er/a.ts'],
    ['**', 'anything/at.all'],
    ['*.md', 'docs/deep/a.md'],
    ['a.ts', 'src/a.ts'],
    ['src/{a,b}.ts', 'src/b.ts'],
    ['.github', '.github/workflows/ci.yml'],
    ['src/*', 'src/.hidden'],
  ])('%j matches %s', (pattern, path) => {
    expect(judge([pattern], path)).toMatchObject({ name: 'files', status: 'passed', output: '' });
  });

  it.each([
    ['src/*.ts', 'src/deep/a.ts'],
    ['src/a.ts', 'test/src/a.ts'],
    ['src', 'test/a.ts'],
    ['src/deep', 'deep/a.ts'],
    ['*.md', 'a.ts'],
  ])('%j does not match %s', (pattern, path) => {
    expect(judge([pattern], path)).toMatchObject({ status: 'failed', output: expect.stringContaining(path) });
  });

  it('also matches a name with glob characters literally', () => {
    expect(judge(['app/[id]/page.tsx'], 'app/[id]/page.tsx').status).toBe('passed');
    expect(judge(['app/(main)/page.tsx'], 'app/(main)/page.tsx').status).toBe('passed');
    expect(judge(['app/[id]'], 'app/[id]/page.tsx').status).toBe('passed');
  });

  it('ignores empty entries and entries that cannot be paths', () => {
    expect(judge(['', ' ', '/'], 'a.ts').status).toBe('passed');
    expect(judge(['', 'b.ts'], 'a.ts').status).toBe('failed');
    expect(judge(['x'.repeat(100_000)], 'a.ts').status).toBe('failed');
  });

  it('names exactly the files that match none of the patterns', () => {
    const { output } = judge(['src', '*.md'], 'src/a.ts', 'x.txt', 'README.md', 'y.txt');
    expect(output).toContain('src, *.md');
    expect(output).toContain('x.txt, y.txt');
    expect(output).not.toContain('README');
  });

  it('warns or fails depending on the mode, and passes without changes', () => {
    const stray = [{ path: 'x', kind: 'added' as const }];
    expect(judgeFiles(['a'], 'warn', stray).status).toBe('warned');
    expect(judgeFiles(['a'], 'fail', stray).status).toBe('failed');
    expect(judgeFiles(['a'], 'fail', []).status).toBe('passed');
  });
});
