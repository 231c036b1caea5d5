import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { judgeSchema } from '../../src/gates/schema.js';
import { planGap, readPlan } from '../../src/outputs/plan-file.js';
import { holds } from '../fakes/holds.js';

describe('readPlan', () => {
  it('reads tasks, passes over further keys, and lets `description` and `files` be left out', () => {
    expect(readPlan('[{"name": "a", "description": "d", "files": ["x"], "more": 1}, {"name": "b"}]')).toEqual(
      [
        { name: 'a', description: 'd', files: ['x'], slug: 'a' },
        { name: 'b', description: '', files: [], slug: 'b' },
      ],
    );
  });

  it.each([
    [undefined, 'left no .gump/out/plan.json'],
    ['{}', 'not a JSON array'],
    ['null', 'not a JSON array'],
    ['[1]', 'task 1 is not an object'],
    ['[{"name": " "}]', 'task 1 has no "name"'],
    ['[{"name": "a", "description": 1}]', '"description" of task 1'],
    ['[{"name": "a", "files": "x"}]', '"files" of task 1'],
    ['[{"name": "a"}, {}, {"name": 3}]', 'task 2 has no "name"; task 3 has no "name"'],
    ['[{"name": "a"}, {"name": "a"}]', 'two tasks with the name "a"'],
  ])('says what is wrong with %s', (text, said) => {
    expect(readPlan(text)).toContain(said);
  });

  it('never throws, and gives every name a part of a path of its own, on every reading the same', () => {
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

it('gives a name that looks like one with a hash another path than that one', () => {
  const [first] = readPlan('[{"name": "a b"}]') as readonly { readonly slug: string }[];
  const both = readPlan(JSON.stringify([{ name: 'a b' }, { name: first?.slug }]));
  expect(new Set((both as readonly { readonly slug: string }[]).map((task) => task.slug)).size).toBe(2);
  const halves = readPlan('[{"name": "\\ud800"}, {"name": "\\ud801"}]') as readonly {
    readonly slug: string;
  }[];
  expect(halves[0]?.slug).not.toBe(halves[1]?.slug);
});

describe('the gate `schema`', () => {
  it('asks for a description of every task and for no empty entry in files', () => {
    expect(judgeSchema('plan', '[{"name": "a", "description": "d"}]').status).toBe('passed');
    expect(judgeSchema('plan', '[{"name": "a"}]')).toMatchObject({
      status: 'failed',
      output: expect.stringContaining('a'),
    });
    expect(planGap([{ name: 'a', description: 'd', files: [' '], slug: 'a' }])).toContain('empty entry');
  });

  it('holds a verdict against its own contract', () => {
    expect(judgeSchema('review', '{"pass": true}').status).toBe('passed');
    expect(judgeSchema('review', '{"pass": "yes"}').status).toBe('failed');
  });
});
