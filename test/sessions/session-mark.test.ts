import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { mainFile, markOf, truncateToMark } from '../../src/sessions/session-mark.js';
import { holds } from '../fakes/holds.js';
import { byDirectory, withDirectoryLine } from './sample-session.js';

const file = (path: string) => ({ path, content: Buffer.from(path) });

describe('mainFile', () => {
  it('is the file with the fewest folders in its path, then the first by name', () => {
    const files = [file('a/b/c/0.jsonl'), file('a/b/2.jsonl'), file('a/b/1.jsonl')];
    expect(mainFile(files)?.path).toBe('a/b/1.jsonl');
    expect(mainFile([])).toBeUndefined();
  });
});

describe('truncateToMark', () => {
  it('returns the earlier content of a file that was appended to', () => {
    holds(
      fc.property(fc.uint8Array(), fc.uint8Array(), (before, added) => {
        const then = Buffer.from(before);
        const now = Buffer.concat([then, Buffer.from(added)]);
        expect(truncateToMark(now, markOf(then, byDirectory), byDirectory)).toEqual(then);
      }),
    );
  });

  it('returns nothing for a file that is shorter or was rewritten', () => {
    const mark = markOf(Buffer.from('one\ntwo\n'), byDirectory);
    expect(truncateToMark(Buffer.from('one\n'), mark, byDirectory)).toBeUndefined();
    expect(truncateToMark(Buffer.from('one\nTWO\nthree\n'), mark, byDirectory)).toBeUndefined();
  });

  it('holds on another machine, although the file contains another directory', () => {
    const then = Buffer.from('{"cwd":"/home/runner/work/r"}\none\n');
    const there = Buffer.from('{"cwd":"/w"}\none\ntwo\n');
    const truncated = truncateToMark(there, markOf(then, withDirectoryLine), withDirectoryLine);
    expect(truncated && withDirectoryLine.rewrite?.(truncated, '/w').toString()).toBe('{"cwd":"/w"}\none\n');
  });
});
