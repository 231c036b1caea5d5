import { describe, expect, it } from 'vitest';
import { costBound } from '../../src/plan/cost-bound.js';
import { agentStep, exitAfter, planOf, splitStep } from '../fakes/plan.js';

const limited = (name: string, maxUsd: number, attempts = 1) =>
  agentStep(name, { guard: { maxUsd }, retry: [exitAfter(attempts)] });

describe('the most that a run may cost', () => {
  it('is the sum of all attempts if each step has a limit, or the limit of the run if that is lower', () => {
    const steps = [limited('a', 0.5), limited('b', 0.25, 3)];
    expect(costBound(planOf(steps))).toBe(1.25);
    expect(costBound(planOf(steps, { maxUsd: 2 }))).toBe(1.25);
    expect(costBound(planOf(steps, { maxUsd: 1 }))).toBe(1);
    expect(costBound({ ...planOf(steps), budget: { maxUsd: 0.1 } })).toBe(0.1);
  });

  it('is unknown if a step has no limit, or if the number of tasks is unknown', () => {
    expect(costBound(planOf([limited('a', 0.5), agentStep('b')]))).toBeUndefined();
    expect(costBound(planOf([splitStep('a', [limited('b', 1)])]))).toBeUndefined();
    expect(costBound(planOf([splitStep('a', [limited('b', 1)])], { maxUsd: 3 }))).toBe(3);
  });
});
