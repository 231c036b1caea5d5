import { expect, it } from 'vitest';
import { displayWidth, fitColumns } from '../../src/local/columns.js';

it('pads columns, and omits those without a value', () => {
  expect(
    fitColumns(
      [
        ['Step', 'Agent', 'Time'],
        ['a', '', '1 s'],
        ['long', '', ''],
      ],
      80,
    ),
  ).toEqual(['Step  Time', 'a     1 s', 'long']);
});

it('shortens the widest column first', () => {
  expect(
    fitColumns(
      [
        ['Step', 'Agent'],
        ['a very long path of a step', 'claude'],
      ],
      20,
    ),
  ).toEqual(['Step          Agent', 'a very long…  claude']);
});

it('counts two columns for an emoji, and none for a joiner', () => {
  expect(['✅ a', '✗ a', 'a\u2060b', '漢'].map(displayWidth)).toEqual([4, 3, 2, 2]);
});
