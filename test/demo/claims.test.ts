import { expect, it } from 'vitest';
import { claimsOf } from '../../scripts/demo/claims.js';
import type { JobAttempt } from '../../scripts/demo/job-attempt.js';

const told = ['Write the tests.', 'Write the code.'];
const again = 'Write the code.\n\n---\n\nAttempt 1 at this task did not pass: x\n\nWhat was reported:\ny';

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
function seen(facts: object, main: object, report: object): JobAttempt {
  return { usesLogin: false, session: 'one', tests: 'text', remains: [], ...facts, main, report } as never;
}

function first(facts: object = {}): JobAttempt {
  const steps = [tests, { path: 'impl', status: 'failed', attempts: [failed] }];
  const main = { exitCode: 1, outputs: { 'failed-step': 'impl' } };
  const conversation = { told };
  return seen({ workspace: '/a', conversation, ...facts }, main, { steps, totals: { costUsd: 0.004 } });
}

function second(facts: object = {}, costUsd = 0.006, ofTests: object = tests): JobAttempt {
  const steps = [ofTests, { path: 'impl', status: 'passed', attempts: [failed, attempt(2)] }];
  const main = { exitCode: 0, outputs: { resumed: 'true' } };
  const conversation = { told: [...told, again] };
  return seen({ workspace: '/b', conversation, ...facts }, main, { steps, totals: { costUsd } });
}

const sealed = [Buffer.from('noise')];

/** The places of the claims that do not hold. */
function broken(one: JobAttempt, two: JobAttempt, stored = sealed): readonly number[] {
  return claimsOf(one, two, stored).flatMap(({ holds }, at) => (holds ? [] : [at]));
}

it('holds for what should be seen', () => {
  expect(broken(first(), second())).toEqual([]);
});

it('does not hold for a step that passed at once', () => {
  const passed = { ...first(), main: { exitCode: 0, outputs: {} } } as never;
  expect(broken(passed, second())).toEqual([0]);
});

it('does not hold where something is left of the machine, nothing was stored, or it can be read', () => {
  expect(broken(first({ remains: ['/a'] }), second())).toEqual([1]);
  expect(broken(first(), second(), [])).toEqual([1]);
  expect(broken(first(), second(), [Buffer.from('… Write the tests. …')])).toEqual([1]);
});

it('does not hold where job attempt 2 ran in the same place', () => {
  expect(broken(first(), second({ workspace: '/a' }))).toEqual([2]);
});

it('does not hold where `tests` was run, paid or written again', () => {
  expect(broken(first(), second({}, 0.008, { ...tests, attempts: [attempt(1), attempt(2)] }))).toEqual([3]);
  expect(broken(first(), second({}, 0.008))).toEqual([3]);
  expect(broken(first(), second({ tests: 'other' }))).toEqual([3]);
});

it('does not hold for another session, lost turns, or a prompt without the failure', () => {
  expect(broken(first(), second({ session: 'two' }))).toEqual([4]);
  expect(broken(first(), second({ conversation: { told: [told[1], again] } }))).toEqual([5]);
  expect(broken(first(), second({ conversation: { told: [...told, 'Go on.'] } }))).toEqual([6]);
});
