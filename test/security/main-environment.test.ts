import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { restoreMainEnvironment, saveMainEnvironment } from '../../src/security/main-environment.js';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'gump-test-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const main = {
  ACTIONS_RUNTIME_TOKEN: 'token-of-the-job',
  ANTHROPIC_API_KEY: 'key-of-main',
  GITHUB_OUTPUT: '/output-of-main',
  GITHUB_ACTION: 'step-of-main',
  INPUT_WORKFLOW: 'flow',
  'INPUT_STATE-KEY': 'state-key-of-main',
  'INPUT_JOB-STATUS': 'success',
};
/** What the runner makes for `post`. */
const ofPost = {
  ACTIONS_RUNTIME_TOKEN: 'token-of-the-job',
  GITHUB_OUTPUT: '/output-of-post',
  STATE_gump: '/state',
};
const own = { ...main, ...ofPost, 'INPUT_JOB-STATUS': 'failure' };

it('gives post the variables of main, and those of its own phase', () => {
  saveMainEnvironment(folder, main);
  expect(restoreMainEnvironment(folder, { ...own, LATER: 'x' })).toEqual({ ...own, LATER: 'x' });
});

it.each([
  ['no inputs', { ...ofPost }],
  [
    'the inputs of another action',
    { ...ofPost, INPUT_WORKFLOW: 'other', INPUT_NAME: 'x', 'INPUT_JOB-STATUS': 'success' },
  ],
  ['another state key', { ...own, 'INPUT_STATE-KEY': 'state-key-of-another-step' }],
  ['a status that does not exist', { ...own, 'INPUT_JOB-STATUS': 'neutral' }],
])('gives post the inputs of main without a job status if it got %s', (_, environment) => {
  saveMainEnvironment(folder, main);
  const { GITHUB_OUTPUT: _output, ...others } = main;
  expect(restoreMainEnvironment(folder, environment)).toEqual({
    ...others,
    ...ofPost,
    'INPUT_JOB-STATUS': undefined,
  });
});

it('writes no secret, and only its owner can read the file', () => {
  saveMainEnvironment(folder, main);
  const [name = ''] = readdirSync(folder);
  const text = readFileSync(join(folder, name), 'latin1');
  for (const value of Object.values(main)) expect(text).not.toContain(value);
  expect(statSync(join(folder, name)).mode & 0o777).toBe(0o600);
});

it('ignores a file that was changed, that belongs to another step, or that has another token', () => {
  const environment = { ...ofPost, INPUT_WORKFLOW: 'other' };
  expect(restoreMainEnvironment(folder, environment)).toBe(environment);
  saveMainEnvironment(folder, main);
  const file = join(folder, readdirSync(folder)[0] ?? '');
  const other = { ...environment, ACTIONS_RUNTIME_TOKEN: 'token-of-another-job' };
  expect(restoreMainEnvironment(folder, other)).toBe(other);
  const sealed = readFileSync(file);
  for (const at of [0, 40, 60, sealed.length - 1]) {
    const changed = Buffer.from(sealed);
    changed[at] = (changed[at] ?? 0) ^ 1;
    writeFileSync(file, changed);
    expect(restoreMainEnvironment(folder, environment)).toBe(environment);
  }
  writeFileSync(file, sealed.subarray(0, 20));
  expect(restoreMainEnvironment(folder, environment)).toBe(environment);
});

it('writes nothing without a token of the job', () => {
  const { ACTIONS_RUNTIME_TOKEN: _token, ...others } = main;
  saveMainEnvironment(folder, others);
  expect(readdirSync(folder)).toEqual([]);
});
