import { spawnSync } from 'node:child_process';
import { expect, it } from 'vitest';
import { ownEnvironment } from '../../src/security/own-environment.js';

const job = {
  ...{ PATH: process.env.PATH ?? '', HOME: '/home/x', LANG: 'C.UTF-8', LC_TIME: 'C', TMPDIR: '/tmp' },
  ...{ ACTIONS_RUNTIME_TOKEN: 'token', ACTIONS_RESULTS_URL: 'http://x', ACTIONS_CACHE_SERVICE_V2: 'True' },
  ...{
    GITHUB_OUTPUT: '/o',
    RUNNER_TEMP: '/t',
    https_proxy: 'http://u:p@x',
    NODE_TLS_REJECT_UNAUTHORIZED: '1',
  },
};
const others = {
  ...{
    'INPUT_STATE-KEY': 's',
    ANTHROPIC_API_KEY: 'k',
    GITHUB_TOKEN: 't',
    NODE_AUTH_TOKEN: 'n',
    STATE_gump: '/s',
  },
  ...{ ACTIONS_ID_TOKEN_REQUEST_TOKEN: 'i', PLAIN: 'p' },
};

it('keeps what the libraries of the action read, and nothing else', () => {
  const own = ownEnvironment({ ...job, ...others });
  for (const [name, value] of Object.entries(job)) expect(own[name], name).toBe(value);
  for (const name of Object.keys(others)) expect(own[name], name).toBeUndefined();
});

it('passes on only what a program needs to start', () => {
  const env = ownEnvironment({ ...job, ...others });
  const { stdout } = spawnSync('env', { env: env as NodeJS.ProcessEnv, encoding: 'utf8' });
  const names = stdout
    .trim()
    .split('\n')
    .map((line) => line.replace(/=.*/, ''));
  expect(names.sort()).toEqual(['HOME', 'LANG', 'LC_TIME', 'PATH', 'TMPDIR']);
});

it('stays hidden if the value changes, as the cache client does', () => {
  const env = ownEnvironment(job);
  env.RUNNER_TEMP = '/other';
  expect([env.RUNNER_TEMP, Object.keys(env).includes('RUNNER_TEMP')]).toEqual(['/other', false]);
});
