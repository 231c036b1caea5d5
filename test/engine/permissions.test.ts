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
  ['a step in an empty directory', { type: 'artifact', worktree: 'none' }, 'read-only'],
  ['a code step with a read-only worktree', { worktree: 'read-only' }, 'read-only'],
  ['a code step with `no_write`', { guard: { noWrite: true } }, 'read-only'],
  ['a validate step with `no_write: false`', { type: 'validate', guard: { noWrite: false } }, 'read-only'],
];

describe('the permission of an agent', () => {
  it.each(kinds)('of %s depends on its type by default', (_name, more, expected) => {
    expect(permissionOf(agentStep('a', more), undefined)).toBe(expected);
  });

  it.each(kinds)('of %s is the value of the input', (_name, more) => {
    expect(permissionOf(agentStep('a', more), 'full')).toBe('full');
  });

  it.each(kinds)('of %s is the value of the step, which takes precedence', (_name, more) => {
    const step = agentStep('a', { ...more, permissions: 'full' });
    expect(permissionOf(step, 'read-only')).toBe('full');
    expect(permissionOf(agentStep('a', { ...more, permissions: 'read-only' }), 'full')).toBe('read-only');
  });

  it.each(kinds)(
    'of %s does not change whether the step is read-only, except for `read-only`',
    (_name, more, own) => {
      expect(isReadOnly(agentStep('a', { ...more, permissions: 'full' }), undefined)).toBe(
        own === 'read-only',
      );
      expect(isReadOnly(agentStep('a', more), 'full')).toBe(own === 'read-only');
      expect(isReadOnly(agentStep('a', more), 'read-only')).toBe(true);
    },
  );
});

describe('a run', () => {
  it('passes the permission to each agent, including the planner of a split and its tasks', async () => {
    const permissions: string[] = [];
    const harness = createEngineHarness({
      runAgent(turn) {
        permissions.push(`${turn.prompt.trim().split('\n')[0]}: ${turn.permission}`);
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
    expect(permissions).toEqual([
      'do a: full',
      'do b: read-only',
      'plan plan: workspace',
      'do c: full',
      'do d: full',
    ]);
  });

  it('restores files that a read-only code step changed, and names them in the next prompt', async () => {
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
      { failure: { kind: 'guard', message: expect.stringMatching(/^`no_write`: .*`stray\.txt`/) } },
      { status: 'passed', changed: false },
    ]);
    expect(harness.calls[1]?.prompt).toContain('stray.txt');
  });

  it('also does so with `permissions: full`, and if only the input says `read-only`', async () => {
    const writingAgent = () =>
      createEngineHarness({
        runAgent(_turn, files) {
          files.set('stray.txt', 'x');
          return { output: '{"pass": true, "comments": ""}' };
        },
      });
    const review = await writingAgent().run(
      planOf([agentStep('a', { type: 'validate', permissions: 'full' })]),
    );
    expect(review.steps.get('a')?.attempts[0]?.failure?.kind).toBe('guard');
    const code = await writingAgent().run(planOf([agentStep('a')]), { permissions: 'read-only' });
    expect(code.steps.get('a')?.attempts[0]?.failure?.kind).toBe('guard');
    const unrestricted = await writingAgent().run(planOf([agentStep('a', { permissions: 'full' })]), {
      permissions: 'read-only',
    });
    expect(unrestricted.runEnded?.status).toBe('passed');
  });

  it('names only some of many files', async () => {
    const harness = createEngineHarness({
      runAgent(_turn, files) {
        for (let index = 10; index < 40; index += 1) files.set(`${index}.txt`, 'x');
        return {};
      },
    });
    const state = await harness.run(planOf([agentStep('a')]), { permissions: 'read-only' });
    expect(state.steps.get('a')?.attempts[0]?.failure?.message).toMatch(
      /`10\.txt`, .*`29\.txt` and 10 more\./,
    );
  });
});
