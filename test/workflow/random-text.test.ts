import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { renderDiagnostic } from '../../src/workflow/diagnostic.js';
import { loadWorkflow } from '../../src/workflow/load.js';
import { holds } from '../fakes/holds.js';
import { parseWorkflow } from '../fakes/parse-workflow.js';
import { providers } from './fixtures.js';

/** Every called workflow and prompt file is the text itself, so that calls, cycles and prompt files occur too. */
function checked(text: string): readonly string[] {
  const library = { builtIns: { tdd: text }, read: () => ({ text }) };
  const { workflow, files } = loadWorkflow({ source: 'any.yaml', text, directory: '' }, library, {
    providers,
    vars: ['v'],
  });
  const diagnostics = files[0]?.diagnostics ?? [];
  const all = files.flatMap((one) => one.diagnostics);
  for (const one of diagnostics) {
    expect(one.start).toBeGreaterThanOrEqual(0);
    expect(one.end).toBeGreaterThanOrEqual(one.start);
    expect(one.end).toBeLessThanOrEqual(text.length);
    expect(renderDiagnostic(one, { file: 'any.yaml', text })).toContain(`[${one.code}]`);
  }
  expect(diagnostics.length).toBeLessThanOrEqual(101);
  expect(workflow === undefined).toBe(all.some(({ severity }) => severity === 'error'));
  return diagnostics.map(({ code }) => code);
}

// Pieces of workflows. Shuffled, they reach far more code than random characters.
const pieces = [
  ...['name: a\n', 'steps:\n', '  - name: b\n', '    type: code\n', '    agent: claude\n', '    prompt: x\n'],
  ...[
    '    steps:\n',
    '      - name: c\n',
    '        type: split\n',
    '        each:\n',
    '    parallel: true\n',
  ],
  ...[
    '    workflow: tdd\n',
    '      a: "{b.output}"\n',
    '    with: {a: "{spec} {task.name}"}\n',
    '    worktree: none\n',
  ],
  ...[
    '    gate:\n',
    '      - validate: validators/x\n',
    '          d: "{gate.x.error}"\n',
    '    hitl: true\n',
  ],
  ...['    context: [{file: "{x}"}, {bash: ls}]\n', '    guard: {max_time: 5m, max_turns: "3"}\n'],
  ...['    prompt: {file: p.md}\n', '      workflow: y.yaml # c\n', 'max_budget: 3\n', '    agent: pass\n'],
  ...['    get:\n', '      session: from: b\n', '    session: {from: b}\n', '    run: {agent: {b.agent}}\n'],
  ...[
    '    gate: [test, {bash: x}, "touched: y"]\n',
    '    retry:\n',
    '      - exit: 2\n',
    '      - not: gate.x\n',
  ],
  ...[
    'x-a: &a\n',
    '<<: *a\n',
    '    <<: *a\n',
    '*a : 1\n',
    '? [1]\n',
    '"',
    "'",
    '{',
    '}',
    '[',
    ']',
    ': ',
    '- ',
    '\t',
  ],
  ...[
    '---\n',
    '|\n',
    '!!set ',
    '# c\n',
    '\r\n',
    '\ufeff',
    '\ud83d',
    '\0',
    'null',
    '~',
    '__proto__: 1\n',
    '%YAML 1.1\n',
  ],
];

describe('reading any text', () => {
  it('results in a workflow or in problems with valid positions', () => {
    holds(
      fc.property(fc.string({ unit: 'binary' }), (text) => void checked(text)),
      40,
    );
  });

  it('handles shuffled pieces of workflows', () => {
    const text = fc.array(fc.constantFrom(...pieces), { maxLength: 30 }).map((parts) => parts.join(''));
    holds(
      fc.property(text, (one) => void checked(one)),
      150,
    );
  });

  it('handles any values in a workflow', () => {
    holds(
      fc.property(fc.jsonValue(), fc.jsonValue(), fc.jsonValue(), (a, b, c) => {
        const [x, y, z] = [a, b, c].map((value) => JSON.stringify(value));
        checked(
          `name: ${x}\nsteps:\n  - {name: s, gate: ${y}, retry: [${z}, ${x}], session: ${z}, get: ${y}, run: ${x}}\n`,
        );
        checked(
          `{"name": "n", "steps": [{"name": "s", "type": "code", "agent": ${x}, "prompt": ${y}, "retry": ${z}}]}`,
        );
        checked(
          `{"name": "n", "max_budget": ${x}, "max_timeout": ${y}, "on-pause": ${z}, "steps": [{"name": "s", "steps": ${x}, "parallel": ${y}, "max_parallel": ${z}, "guard": ${x}, "hitl": ${y}}, {"name": "t", "workflow": ${y}, "with": ${x}, "gate": [{"validate": ${z}, "a": ${x}}]}]}`,
        );
        checked(
          `{"name": "n", "steps": [{"name": "s", "type": "artifact", "agent": "pass", "context": [${x}], "worktree": ${y}, "get": {"workflow": ${x}, "b": ${z}}, "run": {"guard": {"max_time": ${x}}}, "retry": [{"validate": ${y}, "with": ${z}}]}]}`,
        );
      }),
      40,
    );
  });
});

describe('hostile texts', () => {
  const size = 100_000;
  const numbered = (piece: (index: number) => string): string =>
    Array.from({ length: size / 10 }, (_, index) => piece(index)).join(' ');
  const repeated = (piece: string): string => piece.repeat(Math.floor(size / piece.length));

  it.each([
    ['open brackets', repeated('[')],
    ['open braces', repeated('{a: ')],
    ['dashes', repeated('- ')],
    ['question marks', repeated('? ')],
    ['closed brackets', repeated(']')],
    ['quotes', repeated('"')],
    ['anchors', repeated('&a ')],
    ['documents', repeated('---\n')],
    ['unknown keys', Array.from({ length: size / 10 }, (_, index) => `k${index}: 1\n`).join('')],
    ['steps', `name: a\nsteps:\n${repeated('- {}\n')}`],
    ['sessions', `name: a\nsteps:\n${repeated('- session: from: a\n')}`],
    [
      'merges',
      `x-a: &a {${Array.from({ length: 10_000 }, (_, index) => `k${index}: 1`).join(', ')}}\n${repeated('<<: *a\n').slice(0, 100_000)}`,
    ],
    ['nested inputs', `name: a\nsteps:\n${repeated('- workflow: x\n      a: b\n')}`],
    ['calls and empty lines', `name: a\nsteps:\n${repeated('- workflow: x\n\n\n\n\n')}`],
    [
      'a call before a long line',
      `name: a\nsteps:\n- workflow: x\n   ${' '.repeat(size)}a${' '.repeat(size)}b`,
    ],
    [
      'unknown names',
      `name: a\nsteps:\n- {name: a, type: code, agent: claude, prompt: "${numbered((i) => `{s${i}.x}`)}", y: 1}\n`,
    ],
    [
      'removed names',
      `name: a\nsteps:\n- {name: a, type: code, agent: claude, prompt: "${numbered((i) => `{run.x${i}}`)}"}\n`,
    ],
    [
      'a name of dots',
      `name: a\nsteps:\n- {name: a, type: code, agent: claude, prompt: "{${repeated('a.')}}", y: 1}\n`,
    ],
    [
      'gates and their names',
      `name: a\nsteps:\n- {name: a, type: code, agent: claude, prompt: "${numbered((i) => `{gate.g${i}}`)}", gate: [${numbered((i) => `validate: v${i},`)}]}\n`,
    ],
    [
      'groups in groups',
      `name: a\nsteps:\n${Array.from({ length: 45 }, (_, i) => `${' '.repeat(i * 2)}- name: g\n${' '.repeat(i * 2)}  steps:\n`).join('')}`,
    ],
    ['a step that is an alias', `name: a\nx-s: &s {name: b, bad: 1}\nsteps:\n${repeated('- *s\n')}`],
  ])('%s', (_, text) => {
    expect(checked(text).length).toBeGreaterThan(0);
  });

  it('above half a megabyte are rejected by their length alone', () => {
    expect(checked('#'.repeat(524_289))).toEqual(['too-large']);
    expect(checked('['.repeat(1_000_000))).toEqual(['too-large']);
  });

  it('cannot refer to an anchor within its own value', () => {
    expect(checked('name: &a [*a]\nsteps: []\n')).toContain('yaml-alias');
  });

  it('show a hundred problems and the number of the others', () => {
    const text = `name: a\nsteps:\n${'- {name: b, gate: [test]}\n'.repeat(151)}`;
    const { diagnostics } = parseWorkflow(text, { file: 'a.yaml' });
    expect(diagnostics).toHaveLength(101);
    expect(diagnostics.at(-1)).toMatchObject({
      code: 'too-many',
      message: expect.stringContaining('50 more'),
    });
  });
});

describe('a large workflow', () => {
  it('of a thousand steps that refer to each other is read', () => {
    const step = (index: number): string =>
      `  - name: s${index}\n    steps:\n      - {name: a, type: code, agent: claude, prompt: "{s${index}.a.x} {s${Math.max(0, index - 1)}/a.diff}", session: {from: ${index === 0 ? 'a}, x-a: 1' : 'a}'}}\n      - {name: b, gate: [test]}\n`;
    const text = `name: large\nsteps:\n${Array.from({ length: 333 }, (_, index) => step(index)).join('')}`;
    const { workflow, diagnostics } = parseWorkflow(text, { file: 'a.yaml', providers, vars: [] });
    expect(diagnostics.map(({ code }) => code)).toEqual(['session-from-itself']);
    expect(workflow).toBeUndefined();
  });

  it('of hundreds of steps is read', () => {
    const step = (index: number): string =>
      `  - name: s${index}\n    type: code\n    agent: claude\n    prompt: |\n      ${'Do it. '.repeat(100)}\n    gate: [test]\n`;
    const text = `name: large\nsteps:\n${Array.from({ length: 500 }, (_, index) => step(index)).join('')}`;
    const { workflow, diagnostics } = parseWorkflow(text, { file: 'a.yaml', providers });
    expect(diagnostics).toEqual([]);
    expect(workflow?.steps).toHaveLength(500);
  });
});
