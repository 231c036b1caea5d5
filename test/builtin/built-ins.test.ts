/** The workflows of the package: that they are read without a word, and hold what they are told to hold. */
import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { builtIns } from '../../src/builtin/builtin-workflows.js';
import { judgeTouch } from '../../src/gates/touched.js';
import { renderDiagnostic } from '../../src/workflow/diagnostic.js';
import type { AgentStep, Gate, Step } from '../../src/workflow/workflow.js';
import { listFiles, repositoryRoot } from '../meta/project-files.js';
import { builtIn, loadBuiltIn } from './load-built-in.js';

const names = Object.keys(builtIns);
const workflows = names.filter((name) => !name.includes('/'));

const allSteps = (steps: readonly Step[]): readonly Step[] =>
  steps.flatMap((step) => [step, ...(step.kind === 'split' ? allSteps(step.each) : [])]);

const agentSteps = (name: string): readonly AgentStep[] =>
  allSteps(builtIn(name).steps).flatMap((step) => {
    if (step.kind === 'split') return [step.planner];
    return step.kind === 'agent' ? [step] : [];
  });

function step(name: string, wanted: string): AgentStep {
  const found = agentSteps(name).find((one) => one.name === wanted);
  if (found === undefined) throw new Error(`${name} has no step ${wanted}.`);
  return found;
}

/** Agents of a step in the order of its attempts: `[condition, agent]`. */
const agentsByAttempt = ({ agent, retry }: AgentStep) => [
  [1, agent],
  ...retry.flatMap(({ when, overrides }) =>
    'attempt' in when && overrides.agent !== undefined ? [[when.attempt, overrides.agent]] : [],
  ),
  ...retry.flatMap(({ when }) => ('exit' in when ? [['exit', when.exit]] : [])),
];

const gateTypes = ({ gates }: Step) => gates.map(({ type }) => type);

describe('the registry', () => {
  it('is made of the files beside it', () => {
    const check = () =>
      execFileSync(process.execPath, ['scripts/builtins.mjs', '--check'], { cwd: repositoryRoot });
    expect(check).not.toThrow();
  });

  it('has every one of them', () => {
    const there = listFiles('src/builtin/**/*.yaml', 'src/builtin/*.yaml').map((path) =>
      path.replace(/^src\/builtin\/|\.yaml$/g, ''),
    );
    expect(names).toEqual([...new Set(there)].sort());
  });
});

describe('each of them', () => {
  it.each(names)('%s is read without a diagnostic', (name) => {
    const { files: read } = loadBuiltIn(name);
    const reported = read.flatMap(({ file, text, diagnostics }) =>
      diagnostics.map((one) => renderDiagnostic(one, { file, text })),
    );
    expect(reported).toEqual([]);
    expect(builtIn(name).name).toBe(name.split('/').at(-1));
  });

  it.each(names)('%s has a cap in dollars, and limits for every agent', (name) => {
    expect(builtIn(name).budget.maxUsd).toBeGreaterThan(0);
    const working = agentSteps(name).filter(({ agent }) => agent !== 'pass');
    expect(working.length).toBeGreaterThan(0);
    for (const { guard } of working) {
      expect(guard.maxTurns).toBeGreaterThan(0);
      expect(guard.maxTimeMs).toBeGreaterThan(0);
    }
  });

  it.each(names)('%s says what every agent is to do', (name) => {
    for (const { agent, prompt } of agentSteps(name).filter((one) => one.agent !== 'pass')) {
      expect(agent).not.toBe('');
      expect(prompt.length).toBeGreaterThan(200);
    }
  });

  it.each(names)('%s needs no file that a repository might not have', (name) => {
    const named = agentSteps(name).flatMap(({ context }) => context);
    expect(named.filter(({ type }) => type === 'file')).toEqual([]);
    // A command that fails is a warning in every attempt.
    for (const entry of named) {
      const run = () =>
        entry.type === 'bash' &&
        execFileSync('sh', ['-c', entry.command], { cwd: join(repositoryRoot, 'test') });
      expect(run).not.toThrow();
    }
    expect(existsSync(join(repositoryRoot, 'test', 'docs'))).toBe(false);
  });

  it.each(workflows)('%s is told the spec', (name) => {
    expect(agentSteps(name)[0]?.prompt).toContain('{spec}');
  });
});

describe('plans', () => {
  const split = workflows.filter((name) => name !== 'freeform');

  it.each(split)('%s has its plan looked at, and hands it to those who work', (name) => {
    const plan = builtIn(name).steps[0];
    if (plan?.kind !== 'split') throw new Error('no split');
    expect(gateTypes(plan)).toEqual(['schema']);
    expect(plan.planner.prompt).toContain('`files`');
    for (const inner of plan.each) {
      expect(inner.kind === 'agent' ? inner.prompt : '').toContain('{task.name}');
    }
    expect(plan.each[0]).toMatchObject({ prompt: expect.stringContaining('{task.description}') });
  });

  it('runs tasks side by side in one of them, and goes over those that clash again', () => {
    const parallel = split.filter((name) => {
      const plan = builtIn(name).steps[0];
      return plan?.kind === 'split' && plan.parallel;
    });
    expect(parallel).toEqual(['parallel-tasks']);
    expect(builtIn('parallel-tasks').steps[0]).toMatchObject({ retry: [{ when: { exit: 2 } }] });
  });

  it.each(split)('%s ends with a look at the whole', (name) => {
    const last = builtIn(name).steps.at(-1);
    expect(last?.name).toBe('quality');
    expect(last && gateTypes(last)).toEqual(
      name === 'bugfix' ? ['compile', 'test'] : ['compile', 'lint', 'test'],
    );
  });
});

describe('ladders', () => {
  it.each([
    ['freeform', 'work', [[1, 'claude-opus']]],
    [
      'tdd',
      'tests',
      [
        [1, 'claude-haiku'],
        [2, 'claude-sonnet'],
        ['exit', 3],
      ],
    ],
    [
      'tdd',
      'impl',
      [
        [1, 'claude-haiku'],
        [4, 'claude-sonnet'],
        ['exit', 5],
      ],
    ],
    [
      'cheap2sota',
      'impl',
      [
        [1, 'qwen-coder'],
        [3, 'claude-haiku'],
        [4, 'claude-sonnet'],
        [5, 'claude-opus'],
        ['exit', 6],
      ],
    ],
    [
      'parallel-tasks',
      'impl',
      [
        [1, 'claude-sonnet'],
        [3, 'claude-opus'],
        ['exit', 4],
      ],
    ],
    [
      'implement-spec',
      'converge',
      [
        [1, 'claude-sonnet'],
        [4, 'claude-opus'],
        ['exit', 6],
      ],
    ],
    [
      'implement-spec',
      'smoke',
      [
        [1, '{converge.agent}'],
        ['exit', 3],
      ],
    ],
    [
      'bugfix',
      'reproduce',
      [
        [1, 'claude-haiku'],
        [2, 'claude-sonnet'],
        ['exit', 3],
      ],
    ],
    [
      'bugfix',
      'patch',
      [
        [1, 'claude-haiku'],
        [3, 'claude-sonnet'],
        ['exit', 4],
      ],
    ],
    [
      'refactor',
      'apply',
      [
        [1, 'claude-sonnet'],
        [3, 'claude-opus'],
        ['exit', 4],
      ],
    ],
  ])('%s: %s', (name, wanted, rungs) => {
    expect(agentsByAttempt(step(name, wanted))).toEqual(rungs);
  });

  it.each(workflows)(
    '%s begins a new conversation wherever the agent changes, and tells it what was done',
    (name) => {
      for (const { agent, retry } of agentSteps(name).filter((one) => one.agent !== 'pass')) {
        for (const { overrides } of retry.filter((entry) => entry.overrides.agent !== undefined)) {
          expect(overrides.agent).not.toBe(agent);
          expect(overrides.session).toBe('new');
          expect(overrides.prompt).toMatch(/\{task\.description\}.*\{diff\}.*\{error\}/s);
        }
      }
    },
  );

  it.each([
    ['tdd', 'impl', 'tests'],
    ['bugfix', 'patch', 'reproduce'],
    ['implement-spec', 'smoke', 'converge'],
  ])('%s: %s goes on in the conversation of %s', (name, wanted, from) => {
    expect(step(name, wanted).session).toEqual({ mode: 'from', step: from });
  });
});

describe('the pattern of tests', () => {
  const patternOf = (name: string, wanted: string, type: 'touched' | 'untouched') => {
    const found = step(name, wanted).gates.find((gate) => gate.type === type);
    return (found as Extract<Gate, { type: 'touched' | 'untouched' }>).pattern;
  };
  const pattern = patternOf('tdd', 'tests', 'touched');
  const touches = (path: string) =>
    judgeTouch({ type: 'touched', pattern }, [{ path, kind: 'modified' }]).passed;

  it('is one in all of them', () => {
    expect(patternOf('tdd', 'impl', 'untouched')).toBe(pattern);
    expect(patternOf('bugfix', 'reproduce', 'touched')).toBe(pattern);
    expect(patternOf('bugfix', 'patch', 'untouched')).toBe(pattern);
  });

  it.each([
    ...['cart_test.go', 'pkg/cart/cart_test.go', 'src/cart.test.ts', 'cart.spec.tsx', 'test/cart.js'],
    ...['tests/cart.rs', 'tests/data/cart.json', 'test_cart.py', 'pkg/test_cart.py', 'cart_test.py'],
    ...['src/test/java/org/CartTest.java', 'CartTests.cs', 'spec/cart_spec.rb', 'src/__tests__/cart.tsx'],
  ])('takes %s for a test', (path) => expect(touches(path)).toBe(true));

  it.each([
    'src/cart.ts',
    'cart.go',
    'latest/cart.ts',
    'contest.py',
    'src/attest.rs',
    'lib.rs',
    'Testing.md',
  ])('does not take %s for one', (path) => expect(touches(path)).toBe(false));
});

describe('the review of architecture', () => {
  it('judges every change of implement-spec, by what the task asks for', () => {
    const gate = step('implement-spec', 'converge').gates.find((one) => one.type === 'validate');
    expect(gate).toMatchObject({ name: 'review', call: { inputs: { agent: 'claude-opus' } } });
    expect(gate?.type === 'validate' && gate.call.inputs.spec).toMatch(/\{task\.description\}.*\{spec\}/s);
  });

  it('sees the spec and the change, and asks whom it is told to ask', () => {
    const { agent, type, prompt, guard } = step('validators/arch-review', 'review');
    expect([agent, type]).toEqual(['{agent}', 'validate']);
    expect(prompt).toMatch(/\{spec\}.*\{diff\}/s);
    expect(guard.maxTurns).toBe(20);
  });
});
