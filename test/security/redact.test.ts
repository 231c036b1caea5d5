import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createRedactor } from '../../src/security/redact.js';
import { holds } from '../fakes/holds.js';

const secret = 'sk-ant-api03-Zk9+/xQ7rT2vLw==';
/** A typical secret: printable, without spaces. */
const someSecret = fc.string({
  unit: fc.constantFrom(...'abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_+/=.ü€'),
  minLength: 16,
  maxLength: 80,
});

describe('createRedactor', () => {
  const redact = createRedactor([secret]);

  it('removes a secret and leaves the rest unchanged', () => {
    expect(redact(`key=${secret}; path=/home/runner`)).toBe('key=***; path=/home/runner');
    expect(redact(`${secret}\n${secret}`)).toBe('***\n***');
  });

  it('removes a secret without its first or last characters', () => {
    expect(redact(`key=${secret.slice(7)}!`)).toBe('key=***!');
    expect(redact(`key=${secret.slice(0, -5)}!`)).toBe('key=***!');
  });

  it('ignores pieces of fewer than 12 characters and values of fewer than 16', () => {
    expect(redact(secret.slice(0, 11))).toBe(secret.slice(0, 11));
    expect(createRedactor(['fifteen-letters'])('fifteen-letters')).toBe('fifteen-letters');
  });

  it('ignores the indentation of a secret with several lines', () => {
    const json = createRedactor([`{\n${' '.repeat(14)}"private": "abcdefghijklmnop"\n}`]);
    expect(json(`${' '.repeat(20)}x`)).toBe(`${' '.repeat(20)}x`);
    expect(json('abcdefghijklmnop')).toBe('***');
  });

  it('returns the text unchanged if there are no secrets', () => {
    expect(createRedactor([])('a text')).toBe('a text');
  });

  it('removes any piece of 12 characters or more, at any position', () => {
    holds(
      fc.property(
        someSecret,
        fc.nat(),
        fc.nat(),
        fc.string(),
        fc.string(),
        (value, from, size, before, after) => {
          const start = from % (value.length - 11);
          const piece = value.slice(start, start + 12 + (size % (value.length - start - 11)));
          expect(createRedactor([value])(before + piece + after)).not.toContain(piece);
        },
      ),
    );
  });

  it('removes the base64 form of a secret within a longer text, at any alignment', () => {
    holds(
      fc.property(
        someSecret,
        fc.string(),
        fc.string(),
        fc.constantFrom('base64' as const, 'base64url' as const),
        (value, before, after, encoding) => {
          const encoded = Buffer.from(before + value + after).toString(encoding);
          const shown = createRedactor([value])(encoded);
          const rest = shown.split('***').map((part) => part.length);
          // Only base64 characters that the secret shares with its neighbours may remain.
          const own = Math.floor((Buffer.byteLength(value) * 8) / 6) - 1;
          expect(rest.reduce((sum, length) => sum + length, 0)).toBeLessThanOrEqual(encoded.length - own);
        },
      ),
    );
  });

  it.each<[string, (text: string) => string]>([
    ['a URL', encodeURIComponent],
    [
      'a URL, in lower case',
      (text) => encodeURIComponent(text).replace(/%../g, (code) => code.toLowerCase()),
    ],
    ['a form', (text) => new URLSearchParams({ a: text }).toString().slice(2)],
    ['JSON', (text) => JSON.stringify(text).slice(1, -1)],
    ['JSON of Go', (text) => JSON.stringify(text).slice(1, -1).replaceAll('&', '\\u0026')],
    ['JSON of PHP', (text) => JSON.stringify(text).slice(1, -1).replaceAll('/', '\\/')],
    ['hexadecimal digits', (text) => Buffer.from(text).toString('hex')],
    ['upper-case hexadecimal digits', (text) => Buffer.from(text).toString('hex').toUpperCase()],
  ])('removes a secret in %s', (_form, encode) => {
    const value = 'pass/word "with" spaces&signs+ü\n\\and%lines';
    const shown = createRedactor([value])(`before=${encode(value)}=after`);
    expect(shown).toBe('before=***=after');
  });

  it('reads any secret, also half of a surrogate pair', () => {
    expect(createRedactor(['\ud83d-CANARY-0123456789'])('CANARY-0123456789')).toBe('***');
  });

  it('leaves texts alone that share fewer than 12 characters with a secret', () => {
    holds(
      fc.property(someSecret, fc.string({ maxLength: 200 }), (value, text) => {
        const shares = Array.from({ length: Math.max(0, text.length - 11) }, (_, at) =>
          text.slice(at, at + 12),
        );
        fc.pre(!shares.some((piece) => value.includes(piece)));
        expect(createRedactor([value])(text)).toBe(text);
      }),
    );
  });

  it('redacts long texts with many secrets', () => {
    const many = Array.from(
      { length: 200 },
      (_, index) => `secret-number-${index}-${'x9'.repeat(index % 20)}-end`,
    );
    const line = 'an ordinary line of a log with some words in it\n';
    const long = line.repeat(40_000);
    expect(createRedactor(many)(`${long}${many[150]}${long}`)).toBe(`${long}***${long}`);
  });
});
