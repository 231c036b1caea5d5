import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createLineSplitter, type LongLine } from '../../src/system/line-splitter.js';
import { holds } from '../fakes/holds.js';

function split(chunks: readonly Buffer[], limit = 1000): { lines: string[]; long: LongLine[] } {
  const lines: string[] = [];
  const long: LongLine[] = [];
  const sink = {
    line: (text: string) => void lines.push(text),
    longLine: (line: LongLine) => void long.push(line),
  };
  const splitter = createLineSplitter(sink, limit);
  for (const chunk of chunks) splitter.push(chunk);
  splitter.end();
  return { lines, long };
}

/** Splits the bytes into pieces; the sizes repeat. */
function chop(bytes: Buffer, sizes: readonly number[]): Buffer[] {
  const chunks: Buffer[] = [];
  for (let at = 0, turn = 0; at < bytes.length; turn++) {
    const size = sizes[turn % sizes.length] ?? 1;
    chunks.push(bytes.subarray(at, at + size));
    at += size;
  }
  return chunks;
}

describe('the line splitter', () => {
  it('drops LF and CR LF, keeps a CR inside a line, and delivers a last line without an end', () => {
    expect(split([Buffer.from('a\r\n\nb\rc\n\r\nlast')]).lines).toEqual(['a', '', 'b\rc', '', 'last']);
  });

  it('returns the same lines for any split of the bytes', () => {
    const word = fc
      .string({ unit: 'grapheme' })
      .map((text) => text.replaceAll('\n', ' ').replace(/\r+$/, ''));
    holds(
      fc.property(
        fc.array(word),
        fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1 }),
        (words, sizes) => {
          const text = words.map((line) => `${line}\n`).join('');
          expect(split(chop(Buffer.from(text), sizes)).lines).toEqual(words);
        },
      ),
    );
  });

  it.each([[[1]], [[7]], [[100]]])('keeps both ends of a line above the limit (pieces of %j)', (sizes) => {
    const text = `before\n${'x'.repeat(21)}\nbetween\n${'y'.repeat(20)}\n12345678901${'z'.repeat(99)}abcdefghij\r`;
    expect(split(chop(Buffer.from(text), sizes), 20)).toEqual({
      lines: ['before', 'between', 'y'.repeat(20)],
      long: [
        { head: 'x'.repeat(10), tail: 'x'.repeat(10), bytes: 21 },
        { head: '1234567890', tail: 'bcdefghij', bytes: 121 },
      ],
    });
  });

  it('splits no character of a line above the limit', () => {
    for (const limit of [8, 9, 10, 11, 12, 13]) {
      const [line] = split([Buffer.from('aä€😀'.repeat(9))], limit).long;
      expect(`${line?.head}${line?.tail}`).not.toContain('\ufffd');
      expect(Buffer.byteLength(`${line?.head}${line?.tail}`)).toBeGreaterThanOrEqual(limit - 8);
    }
  });
});
