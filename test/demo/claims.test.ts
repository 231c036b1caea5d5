import { expect, it } from 'vitest';
import { claimsOf } from '../../scripts/demo/claims.js';
import type { JobAttempt } from '../../scripts/demo/job-attempt.js';

const prompts = ['Write the tests.', 'Write the code.'];
const retryPrompt =
  'Write the code.\n\n---\n\nAttempt 1 at this task did not pass: x\n\nWhat was reported:\ny';

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

/** Of a stage and a report only what the claims look at. */
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

/** The places of the claims that do not hold. */
function falseClaims(one: JobAttempt, two: JobAttempt, stored = sealed): readonly number[] {
  return claimsOf(one, two, stored).flatMap(({ isTrue }, at) => (isTrue ? [] : [at]));
}

it('holds for what should be seen', () => {
  expect(falseClaims(firstAttempt(), secondAttempt())).toEqual([]);
});

it('does not hold for a step that passed at once', () => {
  const passed = { ...firstAttempt(), main: { exitCode: 0, outputs: {} } } as never;
  expect(falseClaims(passed, secondAttempt())).toEqual([0]);
});

it('does not hold where something is left of the machine, nothing was stored, or it can be read', () => {
  expect(falseClaims(firstAttempt({ remainingPaths: ['/a'] }), secondAttempt())).toEqual([1]);
  expect(falseClaims(firstAttempt(), secondAttempt(), [])).toEqual([1]);
  expect(falseClaims(firstAttempt(), secondAttempt(), [Buffer.from('… Write the tests. …')])).toEqual([1]);
});

it('does not hold where job attempt 2 ran in the same place', () => {
  expect(falseClaims(firstAttempt(), secondAttempt({ workspace: '/a' }))).toEqual([2]);
});

it('does not hold where `tests` was run, paid or written again', () => {
  expect(
    falseClaims(firstAttempt(), secondAttempt({}, 0.008, { ...tests, attempts: [attempt(1), attempt(2)] })),
  ).toEqual([3]);
  expect(falseClaims(firstAttempt(), secondAttempt({}, 0.008))).toEqual([3]);
  expect(falseClaims(firstAttempt(), secondAttempt({ tests: 'other' }))).toEqual([3]);
});

it('does not hold for another session, lost turns, or a prompt without the failure', () => {
  expect(falseClaims(firstAttempt(), secondAttempt({ sessionId: 'two' }))).toEqual([4]);
  expect(
    falseClaims(firstAttempt(), secondAttempt({ conversation: { prompts: [prompts[1], retryPrompt] } })),
  ).toEqual([5]);
  expect(
    falseClaims(firstAttempt(), secondAttempt({ conversation: { prompts: [...prompts, 'Go on.'] } })),
  ).toEqual([6]);
});
