import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parseWorkflow } from '../../src/workflow/parse.js';
import type { AgentStep, Workflow } from '../../src/workflow/workflow.js';
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

describe('good workflows', () => {
  it.each(readdirSync(folder))('%s has no faults', (file) => {
    expect(parsed(file)?.steps.length).toBeGreaterThan(0);
  });

  it('reads the page this project started from', () => {
    expect(parsed('seed-review.yaml')?.steps).toEqual([
      agentStep('review', { type: 'validate', agent: 'claude-opus' }),
    ]);
    expect(parsed('seed-tests-impl.yaml')?.steps).toEqual([
      agentStep('tests', { agent: 'claude-haiku', prompt: 'Write tests for: {task.description}' }),
      agentStep('impl', {
        agent: 'claude-haiku',
        session: { mode: 'from', step: 'tests' },
        prompt: 'Implement code to pass the tests.',
      }),
    ]);
  });

  it('reads every key of the flat form', () => {
    expect(parsed('flat.yaml')).toEqual({
      name: 'flat',
      sessionMatch: 'provider',
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

  it('follows aliases and merges, and leaves keys of the author alone', () => {
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
});
