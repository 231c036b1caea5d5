import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readPlan } from '../../src/outputs/plan-file.js';
import { readVerdict } from '../../src/outputs/verdict-file.js';
import { holds } from '../fakes/holds.js';

const verdict = { pass: false, comments: 'The list {a} lacks "b" and ].' };
const json = JSON.stringify(verdict, undefined, 2);

describe('a verdict is read', () => {
  it.each([
    ['as plain JSON', json],
    ['with a BOM', `\uFEFF${json}\n`],
    ['in a fence', `\`\`\`json\n${json}\n\`\`\`\n`],
    ['in a fence with CR LF', `\`\`\`json\r\n${json}\r\n\`\`\`\r\n`],
    ['with a BOM and a fence', `\uFEFF\`\`\`\n${json}\n\`\`\``],
    ['with a sentence before it', `Here is my verdict {as asked}:\n\n${json}`],
    ['with a sentence after it', `${json}\n\nThat is all. See {docs} and [1].`],
    ['with text on the same line', `Verdict: ${JSON.stringify(verdict)} (done)`],
  ])('%s', (_, text) => {
    expect(readVerdict(text)).toEqual(verdict);
  });
});

describe('anything else is a problem that quotes the first line', () => {
  it.each([
    ['a sentence', 'LGTM, ship it\nreally', 'It starts with: LGTM, ship it'],
    ['two verdicts', '{"pass": true}\n{"pass": false, "comments": "no"}', 'It starts with: {"pass": true}'],
    ['a quoted example', 'I was asked for {"pass": true}.\n{"pass": false, "comments": "x"}', 'I was asked'],
    ['a list', '[{"pass": true}]', 'It starts with: [{"pass": true}]'],
    ['a broken object', '{"pass": true', 'It starts with: {"pass": true'],
    ['a word', 'true', 'It starts with: true'],
    ['an empty file', ' \n', 'The file is empty.'],
    ['a long line', 'x'.repeat(500), `It starts with: ${'x'.repeat(199)}…`],
  ])('%s', (_, text, problem) => {
    const read = readVerdict(text);
    expect(read).toContain('`.gump/out/validate.json` is not a JSON object. ');
    expect(read).toContain(problem);
  });
});

describe('a plan is read', () => {
  const plan = '[{"name": "a", "files": ["x[0].ts"]}]';
  const tasks = [{ name: 'a', description: '', files: ['x[0].ts'], slug: 'a' }];

  it.each([
    ['with a BOM', `\uFEFF${plan}`],
    ['in a fence', `\`\`\`json\n${plan}\n\`\`\``],
    ['between sentences', `The plan [1]:\n- [ ] to do\n${plan}\nDone [x](y).`],
  ])('%s', (_, text) => {
    expect(readPlan(text)).toEqual(tasks);
  });

  it('an object or a sentence is a problem that quotes the first line', () => {
    expect(readPlan(`{"tasks": ${plan}}`)).toContain(
      '`.gump/out/plan.json` is not a JSON array of tasks. It starts with: {"tasks"',
    );
    expect(readPlan('No tasks are needed.')).toContain('It starts with: No tasks are needed.');
    expect(readPlan(`${plan}\n${plan}`)).toContain('is not a JSON array of tasks');
  });
});

it('never throws, and reads every verdict in every text without brackets around it', () => {
  holds(fc.property(fc.string(), (text) => void readVerdict(text)));
  const words = fc.string().filter((text) => !/[{}[\]"]/.test(text));
  holds(
    fc.property(words, fc.string(), words, (before, comments, after) => {
      const text = `${before}${JSON.stringify({ pass: true, comments })}${after}`;
      expect(readVerdict(text)).toEqual({ pass: true, comments });
    }),
  );
});
