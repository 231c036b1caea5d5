import { describe, expect, it } from 'vitest';
import { positionOf } from '../../src/workflow/diagnostic.js';
import { rewriteNestedInputs } from '../../src/workflow/nested-inputs.js';
import { parseWorkflow } from '../fakes/parse-workflow.js';

describe('rewriting of nested inputs', () => {
  it.each([
    ['a gate', '- validate: a/b\n    c: d\n'],
    ['a call', 'workflow: a\n  c: d\n'],
    ['a quoted path', '- validate: "a b"\n    c: d\n'],
    ['a comment after the path', '- validate: a/b # why\n    c: d\n'],
    ['comments and blank lines before the inputs', '- validate: a/b\n\n # why\n\n    c: d\n'],
    ['several spaces', '- validate:   a/b  \n    c: d\n'],
    ['a block scalar', '- validate: a/b\n    c: |\n      d\n'],
    ['Windows line endings', '- validate: a/b\r\n    c: d\r\n'],
  ])('keeps the length and the following lines: %s', (_, text) => {
    const rewritten = rewriteNestedInputs(text);
    expect(rewritten).not.toBe(text);
    expect(rewritten.length).toBe(text.length);
    expect(rewritten.split('\n').slice(1)).toEqual(text.split('\n').slice(1));
  });

  it.each([
    ['inputs next to the key', '- validate: a\n  c: d\n'],
    ['no inputs', 'workflow: a\nwith:\n  c: d\n'],
    ['a path at the end of the file', 'workflow: a\n'],
    ['a mapping', 'workflow:\n  c: d\n'],
    ['a block scalar', 'prompt: |\n  workflow: a\n    c: d\n'],
    ['quoted text', 'prompt: "\n  workflow: a\n    c: d"\n'],
    ['a plain scalar of several lines', 'prompt: do\n  workflow: a\n    c: d\n'],
    ['a comment', '# workflow: a\n#   c: d\n'],
    ['another key', 'workflows: a\n  c: d\n'],
    ['a path of several lines', 'workflow: a\n  b c\n'],
    ['a nested list', 'workflow: a\n  - c: d\n'],
    ['a flow mapping', '{workflow: a,\n   c: d}\n'],
  ])('does not change %s', (_, text) => {
    expect(rewriteNestedInputs(text)).toBe(text);
  });

  it('keeps the positions of all problems', () => {
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
