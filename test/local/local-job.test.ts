import { expect, it } from 'vitest';
import { readInputs } from '../../src/inputs/inputs.js';
import { readJob } from '../../src/job.js';
import { type LocalJob, localEnvironment } from '../../src/local/local-job.js';

const job: LocalJob = {
  command: { name: 'run', workflow: 'flow', vars: { a: '1' }, isFresh: false },
  environment: {},
  root: '/repo',
  prefix: 'sub',
  ref: 'refs/heads/main',
  commit: '0'.repeat(40),
  runId: '12',
  jobAttempt: 2,
  temp: '/tmp/gump-local-x',
  toolCache: '/cache',
  platform: 'linux',
  token: 'token',
  storage: { directory: '/repo/sub/.gump/state/x', key: 'no-real-key-0123456789abcdef' },
};

it('sets what the action needs of a runner', () => {
  const environment = localEnvironment(job);
  expect(readJob(environment)).toMatchObject({
    runId: '12',
    jobAttempt: 2,
    missingIdentity: [],
    runnerOs: 'Linux',
  });
  const inputs = readInputs((name) => environment[`INPUT_${name.toUpperCase()}`] ?? '');
  expect(inputs).toMatchObject({
    workflow: 'flow',
    dryRun: false,
    vars: { a: '1' },
    workingDirectory: 'sub',
  });
  expect(inputs.stateStore).toEqual({ kind: 'directory', path: '/repo/sub/.gump/state/x' });
});

it('takes nothing of a job in which the command runs, except what the agents may need', () => {
  const outer = {
    PATH: '/bin',
    GITHUB_TOKEN: 'secret',
    GITHUB_OUTPUT: '/job/output',
    GITHUB_ENV: '/job/env',
    GITHUB_EVENT_PATH: '/job/event.json',
    GITHUB_EVENT_NAME: 'issue_comment',
    ACTIONS_RESULTS_URL: 'https://cache',
    ACTIONS_RUNTIME_TOKEN: 'outer',
    INPUT_AGENT: 'codex',
    STATE_gump: '/job/gump',
  };
  const environment = localEnvironment({ ...job, environment: outer });
  expect(environment).toMatchObject({ PATH: '/bin', GITHUB_TOKEN: 'secret', ACTIONS_RUNTIME_TOKEN: 'token' });
  expect(environment.GITHUB_OUTPUT).toBe('/tmp/gump-local-x/output');
  expect(environment.GITHUB_EVENT_NAME).toBe('workflow_dispatch');
  for (const name of ['GITHUB_ENV', 'GITHUB_EVENT_PATH', 'ACTIONS_RESULTS_URL', 'STATE_gump'])
    expect(environment).not.toHaveProperty(name);
  expect(environment.INPUT_AGENT).toBe('');
});
