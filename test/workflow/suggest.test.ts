import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { closest, didYouMean } from '../../src/workflow/suggest.js';
import { holds } from '../fakes/holds.js';

const keys = ['name', 'prompt', 'session', 'agent', 'gate', 'retry', 'session-match'];

describe('the closest word', () => {
  it.each([
    ['promt', 'prompt'],
    ['pormpt', 'prompt'],
    ['sesion', 'session'],
    ['sessions', 'session'],
    ['gates', 'gate'],
    ['Agent', 'agent'],
    ['session_match', 'session-match'],
  ])('to %s is %s', (word, expected) => {
    expect(closest(word, keys)).toBe(expected);
  });

  it.each(['frobnicate', '', 'x', 'p'.repeat(1000)])('to %j is none', (word) => {
    expect(closest(word, keys)).toBeUndefined();
  });

  it('is the word itself if it is a candidate', () => {
    holds(
      fc.property(fc.string({ minLength: 1, maxLength: 40 }), (word) => {
        expect(closest(word, ['some', word, 'others'])?.toLowerCase().replaceAll('_', '-')).toBe(
          word.toLowerCase().replaceAll('_', '-'),
        );
      }),
    );
  });

  it('becomes a question, or empty text', () => {
    expect(didYouMean('promt', keys)).toBe(' Did you mean `prompt`?');
    expect(didYouMean('zzzzzz', keys)).toBe('');
  });
});
