import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { cleanCode, cleanLine, cleanMarkdown } from '../../src/event/clean-text.js';

const hidden: readonly (readonly [string, string])[] = [
  ['zero width space', '\u200B'],
  ['zero width non-joiner', '\u200C'],
  ['zero width joiner', '\u200D'],
  ['word joiner', '\u2060'],
  ['byte order mark', '\uFEFF'],
  ['soft hyphen', '\u00AD'],
  ['left-to-right mark', '\u200E'],
  ['bidi override', '\u202E'],
  ['bidi isolate', '\u2066'],
  ['Arabic letter mark', '\u061C'],
  ['Hangul filler', '\u3164'],
  ['Mongolian vowel separator', '\u180E'],
  ['variation selector', '\uFE00'],
  ['variation selector 256', '\u{E01EF}'],
  ['tag', '\u{E0041}'],
  ['annotation anchor', '\uFFF9'],
  ['escape', '\u001B'],
  ['null', '\u0000'],
  ['C1 control', '\u0085'],
  ['half of a pair', '\uD83D'],
];

describe('a text of GitHub', () => {
  it.each(hidden)('loses the invisible character "%s"', (_, character) => {
    expect(cleanMarkdown(`a${character}b`)).toBe('ab');
    expect(cleanCode(`a${character}${character}b`)).toBe('ab');
  });

  it.each(['naïve 日本語 עברית العربية हिन्दी', '👩‍💻 ❤️ 🏳️‍🌈 👍🏽 1️⃣ ©', 'a\tb\nc', '[ ] task'])(
    'keeps %j',
    (text) => expect(cleanMarkdown(text)).toBe(text),
  );

  it('keeps no joiner outside of emoji, and at most one selector in them', () => {
    expect(cleanMarkdown('a\u200Db')).toBe('ab');
    expect(cleanMarkdown('😀\uFE0F\uFE0F\u{E0061}')).toBe('😀\uFE0F');
  });

  it.each([
    ['before <!-- hidden --> after', 'before  after'],
    ['a<!-- b\nc -->d', 'ad'],
    ['a<!-- never closed\nb', 'a'],
    ['a<!-->b<!--->c', 'abc'],
    ['a <!-- b <!-- c --> d', 'a  d'],
    ['a<!\u200B-- hidden -->b', 'ab'],
    ['<!<!-- x -->-- hidden -->b', 'b'],
    ['--> a', '--> a'],
    ['a <! b', 'a <! b'],
  ])('loses HTML comments: %j', (text, cleaned) => expect(cleanMarkdown(text)).toBe(cleaned));

  it('has the same line ends everywhere', () => {
    expect(cleanCode('a\r\nb\rc\u2028d')).toBe('a\nb\nc\nd');
  });

  it('has HTML comments if it is code', () => {
    expect(cleanCode('+<!-- note -->')).toBe('+<!-- note -->');
  });

  it('is one line if it is a title', () => {
    expect(cleanLine(' Fix\n the <!-- x -->bug\u202E ')).toBe('Fix the bug');
  });

  it('never contains the start of a comment, and does not change a second time', () => {
    const part = fc.constantFrom('<!--', '-->', '<!', '--', '<', '>', '-', ' ', 'a', '\u200B');
    fc.assert(
      fc.property(fc.array(part, { maxLength: 60 }), (parts) => {
        const cleaned = cleanMarkdown(parts.join(''));
        expect(cleaned).not.toContain('<!--');
        expect(cleanMarkdown(cleaned)).toBe(cleaned);
      }),
    );
  });
});
