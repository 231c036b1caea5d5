/**
 * What the runner reports about this job in the variables that every action step gets (GitHub documentation,
 * "Default environment variables"). `inputs.ts` reads the inputs.
 */
import { readFileSync } from 'node:fs';
import { UserError } from './failure.js';
import type { Environment } from './system/environment.js';

export interface Job {
  /** `owner/name`. */
  readonly repository: string;
  /** GitHub's number of the repository; `owner/name` on a runner that does not set it. */
  readonly repositoryId: string;
  readonly runId: string;
  /** 1 for the first run, then one more for each re-run of the run or of a part of it. */
  readonly jobAttempt: number;
  /** The key of the job in the workflow file; the same for all legs of a matrix. */
  readonly jobId: string;
  /** The id of this action step, or a name that the runner derives from the name of the action. */
  readonly actionId: string;
  readonly ref: string;
  readonly sha: string;
  readonly eventName: string;
  /** The event's payload, read at the first call; `{}` if it is missing or unreadable. */
  payload(): unknown;
  /** `owner/name/.github/workflows/file.yml@ref`; the workflow's name, or its file, on a runner that does not set it. */
  readonly workflowRef: string;
  /** Variables that identify the repository and the workflow on GitHub, and that this runner does not set. */
  readonly missingIdentity: readonly string[];
  readonly serverUrl: string;
  readonly apiUrl: string;
  readonly actor: string;
  readonly triggeringActor: string;
  /** Absolute path of the checkout. */
  readonly workspace: string;
  /** Absolute path of a directory that the runner empties before and after the job. */
  readonly temp: string;
  readonly runnerOs: 'Linux' | 'macOS' | 'Windows';
  readonly isDebug: boolean;
}

const identityVariables = ['GITHUB_REPOSITORY_ID', 'GITHUB_WORKFLOW_REF'] as const;

/** Reads the job's variables. Throws a `UserError` if they are missing (outside a runner) or invalid. */
export function readJob(environment: Environment): Job {
  const problems: string[] = [];
  const text = (name: string, pattern = /\S/, kind = 'set'): string => {
    const value = environment[name]?.trim() ?? '';
    if (!pattern.test(value))
      problems.push(value === '' ? `${name} is not set` : `${name} is "${value}", not ${kind}`);
    return value;
  };
  const number = (name: string) => text(name, /^\d+$/, 'a number');
  // nektos/act (0.2.89) and the runners of Forgejo and Gitea do not set these two.
  const missingIdentity = identityVariables.filter((name) => !environment[name]?.trim());
  const isMissing = (name: (typeof identityVariables)[number]) => missingIdentity.includes(name);
  const repository = text('GITHUB_REPOSITORY', /^[^/\s]+\/[^/\s]+$/, 'owner/name');
  const job: Job = {
    repository,
    repositoryId: isMissing('GITHUB_REPOSITORY_ID') ? repository : number('GITHUB_REPOSITORY_ID'),
    runId: number('GITHUB_RUN_ID'),
    jobAttempt: Number(text('GITHUB_RUN_ATTEMPT', /^[1-9]\d{0,5}$/, 'a number from 1')),
    jobId: text('GITHUB_JOB'),
    actionId: text('GITHUB_ACTION'),
    ref: text('GITHUB_REF'),
    sha: text('GITHUB_SHA', /^[0-9a-f]{40,64}$/, 'a commit'),
    eventName: text('GITHUB_EVENT_NAME'),
    payload: lazily(() => readPayload(environment.GITHUB_EVENT_PATH)),
    workflowRef: text(isMissing('GITHUB_WORKFLOW_REF') ? 'GITHUB_WORKFLOW' : 'GITHUB_WORKFLOW_REF'),
    missingIdentity,
    serverUrl: environment.GITHUB_SERVER_URL || 'https://github.com',
    apiUrl: environment.GITHUB_API_URL || 'https://api.github.com',
    actor: text('GITHUB_ACTOR'),
    // GitHub Enterprise Server before 3.5 does not set it.
    triggeringActor: environment.GITHUB_TRIGGERING_ACTOR || environment.GITHUB_ACTOR || '',
    workspace: text('GITHUB_WORKSPACE', /^(?:\/|[A-Za-z]:[\\/])/, 'an absolute path'),
    temp: text('RUNNER_TEMP', /^(?:\/|[A-Za-z]:[\\/])/, 'an absolute path'),
    runnerOs: text('RUNNER_OS', /^(?:Linux|macOS|Windows)$/, 'Linux, macOS or Windows') as Job['runnerOs'],
    isDebug: environment.RUNNER_DEBUG === '1',
  };
  if (problems.length === 0) return job;
  throw new UserError(
    `These environment variables of the runner are missing or invalid: ${problems.join('; ')}. Run this action as a step of a GitHub Actions job.`,
  );
}

/** Returns `{}` on errors, because most runs do not need the payload. */
function readPayload(path: string | undefined): unknown {
  try {
    return path ? JSON.parse(readFileSync(path, 'utf8')) : {};
  } catch {
    return {};
  }
}

function lazily<T>(compute: () => T): () => T {
  let computed: { readonly value: T } | undefined;
  return () => {
    computed ??= { value: compute() };
    return computed.value;
  };
}
