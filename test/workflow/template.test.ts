import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseTemplate, renderTemplate, templateNames } from '../../src/workflow/template.js';
import { holds } from '../fakes/holds.js';

const values: Readonly<Record<string, string>> = {
  a: 'A',
  'b.c': 'BC',
  empty: '',
  lines: 'x\n\ny',
  brace: '{a} {{a}}',
};
const fill = (text: string): string => renderTemplate(parseTemplate(text), (name) => values[name]);

describe('filling a template', () => {
  it.each([
    ['{a}', 'A'],
    ['x {a}{b.c} y', 'x ABC y'],
    ['no names', 'no names'],
    ['', ''],
    ['{unknown}!', '!'],
    ['{{a}}', '{a}'],
    ['{{{a}}}', '{A}'],
    ['{a}}}', 'A}'],
    ['{ a }', '{ a }'],
    ['{}', '{}'],
    ['{"a": 1}', '{"a": 1}'],
    ['{', '{'],
    ['}', '}'],
    ['{a', '{a'],
    ['{ünï-1/x_y}|', '|'],
  ])('%j becomes %j', (text, expected) => {
    expect(fill(text)).toBe(expected);
  });

  it('does not expand or clean inserted values', () => {
    expect(fill('{brace}')).toBe('{a} {{a}}');
  });

  it.each([
    ['one\n{empty}\ntwo', 'one\ntwo'],
    ['one\n  {empty} {unknown}  \ntwo', 'one\ntwo'],
    ['one\n{empty}', 'one'],
    ['{empty}\none\n', 'one\n'],
    ['one\r\n{empty}\r\ntwo', 'one\r\ntwo'],
  ])('removes a line that contained a name and is blank after filling: %j', (text, expected) => {
    expect(fill(text)).toBe(expected);
  });

  it('keeps blank lines of the template and of a value', () => {
    expect(fill('one\n\n{lines}\n \n{empty}\n')).toBe('one\n\nx\n\ny\n \n');
  });

  it('keeps a line that contains only braces after filling', () => {
    expect(fill('{{\n}}')).toBe('{\n}');
  });
});

describe('templateNames', () => {
  it('lists each name once, in order, without escaped ones', () => {
    expect(templateNames(parseTemplate('{b.c} {a}\n{b.c} {{no}} {gate.test.error}'))).toEqual([
      'b.c',
      'a',
      'gate.test.error',
    ]);
  });
});

describe('any value', () => {
  it('is inserted without changes', () => {
    holds(
      fc.property(fc.string(), (value) => {
        expect(renderTemplate(parseTemplate('<{v}>'), () => value)).toBe(`<${value}>`);
      }),
    );
  });

  it('that looks like a template is not expanded', () => {
    const piece = fc.constantFrom('{a}', '{{', '}}', '{v}', '\n', ' ', 'x', '{empty}');
    holds(
      fc.property(fc.array(piece), (pieces) => {
        const value = pieces.join('');
        const requested: string[] = [];
        const resolve = (name: string): string => {
          requested.push(name);
          return value;
        };
        expect(renderTemplate(parseTemplate('[{v}]\n{other}.'), resolve)).toBe(`[${value}]\n${value}.`);
        expect(requested).toEqual(['v', 'other']);
      }),
    );
  });

  it('can be part of a template if its braces are doubled', () => {
    holds(
      fc.property(fc.string({ unit: fc.constantFrom('{', '}', 'a', '.', '\n', ' ') }), (text) => {
        const escaped = text.replaceAll('{', '{{').replaceAll('}', '}}');
        expect(renderTemplate(parseTemplate(escaped), () => 'never')).toBe(text);
      }),
    );
  });
});
