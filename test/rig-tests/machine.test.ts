import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type CacheService, startCacheService } from '../rig/cache-service.js';
import { writeFiles } from '../rig/files.js';
import { createMachine, type Machine, type MachineOptions, pullRequestEvent } from '../rig/machine.js';
import { inputVariables, readActionMetadata } from '../rig/runner/action-metadata.js';
import { cacheGrantFor } from '../rig/runner/workflow-event.js';

const actionFile = `
name: tiny
inputs:
  mode: { required: true }
  plain: { default: here }
  with space: { default: '' }
  github-token: { default: '\${{ github.token }}' }
  matrix: { default: '\${{ toJSON(matrix) }}' }
  job-status: { default: '\${{ job.status }}' }
runs: { using: node24, main: index.mjs, post: index.mjs }
`;

/** An action that acts on its input `mode` and prints its environment in post. */
const script = `
import { spawn } from 'node:child_process';
import { appendFileSync, writeFileSync } from 'node:fs';
const { env } = process;
const put = (name, text) => appendFileSync(env[name], text + '\\n');
put('GITHUB_OUTPUT', 'environment<<X\\n' + JSON.stringify(env) + '\\nX');
if (env.STATE_isPost) {
  console.log('::notice::post ' + env.STATE_text + ' ' + env['INPUT_JOB-STATUS']);
} else {
  put('GITHUB_STATE', 'isPost=true\\ntext<<E\\n' + (env.INPUT_PLAIN ?? '') + '\\nE');
  put('GITHUB_STEP_SUMMARY', '# Summary');
  put('GITHUB_ENV', 'FROM_STEP=1');
  const modes = {
    pass() {
      writeFileSync(env.RUNNER_TEMP + '/report.json', '{"version":1,"status":"passed"}');
      put('GITHUB_OUTPUT', 'report=' + env.RUNNER_TEMP + '/report.json\\ncwd=' + process.cwd());
      console.log('::add-mask::s3cret-value\\nit is s3cret-value');
      console.error('::warning::on stderr');
    },
    fail() {
      console.log('::error::no');
      process.exitCode = 3;
    },
    polite() {
      process.on('SIGINT', () => { console.log('saved'); process.exit(1); });
      console.log('running');
      setInterval(() => {}, 1000);
    },
    stubborn() {
      process.on('SIGINT', () => console.log('no INT'));
      process.on('SIGTERM', () => console.log('no TERM'));
      console.log('running');
      setInterval(() => {}, 1000);
    },
    parent() {
      spawn('sleep', ['600'], { detached: true, stdio: 'ignore' });
      writeFileSync(env.RUNNER_TEMP + '/started', '');
      setInterval(() => {}, 1000);
    },
  };
  modes[env.INPUT_MODE]();
}
`;

let actionDirectory: string;
let cache: CacheService;
let machine: Machine;

beforeAll(async () => {
  actionDirectory = await mkdtemp(join(tmpdir(), 'rig-action-'));
  await writeFiles(actionDirectory, { 'action.yml': actionFile, 'index.mjs': script });
  cache = await startCacheService();
});

afterAll(async () => {
  await cache.close();
  await rm(actionDirectory, { recursive: true });
});

const make = (options: MachineOptions = {}) => createMachine({ actionDirectory, cache, ...options });

beforeEach(async () => {
  machine = await make();
});

afterEach(() => machine.wipe());

const mode = (name: string) => ({ inputs: { mode: name } });

describe('a step', () => {
  it('returns everything that the action reported', async () => {
    const { main, post } = await machine.runStep(mode('pass'));
    expect(main).toMatchObject({ exitCode: 0, isStopped: false, isHeldOpen: false, warnings: ['on stderr'] });
    expect(main.summary).toBe('# Summary\n');
    expect(main.state).toEqual({ isPost: 'true', text: 'here' });
    expect(main.report?.status).toBe('passed');
    expect(main.outputs.cwd).toBe(machine.workspace);
    expect(main.masked).toContain('it is ***');
    expect(post?.notices).toEqual(['post here success']);
  });

  it('has the environment of the runner and nothing of this process', async () => {
    process.env.RIG_OUTER = 'leak';
    const event = pullRequestEvent({ number: 7, head: 'abc', headRef: 'topic' });
    const { main } = await machine.runStep({
      inputs: { mode: 'pass', 'with space': 'x' },
      env: { ANTHROPIC_API_KEY: 'k' },
      event,
      jobAttempt: 2,
      matrix: { leg: 1 },
      cacheMode: 'read',
    });
    delete process.env.RIG_OUTER;
    const env = JSON.parse(main.outputs.environment ?? '');
    expect(env).toMatchObject({
      HOME: machine.home,
      ANTHROPIC_API_KEY: 'k',
      INPUT_WITH_SPACE: 'x',
      'INPUT_GITHUB-TOKEN': expect.stringMatching(/^ghs_/),
      INPUT_MATRIX: '{\n  "leg": 1\n}',
      'INPUT_JOB-STATUS': 'success',
      GITHUB_RUN_ATTEMPT: '2',
      GITHUB_REF: 'refs/pull/7/merge',
      GITHUB_HEAD_REF: 'topic',
      ACTIONS_RESULTS_URL: cache.url,
      ACTIONS_CACHE_MODE: 'read',
    });
    expect(env).not.toHaveProperty('RIG_OUTER');
    expect(env).not.toHaveProperty('GITHUB_TOKEN');
    const payload = JSON.parse(await readFile(env.GITHUB_EVENT_PATH, 'utf8'));
    expect(payload.pull_request.head.sha).toBe('abc');
  });

  it('passes `null` without a matrix, and no cache variables without a cache', async () => {
    const bare = await createMachine({ actionDirectory });
    const { main } = await bare.runStep(mode('pass'));
    const env = JSON.parse(main.outputs.environment ?? '');
    expect(env.INPUT_MATRIX).toBe('null');
    expect(Object.keys(env).filter((name) => name.startsWith('ACTIONS_'))).toEqual([]);
    await bare.wipe();
  });

  it('refuses an input that the action does not declare', async () => {
    await expect(machine.runStep({ inputs: { mood: 'x' } })).rejects.toThrow('declares no input mood');
  });

  it('runs post after a failure, with the status', async () => {
    const { main, post } = await machine.runStep(mode('fail'));
    expect([main.exitCode, main.errors]).toEqual([3, ['no']]);
    expect(post?.notices).toEqual(['post here failure']);
  });
});

it('passes the status of later steps to post', async () => {
  const { post } = await machine.runStep({ ...mode('pass'), laterStatus: 'failure' });
  expect(post?.notices).toEqual(['post here failure']);
});

describe('a stop', () => {
  it('cancels with SIGINT, and post gets the status', async () => {
    const stop = { when: { log: 'running' }, how: 'cancel' } as const;
    const { main, post } = await machine.runStep({ ...mode('polite'), stop });
    expect(main).toMatchObject({ exitCode: 1, isStopped: true });
    expect(main.log).toContain('saved');
    expect(post?.notices).toEqual(['post here cancelled']);
  });

  it('continues with SIGTERM and SIGKILL', async () => {
    const stop = { when: { log: /running/ }, how: 'cancel', gracePeriodsMs: [500, 500] } as const;
    const { main } = await machine.runStep({ ...mode('stubborn'), stop });
    expect(main.log).toMatch(/no INT\n.*no TERM\n/s);
    expect(main.signal).toBe('SIGKILL');
  });

  it('ends every process if the machine is lost, without post', async () => {
    const stop = { when: { file: join(machine.temp, 'started') }, how: 'lose' } as const;
    const { main, post } = await machine.runStep({ ...mode('parent'), stop });
    expect([main.signal, post]).toEqual(['SIGKILL', undefined]);
    expect(await machine.processes()).toEqual([]);
  });

  it('leaves the child processes if only the process is killed; wipe ends them', async () => {
    const stop = { when: { until: () => hasFile(join(machine.temp, 'started')) }, how: 'kill' } as const;
    const { post } = await machine.runStep({ ...mode('parent'), stop });
    expect(post?.notices).toEqual(['post here failure']);
    const [child = 0] = await machine.processes();
    expect(child).toBeGreaterThan(0);
    await machine.wipe();
    expect(await machine.processes()).toEqual([]);
    await expect(stat(machine.root)).rejects.toThrow();
  });

  it('shuts down with the signals and without post', async () => {
    const stop = { when: { log: 'running' }, how: 'shutdown' } as const;
    const { main, post } = await machine.runStep({ ...mode('polite'), stop });
    expect([main.exitCode, post]).toEqual([1, undefined]);
  });

  it('does not happen if its condition is not met', async () => {
    const { main } = await machine.runStep({
      ...mode('pass'),
      stop: { when: { log: 'never' }, how: 'lose' },
    });
    expect([main.exitCode, main.isStopped]).toEqual([0, false]);
  });
});

const hasFile = (path: string) =>
  stat(path).then(
    () => true,
    () => false,
  );

describe('cacheGrant', () => {
  const pull = pullRequestEvent({ number: 7, head: 'abc', headRef: 'topic' });

  it('allows a run to write its own ref, and also to read base and default branch', () => {
    const merge = 'refs/pull/7/merge';
    const read = [merge, 'refs/heads/main'];
    expect(cacheGrantFor(pull, 'octo/sample', undefined)).toEqual({
      repository: 'octo/sample',
      read,
      write: merge,
    });
  });

  it.each([
    ['push', undefined, 1, true],
    ['issue_comment', undefined, 1, false],
    ['issue_comment', 'write', 1, true],
    ['push', 'read', 1, false],
    ['push', 'write-only', 0, true],
    ['push', 'none', 0, false],
  ] as const)('%s with cache-mode %s', (name, mode, scopes, isWritable) => {
    const grant = cacheGrantFor({ name }, 'octo/sample', mode);
    expect([grant.read.length, grant.write !== undefined]).toEqual([scopes, isWritable]);
  });
});

it('evaluates every default of the real action.yml', async () => {
  const metadata = await readActionMetadata(fileURLToPath(new URL('../..', import.meta.url)));
  const inputs = inputVariables(metadata, {}, { token: 'T', jobStatus: 'success' });
  expect(inputs).toMatchObject({
    INPUT_MATRIX: 'null',
    'INPUT_JOB-STATUS': 'success',
    'INPUT_GITHUB-TOKEN': 'T',
  });
});

describe('a job', () => {
  it('runs post stages in reverse order, passes GITHUB_ENV on, and accepts a later status', async () => {
    const job = await machine.startJob({ runId: '5' });
    await job.runStep({ inputs: { mode: 'pass', plain: 'first' } });
    const second = await job.runStep({ inputs: { mode: 'pass', plain: 'second' } });
    expect(JSON.parse(second.outputs.environment ?? '').FROM_STEP).toBe('1');
    const posts = await job.finish('failure');
    expect(posts.flatMap(({ notices }) => notices)).toEqual(['post second failure', 'post first failure']);
  });

  it('starts with an empty RUNNER_TEMP but the same home', async () => {
    await writeFile(join(machine.temp, 'old'), '');
    await writeFile(join(machine.home, 'kept'), '');
    await machine.runStep(mode('pass'));
    expect(await hasFile(join(machine.temp, 'old'))).toBe(false);
    expect(await hasFile(join(machine.home, 'kept'))).toBe(true);
  });
});

it('has the same paths again if its root is given, otherwise others', async () => {
  const first = await make();
  await first.wipe();
  const second = await make({ root: first.root });
  const moved = await make({ workspace: 'elsewhere/deep/repo' });
  expect(second.workspace).toBe(first.workspace);
  expect(moved.workspace).toBe(join(moved.root, 'elsewhere/deep/repo'));
  await second.wipe();
  await moved.wipe();
});
