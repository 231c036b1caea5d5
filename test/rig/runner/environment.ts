/**
 * The environment that the runner gives to a JavaScript action (actions/runner 258d6c8, NodeScriptActionHandler and
 * the GITHUB_* allow-list). It contains nothing of this process's own environment.
 */

import { dirname } from 'node:path';
import { arch, platform } from 'node:process';
import { defined } from '../../../src/optional-keys.js';
import type { ArtifactJob } from '../artifacts/artifact-shelf.js';
import type { CacheService } from '../cache-service.js';
import { type CacheMode, cacheGrantFor, type WorkflowEvent } from './workflow-event.js';

export interface JobFacts {
  readonly repository: string;
  readonly runId: string;
  readonly jobAttempt: number;
  readonly job: string;
  readonly workflow: string;
  readonly workflowRef: string;
  readonly event: WorkflowEvent;
  readonly sha: string;
  readonly eventPath: string;
  readonly cacheMode?: CacheMode;
  /** The attempt was started with "Re-run all jobs". Default: with "Re-run failed jobs". */
  readonly isFullRerun?: boolean;
  /** Replaces the token of the event. */
  readonly cacheToken?: string;
  readonly apiUrl: string;
}

export interface MachineFacts {
  readonly home: string;
  readonly temp: string;
  readonly toolCache: string;
  readonly workspace: string;
  readonly bin: string;
  readonly scratch: string;
  readonly runnerName: string;
  readonly runnerKind: 'github-hosted' | 'self-hosted';
  readonly cache?: CacheService;
}

export function stageEnvironment(
  machine: MachineFacts,
  job: JobFacts,
  actionId: string,
): Record<string, string> {
  return {
    ...baseEnvironment(machine),
    ...githubVariables(machine, job, actionId),
    ...runnerVariables(machine),
    ...cacheVariables(machine.cache, job),
  };
}

function baseEnvironment(machine: MachineFacts): Record<string, string> {
  return {
    PATH: [machine.bin, dirname(process.execPath), '/usr/local/bin', '/usr/bin', '/bin'].join(':'),
    HOME: machine.home,
    // The runner does not set TMPDIR. The rig does, so that temporary files stay within the machine.
    TMPDIR: machine.scratch,
    GIT_CONFIG_NOSYSTEM: '1',
    LANG: 'C.UTF-8',
    SHELL: '/bin/bash',
    USER: 'runner',
    CI: 'true',
    GITHUB_ACTIONS: 'true',
  };
}

function githubVariables(machine: MachineFacts, job: JobFacts, actionId: string): Record<string, string> {
  const { event } = job;
  const ref = event.ref ?? 'refs/heads/main';
  const actor = event.actor ?? 'octocat';
  return {
    GITHUB_ACTION: actionId,
    GITHUB_ACTION_REF: 'v1',
    GITHUB_ACTION_REPOSITORY: 'octo/gump-action',
    GITHUB_ACTOR: actor,
    GITHUB_ACTOR_ID: '1',
    GITHUB_API_URL: job.apiUrl,
    GITHUB_GRAPHQL_URL: `${job.apiUrl}/graphql`,
    GITHUB_SERVER_URL: 'https://github.com',
    GITHUB_BASE_REF: event.baseRef ?? '',
    GITHUB_HEAD_REF: event.headRef ?? '',
    GITHUB_EVENT_NAME: event.name,
    GITHUB_EVENT_PATH: job.eventPath,
    GITHUB_JOB: job.job,
    GITHUB_REF: ref,
    GITHUB_REF_NAME: ref.replace(/^refs\/(heads|tags|pull)\//, ''),
    GITHUB_REF_PROTECTED: 'false',
    GITHUB_REF_TYPE: ref.startsWith('refs/tags/') ? 'tag' : 'branch',
    ...repositoryVariables(job),
    GITHUB_RETENTION_DAYS: '90',
    GITHUB_TRIGGERING_ACTOR: event.triggeringActor ?? actor,
    GITHUB_WORKSPACE: machine.workspace,
  };
}

function repositoryVariables(job: JobFacts): Record<string, string> {
  const [owner = ''] = job.repository.split('/');
  return {
    GITHUB_REPOSITORY: job.repository,
    GITHUB_REPOSITORY_ID: '4242',
    GITHUB_REPOSITORY_OWNER: owner,
    GITHUB_REPOSITORY_OWNER_ID: '42',
    GITHUB_RUN_ATTEMPT: String(job.jobAttempt),
    GITHUB_RUN_ID: job.runId,
    GITHUB_RUN_NUMBER: '7',
    GITHUB_SHA: job.event.sha ?? job.sha,
    GITHUB_WORKFLOW: job.workflow,
    GITHUB_WORKFLOW_REF: job.workflowRef,
    GITHUB_WORKFLOW_SHA: job.event.sha ?? job.sha,
  };
}

function runnerVariables(machine: MachineFacts): Record<string, string> {
  return {
    RUNNER_OS: platform === 'darwin' ? 'macOS' : 'Linux',
    RUNNER_ARCH: arch === 'arm64' ? 'ARM64' : 'X64',
    RUNNER_NAME: machine.runnerName,
    RUNNER_ENVIRONMENT: machine.runnerKind,
    RUNNER_TEMP: machine.temp,
    RUNNER_TOOL_CACHE: machine.toolCache,
    RUNNER_WORKSPACE: dirname(machine.workspace),
  };
}

function artifactJob({ runId, jobAttempt, isFullRerun = false, event, sha }: JobFacts): ArtifactJob {
  const ref = event.ref ?? 'refs/heads/main';
  return {
    runId: Number(runId),
    attempt: jobAttempt,
    isFullRerun,
    headBranch: event.headRef || ref.replace(/^refs\/heads\//, ''),
    headSha: event.sha ?? sha,
    ...defined({ headRepositoryId: event.headRepositoryId }),
  };
}

/** Absent without a cache service, as on a server that has none. */
function cacheVariables(cache: CacheService | undefined, job: JobFacts): Record<string, string> {
  if (!cache) return {};
  const grant = cacheGrantFor(job.event, job.repository, job.cacheMode);
  const token = job.cacheToken ?? cache.token({ ...grant, artifacts: artifactJob(job) });
  return {
    ACTIONS_RUNTIME_URL: cache.url,
    ACTIONS_RUNTIME_TOKEN: token,
    ACTIONS_CACHE_URL: cache.url,
    ACTIONS_RESULTS_URL: cache.url,
    ACTIONS_CACHE_SERVICE_V2: 'True',
    ...defined({ ACTIONS_CACHE_MODE: job.cacheMode }),
  };
}
