/** Sealed lines: only what the holder of the key wrote, in that order, is read. */
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { createLineSeal, readSealedLines } from '../../src/journal/line-seal.js';
import { holds } from '../fakes/holds.js';

const options = { key: Buffer.alloc(32, 7), name: 'journal' };
const texts = ['{"a":"1\\t2"}', '{}', '{"b":[2]}', '{}'];

function sealed(from: readonly string[] = texts, more = options): readonly string[] {
  const seal = createLineSeal(more);
  const lines: string[] = [];
  for (const text of from) seal(text, (line) => lines.push(line));
  return lines;
}

it('reads what was sealed, and ignores an incomplete last line', () => {
  const whole = sealed().join('');
  expect(readSealedLines(whole, options)).toEqual({ lines: texts, isAltered: false });
  expect(readSealedLines(whole.slice(0, -1), options)).toEqual({
    lines: texts.slice(0, 3),
    isAltered: false,
  });
  expect(readSealedLines('', options)).toEqual({ lines: [], isAltered: false });
});

it('takes another line in the place of one that could not be written', () => {
  const seal = createLineSeal(options);
  const lines: string[] = [];
  const fail = () => {
    throw new Error('the disk is full');
  };
  seal('{"a":1}', (line) => lines.push(line));
  expect(() => seal('{"b":2}', fail)).toThrow('full');
  seal('{"c":3}', (line) => lines.push(line));
  expect(readSealedLines(lines.join(''), options)).toEqual({
    lines: ['{"a":1}', '{"c":3}'],
    isAltered: false,
  });
});

it.each([
  ['another key', { ...options, key: Buffer.alloc(32, 8) }],
  ['another name', { ...options, name: 'post' }],
])('reads nothing that was sealed with %s', (_what, other) => {
  expect(readSealedLines(sealed(texts, other).join(''), options)).toEqual({ lines: [], isAltered: true });
});

it('reads only the lines before the first change, whatever is changed', () => {
  const lines = sealed();
  const edits = fc.array(
    fc.oneof(
      fc.record({ how: fc.constant('swap' as const), at: fc.nat(3), with: fc.nat(3) }),
      fc.record({ how: fc.constant('drop' as const), at: fc.nat(3), with: fc.nat(3) }),
      fc.record({ how: fc.constant('copy' as const), at: fc.nat(3), with: fc.nat(3) }),
      fc.record({ how: fc.constant('text' as const), at: fc.nat(3), with: fc.nat(3) }),
    ),
    { minLength: 1, maxLength: 4 },
  );
  holds(
    fc.property(edits, (all) => {
      const changed = all.reduce<readonly string[]>((now, edit) => {
        const [at, from] = [edit.at % now.length, edit.with % now.length];
        const [one = '', other = ''] = [now[at], now[from]];
        if (edit.how === 'swap') return now.with(at, other).with(from, one);
        if (edit.how === 'drop') return now.length > 1 ? now.toSpliced(at, 1) : now;
        if (edit.how === 'copy') return now.toSpliced(at, 0, other);
        return now.with(at, one.replace('{', '{"x":1,'));
      }, lines);
      const read = readSealedLines(changed.join(''), options).lines;
      expect(read).toEqual(texts.slice(0, read.length));
      let same = 0;
      while (same < lines.length && changed[same] === lines[same]) same += 1;
      expect(read.length).toBeLessThanOrEqual(same);
    }),
  );
});
