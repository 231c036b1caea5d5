import { describe, expect, it } from 'vitest';
import { positionOf } from '../../src/workflow/diagnostic.js';
import { rewriteNestedInputs } from '../../src/workflow/nested-inputs.js';
import { parseWorkflow } from '../../src/workflow/parse.js';

describe('the rewriting of deeper inputs', () => {
  it.each([
    ['a gate', '- validate: a/b\n    c: d\n'],
    ['a call', 'workflow: a\n  c: d\n'],
    ['a path in quotes', '- validate: "a b"\n    c: d\n'],
    ['a comment behind', '- validate: a/b # why\n    c: d\n'],
    ['comments and blank lines between', '- validate: a/b\n\n # why\n\n    c: d\n'],
    ['many blanks', '- validate:   a/b  \n    c: d\n'],
    ['a value on lines of its own', '- validate: a/b\n    c: |\n      d\n'],
    ['line ends of Windows', '- validate: a/b\r\n    c: d\r\n'],
  ])('keeps the length and all lines: %s', (_, text) => {
    const rewritten = rewriteNestedInputs(text);
    expect(rewritten).not.toBe(text);
    expect(rewritten.length).toBe(text.length);
    expect(rewritten.split('\n').slice(1)).toEqual(text.split('\n').slice(1));
  });

  it.each([
    ['inputs beside the key', '- validate: a\n  c: d\n'],
    ['no inputs', 'workflow: a\nwith:\n  c: d\n'],
    ['the end', 'workflow: a\n'],
    ['a mapping', 'workflow:\n  c: d\n'],
    ['a block of text', 'prompt: |\n  workflow: a\n    c: d\n'],
    ['a quoted text', 'prompt: "\n  workflow: a\n    c: d"\n'],
    ['a text over lines', 'prompt: do\n  workflow: a\n    c: d\n'],
    ['a comment', '# workflow: a\n#   c: d\n'],
    ['another key', 'workflows: a\n  c: d\n'],
    ['a longer path over lines', 'workflow: a\n  b c\n'],
    ['a list below', 'workflow: a\n  - c: d\n'],
    ['a flow mapping', '{workflow: a,\n   c: d}\n'],
  ])('leaves %s alone', (_, text) => {
    expect(rewriteNestedInputs(text)).toBe(text);
  });

  it('moves no place', () => {
    const text = `name: a
steps:
  - name: b
    gate:
      - validate: ""
          c: d
      - validate: x # here
          e: [f]
    bad: 1
`;
    const { diagnostics } = parseWorkflow(text, { file: 'a.yaml' });
    const places = diagnostics.map((one) => {
      const { line, column, endColumn } = positionOf(one, text);
      return [one.code, line, column, endColumn];
    });
    expect(places).toEqual([
      ['empty-value', 5, 19, 21],
      ['wrong-type', 8, 11, 12],
      ['unknown-key', 9, 5, 8],
    ]);
    expect(JSON.stringify(diagnostics)).not.toMatch(/[\uE000]/);
  });
});
