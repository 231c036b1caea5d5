import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { AgentStep, Workflow } from '../../src/workflow/workflow.js';
import { parseWorkflow } from '../fakes/parse-workflow.js';
import { fixtures, providers } from './fixtures.js';

const folder = join(fixtures, 'good');

function parsed(file: string): Workflow | undefined {
  const text = readFileSync(join(folder, file), 'utf8');
  const { workflow, diagnostics } = parseWorkflow(text, { file, providers });
  expect(diagnostics).toEqual([]);
  return workflow;
}

function agentStep(name: string, more: Partial<AgentStep>): AgentStep {
  const worktree = more.type === undefined || more.type === 'code' ? 'read-write' : 'read-only';
  return {
    kind: 'agent',
    name,
    type: 'code',
    agent: '',
    prompt: '',
    context: [],
    worktree,
    session: { mode: 'new' },
    guard: {},
    gates: [],
    retry: [],
    ...more,
  };
}

describe('valid workflows', () => {
  it.each(readdirSync(folder))('%s has no problems', (file) => {
    expect(parsed(file)?.steps.length).toBeGreaterThan(0);
  });

  it('reads the examples of the Gump page on sessions', () => {
    expect(parsed('seed-review.yaml')?.steps).toEqual([
      agentStep('review', { type: 'validate', agent: 'claude-opus' }),
    ]);
    const [build] = parsed('seed-tests-impl.yaml')?.steps ?? [];
    expect(build?.kind === 'split' && build.each).toEqual([
      agentStep('tests', { agent: 'claude-haiku', prompt: 'Write tests for: {task.description}' }),
      agentStep('impl', {
        agent: 'claude-haiku',
        session: { mode: 'from', step: 'tests' },
        prompt: 'Implement code to pass the tests.',
      }),
    ]);
  });

  it('reads the fallback of a step and of a planner', () => {
    const [plan] = parsed('fallback.yaml')?.steps ?? [];
    expect(plan?.kind === 'split' && plan.planner).toMatchObject({
      agent: 'claude-opus',
      fallback: 'claude-sonnet',
    });
    expect(plan?.kind === 'split' && plan.each[0]).toMatchObject({
      agent: 'claude-haiku',
      fallback: 'codex',
    });
  });

  it('reads every key of the flat form', () => {
    expect(parsed('flat.yaml')).toEqual({
      name: 'flat',
      source: 'flat.yaml',
      sessionMatch: 'provider',
      onPause: 'fail',
      budget: {},
      steps: [
        agentStep('red', {
          agent: 'claude-haiku',
          prompt: 'Write failing tests for:\n{spec}\n\nsession: from: nowhere\n',
          gates: [
            { name: 'compile', type: 'compile' },
            { name: 'touched_1', type: 'touched', pattern: '*_test.*' },
            { name: 'untouched_2', type: 'untouched', pattern: 'src/**' },
            { name: 'tests_found', type: 'tests_found' },
          ],
          retry: [
            { when: { attempt: 2 }, overrides: { agent: 'claude-sonnet' } },
            { when: { exit: 3 }, overrides: {} },
          ],
        }),
        agentStep('green', {
          agent: 'claude-haiku',
          session: { mode: 'from', step: 'red' },
          prompt: 'Make them pass.',
          gates: [
            { name: 'compile', type: 'compile' },
            { name: 'test', type: 'test' },
            { name: 'compile_2', type: 'compile' },
            { name: 'lint', type: 'lint' },
            { name: 'coverage_4', type: 'coverage', atLeast: 80 },
            { name: 'coverage_5', type: 'coverage', atLeast: 75 },
            { name: 'coverage', type: 'coverage' },
            { name: 'bash_7', type: 'bash', command: 'make check' },
          ],
          retry: [
            { when: { not: 'test' }, overrides: { prompt: 'The tests fail:\n{error}\n' } },
            { when: { attempt: 2 }, overrides: { session: 'new', worktree: 'reset' } },
            { when: { attempt: 4 }, overrides: { agent: '{red.agent}' } },
            { when: { exit: 5 }, overrides: {} },
          ],
        }),
        agentStep('judge', { type: 'validate', agent: '{green.agent}', prompt: 'Judge {diff}' }),
        {
          kind: 'gates',
          name: 'quality',
          gates: [
            { name: 'compile', type: 'compile' },
            { name: 'test', type: 'test' },
          ],
        },
      ],
    });
  });

  it('resolves aliases and merges, and ignores `x-` keys', () => {
    expect(parsed('free-keys-and-aliases.yaml')?.steps).toEqual([
      agentStep('one', { agent: 'claude-haiku', prompt: 'Default prompt.' }),
      agentStep('two', {
        agent: 'claude-haiku',
        prompt: 'Default prompt.',
        session: { mode: 'from', step: 'one' },
        gates: [{ name: 'bash_0', type: 'bash', command: 'true' }],
        retry: [
          { when: { attempt: 2 }, overrides: { agent: 'claude-haiku' } },
          { when: { exit: 2 }, overrides: {} },
        ],
      }),
    ]);
  });

  it('reads every kind of step', () => {
    const claudeStep = (name: string, prompt: string, more: Partial<AgentStep> = {}) =>
      agentStep(name, { agent: 'claude', prompt, ...more });
    expect(parsed('steps.yaml')).toEqual({
      name: 'every kind of step',
      source: 'steps.yaml',
      sessionMatch: 'agent',
      onPause: 'success',
      budget: { maxUsd: 5.5, maxTokens: 200_000, maxTimeMs: 5_400_000 },
      steps: [
        claudeStep('look', 'Write down what you see.', {
          type: 'artifact',
          worktree: 'none',
          context: [
            { type: 'file', path: 'docs/{spec}.md' },
            { type: 'bash', command: 'git log -3' },
          ],
          guard: { maxTimeMs: 90_000, stallMs: 1_200_000, maxUsd: 0.25, maxTurns: 4 },
          hitl: 'before-gate',
          gates: [{ name: 'bash_0', type: 'bash', command: 'test -s .gump/out/artifact.txt' }],
        }),
        agentStep('check', {
          agent: 'pass',
          gates: [{ name: 'test', type: 'test' }],
          retry: [
            {
              when: { attempt: 2 },
              overrides: { agent: 'claude', prompt: '{look.output} {gate.test.error}' },
            },
            { when: { exit: 3 }, overrides: {} },
          ],
        }),
        {
          kind: 'group',
          name: 'sequence',
          parallel: false,
          steps: [
            claudeStep('a', 'One.'),
            claudeStep('b', 'Two. {sequence.a.output} {a.diff}', {
              session: { mode: 'from', step: 'a' },
              worktree: 'read-only',
            }),
          ],
          gates: [{ name: 'compile', type: 'compile' }],
          retry: [
            { when: { not: 'compile' }, overrides: { session: 'new', worktree: 'reset' } },
            { when: { exit: 2 }, overrides: {} },
          ],
          guard: { maxTimeMs: 500, noWrite: true },
          hitl: 'after-gate',
        },
        claudeStep('after', 'Three. {sequence/b.files}', { session: { mode: 'from', step: 'b' } }),
        {
          kind: 'group',
          name: 'in parallel',
          parallel: true,
          maxParallel: 3,
          steps: [
            claudeStep('a', 'One.'),
            { kind: 'gates', name: 'b', gates: [{ name: 'lint', type: 'lint' }], hitl: 'before-gate' },
          ],
          gates: [],
          retry: [],
          guard: {},
        },
        {
          kind: 'split',
          name: 'build',
          parallel: true,
          files: 'fail',
          planner: claudeStep('build', 'Plan {after.diff}.', {
            type: 'split',
            gates: [{ name: 'schema', type: 'schema', contract: 'plan' }],
          }),
          each: [claudeStep('t', '{task.name}: {task.files} {build.output}')],
          gates: [{ name: 'schema', type: 'schema', contract: 'plan' }],
          retry: [],
        },
        claudeStep('end', '{build/one/t.diff} {look.output}', { agent: '{build/one/t.agent}' }),
      ],
    });
  });

  it('reads permissions', () => {
    const claudeStep = (name: string, prompt: string, more: Partial<AgentStep> = {}) =>
      agentStep(name, { agent: 'claude', prompt, ...more });
    const [flat, block, plan] = parsed('permissions.yaml')?.steps ?? [];
    expect(flat).toEqual(claudeStep('flat', 'One.', { permissions: 'full' }));
    expect(block).toEqual(claudeStep('in a block', 'Two.', { type: 'validate', permissions: 'workspace' }));
    expect(plan).toMatchObject({
      planner: claudeStep('plan', 'Three.', { type: 'split', permissions: 'full' }),
      each: [
        claudeStep('look', 'Four.', { permissions: 'read-only', guard: { noWrite: true } }),
        claudeStep('change', 'Five.'),
      ],
    });
  });

  /** The expected call. `parseWorkflow` loads no other files, so its workflow is empty. */
  const call = (path: string, inputs: Readonly<Record<string, string>>) => ({
    path,
    inputs,
    workflow: expect.objectContaining({ name: path, steps: [] }),
  });

  it('reads workflow calls in all four places', () => {
    const [first, whole, judged] = parsed('calls.yaml')?.steps ?? [];
    expect(first).toMatchObject({
      prompt: '{around.output} {around.state.x}',
      get: call('look/around.yaml', { topic: '{spec}', depth: '3' }),
    });
    expect(whole).toEqual({
      kind: 'call',
      name: 'whole',
      call: call('tdd', { spec: '{first.output}', times: '2', sure: 'true' }),
      gates: [
        { name: 'test', type: 'test' },
        {
          name: 'review',
          type: 'validate',
          call: call('validators/arch-review', { diff: '{whole.state.impl.diff}' }),
        },
        { name: 'review_2', type: 'validate', call: call('validators/arch-review', {}) },
      ],
      retry: [
        {
          when: { validate: call('validators/done', { what: '{whole.impl.diff}' }) },
          overrides: { session: 'new' },
        },
        { when: { not: 'review_2' }, overrides: { worktree: 'reset' } },
        { when: { exit: 2 }, overrides: {} },
      ],
      guard: {},
    });
    expect(judged).toMatchObject({
      kind: 'gates',
      gates: [{ name: 'check', call: call('validators/security-check.yaml', { spec: '{spec}' }) }],
    });
  });

  it('reads the spellings of the language reference', () => {
    const [impl, smoke, called] = parsed('documentation.yaml')?.steps ?? [];
    expect(impl).toMatchObject({
      prompt: 'Do it.',
      hitl: 'before-gate',
      get: call('context/collect', { topic: '{spec}', depth: '3' }),
      gates: [
        { name: 'compile' },
        { name: 'review', call: call('validators/arch-review', { diff: '{diff}', agent: 'claude-opus' }) },
        { name: 'b', call: call('validators/b', { spec: 'x' }) },
      ],
      retry: [
        { when: { validate: call('validators/c', { what: 'y' }) }, overrides: { prompt: 'Again.' } },
        { when: { exit: 2 } },
      ],
    });
    expect(smoke).toMatchObject({ agent: '{impl.agent}', session: { mode: 'from', step: 'impl' } });
    expect(called).toMatchObject({ kind: 'call', call: call('other', { spec: '{spec}' }) });
  });
});
