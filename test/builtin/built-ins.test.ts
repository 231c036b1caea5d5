/** The built-in workflows: they have no diagnostics and keep the promises of docs/workflow.md. */
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
  it('matches the YAML files next to it', () => {
    const check = () =>
      execFileSync(process.execPath, ['scripts/builtins.mjs', '--check'], { cwd: repositoryRoot });
    expect(check).not.toThrow();
  });

  it('contains every file', () => {
    const files = listFiles('src/builtin/**/*.yaml', 'src/builtin/*.yaml').map((path) =>
      path.replace(/^src\/builtin\/|\.yaml$/g, ''),
    );
    expect(names).toEqual([...new Set(files)].sort());
  });
});

describe('each built-in workflow', () => {
  it.each(names)('%s has no diagnostics', (name) => {
    const { files } = loadBuiltIn(name);
    const reported = files.flatMap(({ file, text, diagnostics }) =>
      diagnostics.map((one) => renderDiagnostic(one, { file, text })),
    );
    expect(reported).toEqual([]);
    expect(builtIn(name).name).toBe(name.split('/').at(-1));
  });

  it.each(names)('%s has a budget in dollars, and limits for every agent', (name) => {
    expect(builtIn(name).budget.maxUsd).toBeGreaterThan(0);
    const working = agentSteps(name).filter(({ agent }) => agent !== 'pass');
    expect(working.length).toBeGreaterThan(0);
    for (const { guard } of working) {
      expect(guard.maxTurns).toBeGreaterThan(0);
      expect(guard.maxTimeMs).toBeGreaterThan(0);
    }
  });

  it.each(names)('%s has a prompt for every agent', (name) => {
    for (const { agent, prompt } of agentSteps(name).filter((one) => one.agent !== 'pass')) {
      expect(agent).not.toBe('');
      expect(prompt.length).toBeGreaterThan(200);
    }
  });

  it.each(names)('%s needs no file that a repository may lack', (name) => {
    const entries = agentSteps(name).flatMap(({ context }) => context);
    expect(entries.filter(({ type }) => type === 'file')).toEqual([]);
    // A failing command causes a warning in every attempt.
    for (const entry of entries) {
      const run = () =>
        entry.type === 'bash' &&
        execFileSync('sh', ['-c', entry.command], { cwd: join(repositoryRoot, 'test') });
      expect(run).not.toThrow();
    }
    expect(existsSync(join(repositoryRoot, 'test', 'docs'))).toBe(false);
  });

  it.each(workflows)('%s passes the spec to its first agent', (name) => {
    expect(agentSteps(name)[0]?.prompt).toContain('{spec}');
  });
});

describe('plans', () => {
  const split = workflows.filter((name) => name !== 'freeform');

  it.each(split)('%s checks its plan and passes the tasks to the steps', (name) => {
    const plan = builtIn(name).steps[0];
    if (plan?.kind !== 'split') throw new Error('The first step is not a split step.');
    expect(gateTypes(plan)).toEqual(['schema']);
    expect(plan.planner.prompt).toContain('`files`');
    for (const inner of plan.each) {
      expect(inner.kind === 'agent' ? inner.prompt : '').toContain('{task.name}');
    }
    expect(plan.each[0]).toMatchObject({ prompt: expect.stringContaining('{task.description}') });
  });

  it('runs tasks in parallel in only one workflow, which retries conflicting tasks', () => {
    const parallel = split.filter((name) => {
      const plan = builtIn(name).steps[0];
      return plan?.kind === 'split' && plan.parallel;
    });
    expect(parallel).toEqual(['parallel-tasks']);
    expect(builtIn('parallel-tasks').steps[0]).toMatchObject({ retry: [{ when: { exit: 2 } }] });
  });

  it.each(split)('%s ends with gates on the whole result', (name) => {
    const last = builtIn(name).steps.at(-1);
    expect(last?.name).toBe('quality');
    expect(last && gateTypes(last)).toEqual(
      name === 'bugfix' ? ['compile', 'test'] : ['compile', 'lint', 'test'],
    );
  });
});

describe('retry policies', () => {
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
  ])('%s: %s', (name, wanted, expected) => {
    expect(agentsByAttempt(step(name, wanted))).toEqual(expected);
  });

  it.each(workflows)(
    '%s starts a new session if the agent changes, and passes it the task, the diff and the error',
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
  ])('%s: %s resumes the session of %s', (name, wanted, from) => {
    expect(step(name, wanted).session).toEqual({ mode: 'from', step: from });
  });
});

describe('the pattern of test files', () => {
  const patternOf = (name: string, wanted: string, type: 'touched' | 'untouched') => {
    const found = step(name, wanted).gates.find((gate) => gate.type === type);
    return (found as Extract<Gate, { type: 'touched' | 'untouched' }>).pattern;
  };
  const pattern = patternOf('tdd', 'tests', 'touched');
  const touches = (path: string) =>
    judgeTouch({ type: 'touched', pattern }, [{ path, kind: 'modified' }]).passed;

  it('is the same in all workflows', () => {
    expect(patternOf('tdd', 'impl', 'untouched')).toBe(pattern);
    expect(patternOf('bugfix', 'reproduce', 'touched')).toBe(pattern);
    expect(patternOf('bugfix', 'patch', 'untouched')).toBe(pattern);
  });

  it.each([
    ...['cart_test.go', 'pkg/cart/cart_test.go', 'src/cart.test.ts', 'cart.spec.tsx', 'test/cart.js'],
    ...['tests/cart.rs', 'tests/data/cart.json', 'test_cart.py', 'pkg/test_cart.py', 'cart_test.py'],
    ...['src/test/java/org/CartTest.java', 'CartTests.cs', 'spec/cart_spec.rb', 'src/__tests__/cart.tsx'],
  ])('matches %s', (path) => expect(touches(path)).toBe(true));

  it.each([
    'src/cart.ts',
    'cart.go',
    'latest/cart.ts',
    'contest.py',
    'src/attest.rs',
    'lib.rs',
    'Testing.md',
  ])('does not match %s', (path) => expect(touches(path)).toBe(false));
});

describe('the architecture review', () => {
  it('checks every change of implement-spec against the task and the spec', () => {
    const gate = step('implement-spec', 'converge').gates.find((one) => one.type === 'validate');
    expect(gate).toMatchObject({ name: 'review', call: { inputs: { agent: 'claude-opus' } } });
    expect(gate?.type === 'validate' && gate.call.inputs.spec).toMatch(/\{task\.description\}.*\{spec\}/s);
  });

  it('gets the spec and the change, and uses the agent of its input', () => {
    const { agent, type, prompt, guard } = step('validators/arch-review', 'review');
    expect([agent, type]).toEqual(['{agent}', 'validate']);
    expect(prompt).toMatch(/\{spec\}.*\{diff\}/s);
    expect(guard.maxTurns).toBe(20);
  });
});
