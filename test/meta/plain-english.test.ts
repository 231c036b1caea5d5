/** Text for people and agents is plain English: it contains none of a short list of archaic words. */
import { describe, expect, it } from 'vitest';
import { listFiles, readText } from './project-files.js';
import { commentsIn, textsIn } from './source-text.js';

const bannedWords = [
  'told',
  'mend',
  'anew',
  'afresh',
  'beside',
  'goes on',
  'cannot be had',
  'lies',
  'stands for nothing',
];

const pattern = new RegExp(`\\b(?:${bannedWords.join('|').replaceAll(' ', '\\s+')})\\b`, 'gi');

/** `FILE:LINE: WORD` for every banned word in the text of a file. */
function findBannedWords(file: string, text: string): readonly string[] {
  return [...text.matchAll(pattern)].map((match) => {
    const line = text.slice(0, match.index).split('\n').length;
    return `${file}:${line}: ${match[0].replaceAll(/\s+/g, ' ')}`;
  });
}

const sources = listFiles('src/*.ts');

const pages = listFiles(
  'README.md',
  'CHANGELOG.md',
  'CONTRIBUTING.md',
  'SECURITY.md',
  'action.yml',
  'resume/action.yml',
  'docs/*',
  'examples/*',
  'src/builtin/*.yaml',
);

describe('plain English', () => {
  it('is checked in all files', () => {
    expect(sources.length).toBeGreaterThan(200);
    expect(pages.length).toBeGreaterThan(30);
  });

  it('is in all messages and prompts of src', () => {
    expect(sources.flatMap((file) => findBannedWords(file, textsIn(readText(file))))).toEqual([]);
  });

  it('is in all comments of src', () => {
    expect(sources.flatMap((file) => findBannedWords(file, commentsIn(readText(file))))).toEqual([]);
  });

  it('is in all pages, examples and built-in workflows', () => {
    expect(pages.flatMap((file) => findBannedWords(file, readText(file)))).toEqual([]);
  });
});

describe('the scanner of source files', () => {
  const shown = (text: string) => text.replaceAll(/[\0\s]+/g, ' ').trim();

  it.each([
    ["a('x y', \"it's z\")", "'x y' \"it's z\""],
    ["a('no-space')", ''],
    [`\`a \${b ? \`c \${d} e\` : {}} f\` + "g h"`, `\`a \${ \`c \${ } e\` } f\` "g h"`],
    ["x.replace(/[/'\"`]/g, 'a b'); y = 4 / 2 + ' c / d'", "'a b' ' c / d'"],
    ["// it's a comment\n/* 'b c' */ f('d e')", "'d e'"],
  ])('finds the texts of %j', (source, expected) => {
    expect(shown(textsIn(source))).toBe(expected);
  });

  it.each([
    ["f('// a b') // c d", 'c d'],
    ['/** a\n * b */ c /* d */', 'a b d'],
    [`const a = \`// \${b /* c */} d\``, 'c'],
    ["x = /'/; // a\nreturn /\\//.test(y); // b", 'a b'],
  ])('finds the comments of %j', (source, expected) => {
    expect(shown(commentsIn(source))).toBe(expected);
  });

  it.each(sources)('keeps the lines of %s and finds no unclosed text', (file) => {
    const source = readText(file);
    const lengths = (text: string) => text.split('\n').map((line) => line.length);
    expect(lengths(textsIn(source))).toEqual(lengths(source));
    expect(lengths(commentsIn(source))).toEqual(lengths(source));
    // A scanner that is confused by one quote takes code for text.
    expect(textsIn(source)).not.toMatch(/;\n *(?:const|return) /);
  });

  it('finds a phrase on two lines of a comment', () => {
    const comment = commentsIn('/**\n * It goes\n * on.\n */\n// It goes\n// on.');
    expect(findBannedWords('a.ts', comment)).toEqual(['a.ts:2: goes on', 'a.ts:5: goes on']);
  });
});
