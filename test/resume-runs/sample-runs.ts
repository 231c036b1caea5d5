/** Workflow runs as GitHub stores them, for tests of the action in `resume/`. */
import { type ResumeMark, resumeTitle, writeResumeMark } from '../../src/report/resume-mark.js';
import type { StoredAnnotation, StoredJob, StoredRun } from '../rig/github/state.js';

export const hour = 3_600_000;

export const shutdown =
  'The runner has received a shutdown signal. This can happen when the runner service is stopped, or a manually started runner is canceled.';
export const cancelled = 'The operation was canceled.';
export const outOfTime = 'The job has exceeded the maximum execution time of 6h0m0s';
export const personCancelled = 'The run was canceled by @octocat.';

/** `a` → sixteen of it. */
export function progressOf(letter: string): string {
  return letter.repeat(16);
}

export function failure(message: string): StoredAnnotation {
  return { level: 'failure', title: '', message };
}

/** The annotation of gump-action. */
export function markAnnotation(mark: Partial<ResumeMark> & { readonly at: number }): StoredAnnotation {
  const whole = { reason: 'limit', progress: progressOf('a'), ...mark } as const;
  return {
    level: 'failure',
    title: resumeTitle(whole.at),
    message: `The run waits.\nRe-run the failed jobs after that time.\n${writeResumeMark(whole)}`,
  };
}

let nextId = 100;

export interface JobSample {
  readonly name?: string;
  readonly conclusion?: string;
  /** Hours before now. */
  readonly started?: number;
  readonly ended?: number;
  readonly steps?: readonly string[];
}

/** A job that failed, with these annotations. */
export function failedJob(annotations: readonly StoredAnnotation[], sample: JobSample = {}): StoredJob {
  const ago = (hours: number) => new Date(Date.now() - hours * hour).toISOString();
  nextId += 1;
  return {
    id: nextId,
    name: sample.name ?? 'agents',
    conclusion: sample.conclusion ?? 'failure',
    annotations,
    startedAt: ago(sample.started ?? 2),
    completedAt: ago(sample.ended ?? 1),
    steps: sample.steps ?? ['Set up job', 'Run octo/gump-action@v1'],
  };
}

export interface RunSample {
  readonly name?: string;
  readonly path?: string;
  readonly status?: StoredRun['status'];
  readonly conclusion?: string | null;
  /** Hours before now. */
  readonly created?: number;
  readonly event?: string;
  readonly headRepository?: string;
  /** The number of the latest attempt. Default: one for each list of jobs. */
  readonly attempt?: number;
}

/** `attempts`: the jobs of each attempt, the first one first. */
export function storedRun(attempts: readonly (readonly StoredJob[])[], sample: RunSample = {}): StoredRun {
  nextId += 1;
  // In whole minutes, so that runs of one test have the same age.
  const now = Math.floor(Date.now() / 60_000) * 60_000;
  const at = (hours: number) => new Date(now - hours * hour).toISOString();
  const attempt = sample.attempt ?? attempts.length;
  return {
    id: nextId,
    name: sample.name ?? 'agents',
    path: sample.path ?? '.github/workflows/agents.yml',
    status: sample.status ?? 'completed',
    conclusion: sample.conclusion === undefined ? 'failure' : sample.conclusion,
    attempt,
    createdAt: at(sample.created ?? 3),
    updatedAt: at(1),
    event: sample.event ?? 'push',
    headBranch: 'main',
    headSha: '0'.repeat(40),
    headRepository: sample.headRepository ?? 'octo/sample',
    // The attempts before those of the test are not known.
    jobs: [...Array.from({ length: attempt - attempts.length }, () => []), ...attempts],
  };
}
