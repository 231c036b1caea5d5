import { describe, expect, it } from 'vitest';
import type { SplitStep } from '../../src/workflow/workflow.js';
import { agentStep, bash, exits, groupStep, planOf, splitStep } from '../fakes/plan.js';
import { prompts } from '../fakes/rerun.js';
import { createWorld, type World } from '../fakes/world.js';

/** One task, `a`, that names `src`; its agent writes there and elsewhere. */
function world(files: readonly string[] | undefined = ['src']): World {
  return createWorld({
    play: (turn, tree) => {
      if (turn.prompt.startsWith('plan')) return { output: JSON.stringify([{ name: 'a', files }]) };
      tree.set('src/a.ts', 'x');
      tree.set('stray.txt', 'x');
      return {};
    },
  });
}

async function run(
  mode: SplitStep['files'],
  one: World,
  impl = agentStep('impl', { gates: [bash('check')] }),
) {
  const state = await one.run(planOf([{ ...splitStep('build', [impl]), files: mode }]));
  return state.steps.get('build/a/impl')?.attempts ?? [];
}

describe('`files` of a split', () => {
  it('warns, and lets it count', async () => {
    const one = world();
    const [attempt] = await run('warn', one);
    expect(attempt?.status).toBe('passed');
    expect(attempt?.gates.map(({ name, status }) => `${name} ${status}`)).toEqual([
      'files warned',
      'check passed',
    ]);
    expect(one.warnings.join()).toContain('stray.txt');
  });

  it('fails the attempt, and the next one hears why', async () => {
    const one = world();
    const attempts = await run('fail', one, agentStep('impl', { retry: [exits(2)] }));
    expect(attempts.map(({ failure }) => failure?.kind)).toEqual(['gate', 'gate']);
    expect(one.calls[2]?.prompt).toContain('stray.txt');
    expect(one.warnings).toEqual([]);
  });

  it('says nothing where it is off, or where the task names none', async () => {
    for (const [mode, one] of [
      ['off', world()],
      ['fail', world([])],
    ] as const) {
      const [attempt] = await run(mode, one);
      expect(attempt?.gates.map(({ name }) => name)).toEqual(['check']);
      expect(one.warnings).toEqual([]);
    }
  });

  it('holds for steps in groups of the task, and for code alone', async () => {
    const one = world();
    const steps = [
      groupStep('g', [agentStep('impl'), agentStep('text', { worktree: 'read-write', type: 'artifact' })]),
    ];
    const state = await one.run(planOf([{ ...splitStep('build', steps), files: 'fail' }]));
    expect(state.ended).toMatchObject({ status: 'failed', failedStep: 'build/a/g/impl' });
    expect(prompts(one)).toEqual(['plan build', 'do impl']);
  });
});
