import { expect, it } from 'vitest';
import { deriveLineKey } from '../../src/security/line-key.js';

const environment = {
  ACTIONS_RUNTIME_TOKEN: 'a token of the job',
  GITHUB_REPOSITORY_ID: '4242',
  GITHUB_RUN_ID: '1001',
  GITHUB_RUN_ATTEMPT: '1',
};
const options = { environment, privateDirectory: '/tmp/gump-a', otherSecrets: ['a key of an agent'] };
const key = (change: Partial<typeof options>) => deriveLineKey({ ...options, ...change }).toString('hex');

it('is the same in both phases, whatever keys an agent has', () => {
  expect(key({})).toHaveLength(64);
  expect(key({ otherSecrets: [] })).toBe(key({}));
});

it.each([
  ['token', { environment: { ...environment, ACTIONS_RUNTIME_TOKEN: 'another' } }],
  ['run', { environment: { ...environment, GITHUB_RUN_ID: '1002' } }],
  ['job attempt', { environment: { ...environment, GITHUB_RUN_ATTEMPT: '2' } }],
  ['action step', { privateDirectory: '/tmp/gump-b' }],
])('is another one with another %s', (_what, change) => {
  expect(key(change)).not.toBe(key({}));
});

it('is made of the other secrets if there is no token', () => {
  const local = { environment: { ...environment, ACTIONS_RUNTIME_TOKEN: '' } };
  expect(key(local)).not.toBe(key({ ...local, otherSecrets: ['another'] }));
});
