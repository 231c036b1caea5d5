import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { cutToMark, mainFile, markOf } from '../../src/sessions/session-mark.js';
import { byDirectory, noted } from './sample-session.js';

const file = (path: string) => ({ path, content: Buffer.from(path) });

describe('mainFile', () => {
  it('is the one that lies least deep, then the first by name', () => {
    const files = [file('a/b/c/0.jsonl'), file('a/b/2.jsonl'), file('a/b/1.jsonl')];
    expect(mainFile(files)?.path).toBe('a/b/1.jsonl');
    expect(mainFile([])).toBeUndefined();
  });
});

describe('cutToMark', () => {
  it('gives a file that was appended to as it was', () => {
    fc.assert(
      fc.property(fc.uint8Array(), fc.uint8Array(), (before, added) => {
        const then = Buffer.from(before);
        const now = Buffer.concat([then, Buffer.from(added)]);
        expect(cutToMark(now, markOf(then, byDirectory), byDirectory)).toEqual(then);
      }),
    );
  });

  it('gives nothing for a file that is shorter, or was rewritten', () => {
    const mark = markOf(Buffer.from('one\ntwo\n'), byDirectory);
    expect(cutToMark(Buffer.from('one\n'), mark, byDirectory)).toBeUndefined();
    expect(cutToMark(Buffer.from('one\nTWO\nthree\n'), mark, byDirectory)).toBeUndefined();
  });

  it('holds on another machine, where the file names another directory', () => {
    const then = Buffer.from('{"cwd":"/home/runner/work/r"}\none\n');
    const there = Buffer.from('{"cwd":"/w"}\none\ntwo\n');
    const cut = cutToMark(there, markOf(then, noted), noted);
    expect(cut && noted.rewrite?.(cut, '/w').toString()).toBe('{"cwd":"/w"}\none\n');
  });
});
