import { expect, it } from 'vitest';
import { claimsOf } from '../../scripts/demo/claims.js';
import type { JobAttempt } from '../../scripts/demo/job-attempt.js';

const prompts = ['Write the tests.', 'Write the code.'];
const retryPrompt = 'Write the code.\n\n---\n\nAttempt 1 at this task failed: x\n\nReported errors:\ny';

const attempt = (jobAttempt: number, more: object = {}) => ({
  number: jobAttempt,
  jobAttempt,
  status: 'passed',
  usage: { costUsd: 0.002 },
  ...more,
});
const failed = attempt(1, {
  failure: { kind: 'gate', message: 'x' },
  gates: [{ name: 'bash_0', status: 'failed' }],
});
const tests = { path: 'tests', status: 'passed', takenOver: true, attempts: [attempt(1)] };

/** Contains only the values that the claims read. */
function jobAttemptOf(facts: object, main: object, report: object): JobAttempt {
  return {
    usesLogin: false,
    sessionId: 'one',
    tests: 'text',
    remainingPaths: [],
    ...facts,
    main,
    report,
  } as never;
}

function firstAttempt(facts: object = {}): JobAttempt {
  const steps = [tests, { path: 'impl', status: 'failed', attempts: [failed] }];
  const main = { exitCode: 1, outputs: { 'failed-step': 'impl' } };
  const conversation = { prompts };
  return jobAttemptOf({ workspace: '/a', conversation, ...facts }, main, {
    steps,
    totals: { costUsd: 0.004 },
  });
}

function secondAttempt(facts: object = {}, costUsd = 0.006, ofTests: object = tests): JobAttempt {
  const steps = [ofTests, { path: 'impl', status: 'passed', attempts: [failed, attempt(2)] }];
  const main = { exitCode: 0, outputs: { resumed: 'true' } };
  const conversation = { prompts: [...prompts, retryPrompt] };
  return jobAttemptOf({ workspace: '/b', conversation, ...facts }, main, { steps, totals: { costUsd } });
}

const sealed = [Buffer.from('noise')];

/** The indexes of the false claims. */
function falseClaims(one: JobAttempt, two: JobAttempt, stored = sealed): readonly number[] {
  return claimsOf(one, two, stored).flatMap(({ isTrue }, index) => (isTrue ? [] : [index]));
}

it('accepts the expected results', () => {
  expect(falseClaims(firstAttempt(), secondAttempt())).toEqual([]);
});

it('rejects a step that passed at once', () => {
  const passed = { ...firstAttempt(), main: { exitCode: 0, outputs: {} } } as never;
  expect(falseClaims(passed, secondAttempt())).toEqual([0]);
});

it('rejects remains of the machine, a missing checkpoint, and a readable checkpoint', () => {
  expect(falseClaims(firstAttempt({ remainingPaths: ['/a'] }), secondAttempt())).toEqual([1]);
  expect(falseClaims(firstAttempt(), secondAttempt(), [])).toEqual([1]);
  expect(falseClaims(firstAttempt(), secondAttempt(), [Buffer.from('… Write the tests. …')])).toEqual([1]);
});

it('rejects a job attempt 2 in the same workspace', () => {
  expect(falseClaims(firstAttempt(), secondAttempt({ workspace: '/a' }))).toEqual([2]);
});

it('rejects a second run, cost or file of `tests`', () => {
  expect(
    falseClaims(firstAttempt(), secondAttempt({}, 0.008, { ...tests, attempts: [attempt(1), attempt(2)] })),
  ).toEqual([3]);
  expect(falseClaims(firstAttempt(), secondAttempt({}, 0.008))).toEqual([3]);
  expect(falseClaims(firstAttempt(), secondAttempt({ tests: 'other' }))).toEqual([3]);
});

it('rejects another session, lost turns, and a prompt without the failure', () => {
  expect(falseClaims(firstAttempt(), secondAttempt({ sessionId: 'two' }))).toEqual([4]);
  expect(
    falseClaims(firstAttempt(), secondAttempt({ conversation: { prompts: [prompts[1], retryPrompt] } })),
  ).toEqual([5]);
  expect(
    falseClaims(firstAttempt(), secondAttempt({ conversation: { prompts: [...prompts, 'Continue.'] } })),
  ).toEqual([6]);
});
