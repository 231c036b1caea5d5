import { describe, expect, it } from 'vitest';
import { isReadOnly, permissionOf } from '../../src/engine/output-contract.js';
import type { Permission } from '../../src/providers/provider.js';
import type { AgentStep } from '../../src/workflow/workflow.js';
import { createEngineHarness } from '../fakes/engine-harness.js';
import { agentStep, exitAfter, planOf, splitStep } from '../fakes/plan.js';

const kinds: readonly (readonly [string, Partial<AgentStep>, Permission])[] = [
  ['a code step', {}, 'workspace'],
  ['a validate step', { type: 'validate' }, 'read-only'],
  ['a split', { type: 'split' }, 'read-only'],
  ['an artifact', { type: 'artifact' }, 'read-only'],
  ['a step that sees no files', { type: 'artifact', worktree: 'none' }, 'read-only'],
  ['a code step that only reads', { worktree: 'read-only' }, 'read-only'],
  ['a code step that may not write', { guard: { noWrite: true } }, 'read-only'],
  ['a validate step told that it may write', { type: 'validate', guard: { noWrite: false } }, 'read-only'],
];

describe('what an agent may do', () => {
  it.each(kinds)('of %s is its own unless told', (_name, more, expected) => {
    expect(permissionOf(agentStep('a', more), undefined)).toBe(expected);
  });

  it.each(kinds)('of %s is what the run was told', (_name, more) => {
    expect(permissionOf(agentStep('a', more), 'full')).toBe('full');
  });

  it.each(kinds)('of %s is what the step says, before all else', (_name, more) => {
    const step = agentStep('a', { ...more, permissions: 'full' });
    expect(permissionOf(step, 'read-only')).toBe('full');
    expect(permissionOf(agentStep('a', { ...more, permissions: 'read-only' }), 'full')).toBe('read-only');
  });

  it.each(kinds)('of %s does not decide whether it may change files', (_name, more, own) => {
    expect(isReadOnly(agentStep('a', { ...more, permissions: 'full' }), undefined)).toBe(own === 'read-only');
    expect(isReadOnly(agentStep('a', more), 'full')).toBe(own === 'read-only');
    expect(isReadOnly(agentStep('a', more), 'read-only')).toBe(true);
  });
});

describe('a run', () => {
  it('tells each agent, the planner of a split and the agents of its tasks too', async () => {
    const reported: string[] = [];
    const harness = createEngineHarness({
      runAgent(turn) {
        reported.push(`${turn.prompt.trim().split('\n')[0]}: ${turn.permission}`);
        return { output: '[{"name":"one","description":"x"}]' };
      },
    });
    const steps = [
      agentStep('a'),
      agentStep('b', { permissions: 'read-only' }),
      splitStep('plan', [agentStep('c'), agentStep('d', { permissions: 'full' })], {
        permissions: 'workspace',
      }),
    ];
    await harness.run(planOf(steps), { permissions: 'full' });
    expect(reported).toEqual([
      'do a: full',
      'do b: read-only',
      'plan plan: workspace',
      'do c: full',
      'do d: full',
    ]);
  });

  it('puts back what a code step changed that may only read, and says so to its next attempt', async () => {
    const harness = createEngineHarness({
      runAgent(turn, files) {
        if (turn.earlier.length === 0) files.set('stray.txt', 'x');
        return {};
      },
    });
    const plan = planOf([agentStep('look', { permissions: 'read-only', retry: [exitAfter(2)] })]);
    const state = await harness.run(plan);
    expect([...harness.files.keys()]).toEqual([]);
    expect(state.steps.get('look')?.attempts).toMatchObject([
      { failure: { kind: 'guard', message: expect.stringMatching(/^no_write: .*stray\.txt/) } },
      { status: 'passed', changed: false },
    ]);
    expect(harness.calls[1]?.prompt).toContain('stray.txt');
  });

  it('does so too where the agent was given everything, and where only the run was told', async () => {
    const stray = () =>
      createEngineHarness({
        runAgent(_turn, files) {
          files.set('stray.txt', 'x');
          return { output: '{"pass": true, "comments": ""}' };
        },
      });
    const judged = await stray().run(planOf([agentStep('a', { type: 'validate', permissions: 'full' })]));
    expect(judged.steps.get('a')?.attempts[0]?.failure?.kind).toBe('guard');
    const reported = await stray().run(planOf([agentStep('a')]), { permissions: 'read-only' });
    expect(reported.steps.get('a')?.attempts[0]?.failure?.kind).toBe('guard');
    const free = await stray().run(planOf([agentStep('a', { permissions: 'full' })]), {
      permissions: 'read-only',
    });
    expect(free.runEnded?.status).toBe('passed');
  });

  it('names some of many files', async () => {
    const harness = createEngineHarness({
      runAgent(_turn, files) {
        for (let index = 10; index < 40; index += 1) files.set(`${index}.txt`, 'x');
        return {};
      },
    });
    const state = await harness.run(planOf([agentStep('a')]), { permissions: 'read-only' });
    expect(state.steps.get('a')?.attempts[0]?.failure?.message).toMatch(/10\.txt, .*29\.txt and 10 more\./);
  });
});
