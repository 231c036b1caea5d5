import { describe, expect, it } from 'vitest';
import { computeRetryOverrides, maxAttempts } from '../../src/engine/retry-policy.js';
import type { RetryEntry } from '../../src/workflow/workflow.js';
import { failedGate, makeAttempt, passedGate } from './attempts.js';

const retryEntries: readonly RetryEntry[] = [
  { when: { attempt: 2 }, overrides: { prompt: 'fix it' } },
  { when: { attempt: 3 }, overrides: { agent: 'claude-sonnet' } },
  { when: { attempt: 4 }, overrides: { agent: 'claude-opus', session: 'new', worktree: 'reset' } },
  { when: { exit: 5 }, overrides: {} },
];

const attemptsMade = (count: number) =>
  Array.from({ length: count }, (_, index) => makeAttempt({ number: index + 1 }));

describe('computeRetryOverrides', () => {
  it('changes nothing at the first attempt', () => {
    expect(computeRetryOverrides(retryEntries, [], 1)).toEqual({ freshSession: false, resetWorktree: false });
  });

  it('keeps the value of an earlier entry', () => {
    expect(computeRetryOverrides(retryEntries, attemptsMade(2), 3)).toMatchObject({
      prompt: 'fix it',
      agent: 'claude-sonnet',
      freshSession: false,
    });
  });

  it('starts a fresh session only when the override first applies', () => {
    expect(computeRetryOverrides(retryEntries, attemptsMade(3), 4)).toMatchObject({
      agent: 'claude-opus',
      freshSession: true,
      resetWorktree: true,
    });
    expect(computeRetryOverrides(retryEntries, attemptsMade(4), 5)).toMatchObject({
      agent: 'claude-opus',
      freshSession: false,
      resetWorktree: true,
    });
  });

  it('counts attempts across job attempts', () => {
    const overThreeJobs = attemptsMade(6).map((one, index) => ({
      ...one,
      jobAttempt: Math.floor(index / 2) + 1,
    }));
    expect(computeRetryOverrides(retryEntries, overThreeJobs, 7)).toMatchObject({
      agent: 'claude-opus',
      freshSession: false,
    });
  });

  it('matches only a gate that failed in the previous attempt', () => {
    const entries: readonly RetryEntry[] = [
      { when: { not: 'test' }, overrides: { prompt: 'the tests fail' } },
    ];
    expect(computeRetryOverrides(entries, [makeAttempt({ gates: [failedGate('test')] })], 2).prompt).toBe(
      'the tests fail',
    );
    expect(
      computeRetryOverrides(entries, [makeAttempt({ gates: [passedGate('test'), failedGate('lint')] })], 2)
        .prompt,
    ).toBeUndefined();
  });

  it('gives a later matching entry precedence over an earlier one', () => {
    const entries: readonly RetryEntry[] = [
      { when: { attempt: 2 }, overrides: { agent: 'claude-sonnet' } },
      { when: { not: 'test' }, overrides: { agent: 'claude-opus' } },
    ];
    expect(computeRetryOverrides(entries, [makeAttempt({ gates: [failedGate('test')] })], 2).agent).toBe(
      'claude-opus',
    );
  });
});

describe('maxAttempts', () => {
  it('is the highest `exit`, otherwise 1', () => {
    expect(maxAttempts(retryEntries)).toBe(5);
    expect(maxAttempts([])).toBe(1);
  });
});
