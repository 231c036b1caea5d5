import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { readJob } from '../../src/job.js';

let folder: string;
let environment: Record<string, string>;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'gump-test-'));
  environment = {
    GITHUB_REPOSITORY: 'o/r',
    GITHUB_REPOSITORY_ID: '7',
    GITHUB_RUN_ID: '12345678901234567890',
    GITHUB_RUN_ATTEMPT: '2',
    GITHUB_JOB: 'build',
    GITHUB_ACTION: '__self',
    GITHUB_REF: 'refs/heads/main',
    GITHUB_SHA: 'a'.repeat(40),
    GITHUB_EVENT_NAME: 'push',
    GITHUB_EVENT_PATH: join(folder, 'event.json'),
    GITHUB_WORKFLOW_REF: 'o/r/.github/workflows/ci.yml@refs/heads/main',
    GITHUB_ACTOR: 'ada',
    GITHUB_WORKSPACE: '/work/r',
    RUNNER_TEMP: '/work/_temp',
    RUNNER_OS: 'Linux',
  };
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

describe('readJob', () => {
  it('reads the variables of the runner, and keeps all digits of the run id', () => {
    expect(readJob({ ...environment, GITHUB_TRIGGERING_ACTOR: 'bob', RUNNER_DEBUG: '1' })).toMatchObject({
      repository: 'o/r',
      repositoryId: '7',
      runId: '12345678901234567890',
      jobAttempt: 2,
      jobId: 'build',
      actor: 'ada',
      triggeringActor: 'bob',
      apiUrl: 'https://api.github.com',
      runnerOs: 'Linux',
      isDebug: true,
    });
    expect(readJob(environment)).toMatchObject({ triggeringActor: 'ada', isDebug: false });
  });

  it('reads the event payload on request, once, and works without it', () => {
    const job = readJob(environment);
    writeFileSync(join(folder, 'event.json'), '{"action":"opened"}');
    expect(job.payload()).toEqual({ action: 'opened' });
    rmSync(join(folder, 'event.json'));
    expect(job.payload()).toEqual({ action: 'opened' });
    expect(readJob(environment).payload()).toEqual({});
  });

  it('reports the missing variables, and that it must run in a GitHub Actions job', () => {
    expect(() => readJob({})).toThrow(
      /GITHUB_REPOSITORY is not set; .*GITHUB_RUN_ID is not set; .*RUNNER_TEMP is not set.*Run this action as a step of a GitHub Actions job/,
    );
  });

  it('falls back to the names of repository and workflow on runners other than those of GitHub', () => {
    const { GITHUB_REPOSITORY_ID: _id, GITHUB_WORKFLOW_REF: _ref, ...others } = environment;
    expect(readJob(environment).missingIdentity).toEqual([]);
    expect(readJob({ ...others, GITHUB_WORKFLOW: 'ci' })).toMatchObject({
      repositoryId: 'o/r',
      workflowRef: 'ci',
      missingIdentity: ['GITHUB_REPOSITORY_ID', 'GITHUB_WORKFLOW_REF'],
    });
    expect(() => readJob(others)).toThrow('GITHUB_WORKFLOW is not set');
  });

  it.each([
    ['GITHUB_RUN_ATTEMPT', '0', 'GITHUB_RUN_ATTEMPT is "0", not a number from 1'],
    ['GITHUB_RUN_ID', '1a', 'GITHUB_RUN_ID is "1a", not a number'],
    ['GITHUB_SHA', 'main', 'GITHUB_SHA is "main", not a commit'],
    ['GITHUB_WORKSPACE', 'r', 'GITHUB_WORKSPACE is "r", not an absolute path'],
    ['GITHUB_REPOSITORY', 'r', 'GITHUB_REPOSITORY is "r", not owner/name'],
    ['RUNNER_OS', 'Plan9', 'RUNNER_OS is "Plan9", not Linux, macOS or Windows'],
  ])('refuses %s=%s', (name, value, message) => {
    expect(() => readJob({ ...environment, [name]: value })).toThrow(message);
  });
});
