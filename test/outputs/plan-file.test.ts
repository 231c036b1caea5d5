import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { judgeSchema } from '../../src/gates/schema.js';
import { planGap, readPlan } from '../../src/outputs/plan-file.js';
import { holds } from '../fakes/holds.js';

describe('readPlan', () => {
  it('reads tasks, ignores other keys, and allows `description` and `files` to be missing', () => {
    expect(readPlan('[{"name": "a", "description": "d", "files": ["x"], "more": 1}, {"name": "b"}]')).toEqual(
      [
        { name: 'a', description: 'd', files: ['x'], slug: 'a' },
        { name: 'b', description: '', files: [], slug: 'b' },
      ],
    );
  });

  it.each([
    [undefined, 'did not write `.gump/out/plan.json`'],
    ['{}', 'not a JSON array'],
    ['null', 'not a JSON array'],
    ['[1]', 'task 1 is not an object'],
    ['[{"name": " "}]', 'task 1 has no "name"'],
    ['[{"name": "a", "description": 1}]', '"description" of task 1'],
    ['[{"name": "a", "files": "x"}]', '"files" of task 1'],
    ['[{"name": "a"}, {}, {"name": 3}]', 'task 2 has no "name"; task 3 has no "name"'],
    ['[{"name": "a"}, {"name": "a"}]', 'two tasks with the name "a"'],
  ])('reports the problem of %s', (text, problem) => {
    expect(readPlan(text)).toContain(problem);
  });

  it('never throws, and gives every name its own slug, the same on every reading', () => {
    holds(
      fc.property(fc.uniqueArray(fc.string({ unit: 'binary', minLength: 1 })), (names) => {
        const text = JSON.stringify(names.map((name) => ({ name })));
        const tasks = readPlan(text);
        if (typeof tasks === 'string') return;
        const slugs = tasks.map((task) => task.slug);
        expect(new Set(slugs).size).toBe(names.length);
        for (const slug of slugs) expect(slug).toMatch(/^[A-Za-z0-9_-][A-Za-z0-9._-]*$/);
        expect(readPlan(text)).toEqual(tasks);
      }),
    );
    holds(fc.property(fc.string(), (text) => void readPlan(text)));
    holds(fc.property(fc.jsonValue(), (value) => void readPlan(JSON.stringify(value))));
  });
});

it('gives a name that ends like a hash another slug than the hashed name', () => {
  const [first] = readPlan('[{"name": "a b"}]') as readonly { readonly slug: string }[];
  const both = readPlan(JSON.stringify([{ name: 'a b' }, { name: first?.slug }]));
  expect(new Set((both as readonly { readonly slug: string }[]).map((task) => task.slug)).size).toBe(2);
  const halves = readPlan('[{"name": "\\ud800"}, {"name": "\\ud801"}]') as readonly {
    readonly slug: string;
  }[];
  expect(halves[0]?.slug).not.toBe(halves[1]?.slug);
});

describe('the gate `schema`', () => {
  it('requires a description for every task and no empty entry in files', () => {
    expect(judgeSchema('plan', '[{"name": "a", "description": "d"}]').status).toBe('passed');
    expect(judgeSchema('plan', '[{"name": "a"}]')).toMatchObject({
      status: 'failed',
      output: expect.stringContaining('a'),
    });
    expect(planGap([{ name: 'a', description: 'd', files: [' '], slug: 'a' }])).toContain('empty entry');
  });

  it('checks a verdict by its own contract', () => {
    expect(judgeSchema('review', '{"pass": true}').status).toBe('passed');
    expect(judgeSchema('review', '{"pass": "yes"}').status).toBe('failed');
  });
});
