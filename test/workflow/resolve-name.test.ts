import { describe, expect, it } from 'vitest';
import { type NameScope, resolveName } from '../../src/workflow/resolve-name.js';

const scope: NameScope = {
  path: 'build/a/impl',
  workflowPrefix: '',
  attempt: 2,
  inputs: {},
  getPaths: {},
  spec: 'the spec',
  error: 'why',
  diff: 'what',
  step: { output: 'mine' },
  prev: { status: 'fail', 'gate.test': 'false' },
  gates: { test: { pass: false, error: 'E', comments: 'C' }, lint: { pass: true } },
  vars: { team: 'blue', 'tests.agent': 'from vars', spec: 'not this' },
  state: new Map([
    ['plan.output', 'top plan'],
    ['tests.output', 'top tests'],
    ['build.output', 'the tasks'],
    ['build/a/tests.output', 'tests of a'],
    ['build/b/tests.output', 'tests of b'],
    ['build/a/tests.gate.compile', 'true'],
    ['steps.old.output', 'gone'],
    ['gate.output', 'a step called gate'],
    ['flat', 'flat value'],
    ['pr.diff', 'of the step'],
  ]),
  event: new Map([
    ['pr.diff', 'of the event'],
    ['pr.title', 'A title'],
    ['run.url', 'https://x'],
  ]),
};

const resolve = (name: string, more: Partial<NameScope> = {}): string | undefined =>
  resolveName(name, { ...scope, ...more });

describe('resolveName', () => {
  it.each([
    ['spec', 'the spec'],
    ['attempt', '2'],
    ['error', 'why'],
    ['diff', 'what'],
    ['output', 'mine'],
    ['prev.status', 'fail'],
    ['prev.gate.test', 'false'],
    ['gate.test', 'false'],
    ['gate.lint', 'true'],
    ['gate.test.pass', 'false'],
    ['gate.test.error', 'E'],
    ['gate.test.comments', 'C'],
    ['team', 'blue'],
    ['flat', 'flat value'],
    ['tests.agent', 'from vars'],
    ['pr.diff', 'of the step'],
    ['pr.title', 'A title'],
    ['run.url', 'https://x'],
    ['run.state', undefined],
  ])('resolves %s', (name, expected) => {
    expect(resolve(name)).toBe(expected);
  });

  it.each([
    'nothing',
    'no.thing',
    'gate.none',
    'gate.lint.error',
    'gate.test.other',
    'gate.test.error.x',
    'prev.none',
    '',
  ])('does not resolve %j', (name) => {
    expect(resolve(name)).toBeUndefined();
  });

  it.each([
    'constructor',
    'toString',
    '__proto__',
    'prev.constructor',
    'gate.constructor',
    'gate.toString.pass',
  ])('does not resolve the object property %s', (name) => {
    expect(resolve(name)).toBeUndefined();
  });

  it('resolves no previous attempt in the first attempt', () => {
    const first = { attempt: 1 };
    expect(resolve('prev.status', first)).toBeUndefined();
    expect(resolve('gate.test', first)).toBeUndefined();
    expect(resolve('gate.output', first)).toBeUndefined();
  });

  it('resolves no name of an earlier version of the language', () => {
    expect(resolve('steps.old.output')).toBeUndefined();
  });
});

describe('names of other steps', () => {
  it('are resolved from the nearest scope outwards', () => {
    expect(resolve('tests.output')).toBe('tests of a');
    expect(resolve('tests.gate.compile')).toBe('true');
    expect(resolve('build.output')).toBe('the tasks');
    expect(resolve('plan.output')).toBe('top plan');
  });

  it('are resolved at the top level for a top-level step', () => {
    expect(resolve('tests.output', { path: 'impl' })).toBe('top tests');
  });

  it('may be full paths', () => {
    expect(resolve('build/b/tests.output')).toBe('tests of b');
    expect(resolve('build/b/tests.output', { path: 'impl' })).toBe('tests of b');
  });
});
