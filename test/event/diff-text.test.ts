import { describe, expect, it } from 'vitest';
import { cutAtLine } from '../../src/event/cut-lines.js';
import { diffOfFiles, diffText, fileList } from '../../src/event/diff-text.js';

const fileDiff = (name: string, lines: number) =>
  `diff --git a/${name} b/${name}\n--- a/${name}\n+++ b/${name}\n@@ -0,0 +1,${lines} @@\n${'+0123456789\n'.repeat(lines)}`;

describe('the diff of a pull request', () => {
  it('is whole up to 200 KB, without invisible characters', () => {
    expect(diffText(`${fileDiff('a', 2)}+<!-- a -->\u202E\n`)).toBe(`${fileDiff('a', 2)}+<!-- a -->\n`);
  });

  it('ends at a line, with a note and the list of all files, if it is longer', () => {
    const text = diffText(fileDiff('src/a b.ts', 15_000) + fileDiff('z.ts', 10_000) + fileDiff('last.ts', 1));
    const [shown = '', note = ''] = text.split('\n\n[');
    expect(Buffer.byteLength(shown)).toBeLessThanOrEqual(200 * 1024);
    expect(Buffer.byteLength(shown)).toBeGreaterThan(200 * 1024 - 20);
    expect(shown.split('\n').at(-1)).toBe('+0123456789');
    expect(note).toBe(
      'The diff has 293 KB. Only the first 200 KB are shown. All changed files:]\n- src/a b.ts\n- z.ts\n- last.ts\n',
    );
  });

  it('lists at most 1,000 files', () => {
    const many = Array.from({ length: 1200 }, (_, index) => fileDiff(`f${index}`, 20)).join('');
    expect(diffText(many)).toMatch(/\n- f999\n- and 200 more\n$/);
  });

  it('can be put together from files: added, removed, renamed, binary', () => {
    const files = [
      { filename: 'new.ts', status: 'added', patch: '@@ -0,0 +1 @@\n+a' },
      { filename: 'gone.ts', status: 'removed', patch: '@@ -1 +0,0 @@\n-a' },
      { filename: 'b.ts', previous_filename: 'a.ts', status: 'renamed', patch: '@@ -1 +1 @@\n-a\n+b' },
      { filename: 'logo.png', status: 'modified' },
    ];
    expect(diffOfFiles(files)).toBe(`diff --git a/new.ts b/new.ts
new file
--- /dev/null
+++ b/new.ts
@@ -0,0 +1 @@
+a
diff --git a/gone.ts b/gone.ts
deleted file
--- a/gone.ts
+++ /dev/null
@@ -1 +0,0 @@
-a
diff --git a/a.ts b/b.ts
rename from a.ts
rename to b.ts
--- a/a.ts
+++ b/b.ts
@@ -1 +1 @@
-a
+b
diff --git a/logo.png b/logo.png
[GitHub shows no patch of this file.]
`);
    expect(fileList(files)).toBe('new.ts\ngone.ts\nb.ts\nlogo.png');
  });
});

describe('a text cut at a line', () => {
  it.each([
    ['short', 10, 'short'],
    ['one\ntwo\nthree', 8, 'one\ntwo'],
    ['one\ntwo\nthree', 7, 'one\ntwo'],
    ['one\ntwo\nthree', 6, 'one'],
    ['äöü', 3, 'ä'],
    ['', 0, ''],
  ])('%j to %d bytes is %j', (text, bytes, cut) => expect(cutAtLine(text, bytes)).toBe(cut));
});
