import { describe, expect, it } from 'vitest';
import type { SplitStep } from '../../src/workflow/workflow.js';
import { createEngineHarness, type EngineHarness } from '../fakes/engine-harness.js';
import { agentStep, bashGate, exitAfter, groupStep, planOf, splitStep } from '../fakes/plan.js';
import { firstPromptLines } from '../fakes/rerun.js';

/** One task, `a`, that names `src`. Its agent writes to `src` and elsewhere. */
function createHarnessFor(files: readonly string[] | undefined = ['src']): EngineHarness {
  return createEngineHarness({
    runAgent: (turn, tree) => {
      if (turn.prompt.startsWith('plan')) return { output: JSON.stringify([{ name: 'a', files }]) };
      tree.set('src/a.ts', 'x');
      tree.set('stray.txt', 'x');
      return {};
    },
  });
}

async function runSplit(
  mode: SplitStep['files'],
  harness: EngineHarness,
  impl = agentStep('impl', { gates: [bashGate('check')] }),
) {
  const state = await harness.run(planOf([{ ...splitStep('build', [impl]), files: mode }]));
  return state.steps.get('build/a/impl')?.attempts ?? [];
}

describe('`files` of a split', () => {
  it('warns, and the attempt passes', async () => {
    const one = createHarnessFor();
    const [attempt] = await runSplit('warn', one);
    expect(attempt?.status).toBe('passed');
    expect(attempt?.gates.map(({ name, status }) => `${name} ${status}`)).toEqual([
      'files warned',
      'check passed',
    ]);
    expect(one.warnings.join()).toContain('stray.txt');
  });

  it('fails the attempt, and the next prompt contains the reason', async () => {
    const one = createHarnessFor();
    const attempts = await runSplit('fail', one, agentStep('impl', { retry: [exitAfter(2)] }));
    expect(attempts.map(({ failure }) => failure?.kind)).toEqual(['gate', 'gate']);
    expect(one.calls[2]?.prompt).toContain('stray.txt');
    expect(one.warnings).toEqual([]);
  });

  it('reports nothing if it is off, or if the task names no files', async () => {
    for (const [mode, one] of [
      ['off', createHarnessFor()],
      ['fail', createHarnessFor([])],
    ] as const) {
      const [attempt] = await runSplit(mode, one);
      expect(attempt?.gates.map(({ name }) => name)).toEqual(['check']);
      expect(one.warnings).toEqual([]);
    }
  });

  it('applies to steps in groups of the task, and only to code steps', async () => {
    const one = createHarnessFor();
    const steps = [
      groupStep('g', [agentStep('impl'), agentStep('text', { worktree: 'read-write', type: 'artifact' })]),
    ];
    const state = await one.run(planOf([{ ...splitStep('build', steps), files: 'fail' }]));
    expect(state.runEnded).toMatchObject({ status: 'failed', failedStep: 'build/a/g/impl' });
    expect(firstPromptLines(one)).toEqual(['plan build', 'do impl']);
  });
});
