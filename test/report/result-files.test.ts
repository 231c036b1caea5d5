/** Names and contents of the files with results. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createFileNames } from '../../src/report/file-names.js';
import { resultFiles } from '../../src/report/result-files.js';
import { holds } from '../fakes/holds.js';

const namesFor = (...paths: readonly string[]) => {
  const { nameFor } = createFileNames();
  return paths.map((path) => nameFor(path, '.md'));
};

const hash = (pattern: RegExp) => expect.stringMatching(pattern);

describe('the names of files for steps', () => {
  it('are those of the steps', () => {
    expect(namesFor('impl', 'build/login/impl')).toEqual(['impl.md', 'build/login/impl.md']);
  });

  it.each([
    ['impl/gate:review:1/judge', 'impl/gate-review-1/judge.md'],
    ['..', 'step.md'],
    ['../../etc/passwd', 'step/step/etc/passwd.md'],
    ['/abs', 'step/abs.md'],
    ['a\\..\\b', 'a-..-b.md'],
    ['.hidden', 'hidden.md'],
    ['con', 'con-step.md'],
    ['NUL.txt', '_NUL.txt-step.md'],
    ['a"b<c>d|e*f?g', 'a-b-c-d-e-f-g.md'],
    ['line\nend', 'line-end.md'],
    ['größe', 'gr-e.md'],
  ])('are safe for %j', (path, name) => {
    expect(namesFor(path)).toEqual([name]);
  });

  it('differ where paths do, also on a file system that ignores case', () => {
    expect(namesFor('impl', 'Impl')).toEqual(['impl.md', hash(/^Impl-[0-9a-f]{16}\.md$/)]);
    expect(namesFor('a b', 'a-b')).toEqual(['a-b.md', hash(/^a-b-[0-9a-f]{16}\.md$/)]);
    expect(namesFor('Build/x', 'build/x')).toEqual(['Build/x.md', hash(/^x-[0-9a-f]{16}\.md$/)]);
    // The folder of a step that has the name of another step's file.
    expect(namesFor('a', 'a.md/b')).toEqual(['a.md', hash(/^b-[0-9a-f]{16}\.md$/)]);
  });

  it('stay below the limits of file systems', () => {
    const long = 'x'.repeat(300);
    const [one = '', deep = ''] = namesFor(long, Array.from({ length: 50 }, () => long).join('/'));
    expect(one.length).toBeLessThan(120);
    expect(deep.length).toBeLessThan(450);
  });

  it('are safe and different for any paths', () => {
    const part = fc.oneof(fc.string(), fc.constantFrom('..', '.', 'a', 'A', 'a.md', '', 'con', 'a:b'));
    const path = fc.array(part, { minLength: 1, maxLength: 4 }).map((parts) => parts.join('/'));
    holds(
      fc.property(fc.uniqueArray(path, { maxLength: 8 }), (paths) => {
        const names = namesFor(...paths);
        expect(new Set(names.map((name) => name.toLowerCase())).size).toBe(paths.length);
        for (const name of names)
          expect(name).toMatch(/^(?:[A-Za-z0-9_@+=][A-Za-z0-9._@+=-]*\/)*[A-Za-z0-9_@+=][A-Za-z0-9._@+=-]*$/);
      }),
    );
  });
});

describe('the files with results', () => {
  it('have the text, the verdict or the tasks', () => {
    const task = { name: 'a', description: 'b', files: [] };
    const files = resultFiles(
      new Map([
        ['review', { pass: true, comments: 'c', findings: [] }],
        ['build', { tasks: [task] }],
        ['build/a/impl', { text: 'done' }],
      ]),
    );
    expect(files.map(({ name }) => name)).toEqual(['build.json', 'build/a/impl.md', 'review.json']);
    const contents = files.map(({ content }) => content);
    expect(JSON.parse(contents[0] ?? '')).toEqual([task]);
    expect(contents[1]).toBe('done\n');
    expect(JSON.parse(contents[2] ?? '')).toEqual({ pass: true, comments: 'c', findings: [] });
  });
});
