/** The variables and inputs with which the action runs on this machine, as a runner would set them. Pure. */
import { join } from 'node:path';
import { isRunnerVariable } from '../security/secret-names.js';
import type { Environment } from '../system/environment.js';
import type { LocalCommand } from './arguments.js';

export interface LocalJob {
  readonly command: LocalCommand;
  /** The environment of the user. */
  readonly environment: Environment;
  /** The top of the worktree. */
  readonly root: string;
  /** The path from there to the directory in which the command was started. */
  readonly prefix: string;
  readonly ref: string;
  readonly commit: string;
  readonly runId: string;
  readonly jobAttempt: number;
  /** A new directory, in place of that of the runner. */
  readonly temp: string;
  /** Where installed CLIs stay for the next run. */
  readonly toolCache: string;
  readonly platform: NodeJS.Platform;
  /** Takes the place of ACTIONS_RUNTIME_TOKEN: what `main` leaves for `post` is sealed with it (`line-key.ts`). */
  readonly token: string;
  readonly storage?: { readonly directory: string; readonly key: string };
}

export interface CommandFiles {
  readonly output: string;
  readonly state: string;
  readonly summary: string;
}

/** Our own command files: in a real job, those of the runner belong to the step that started the command. */
export function commandFilesIn(temp: string): CommandFiles {
  return { output: join(temp, 'output'), state: join(temp, 'state'), summary: join(temp, 'summary') };
}

/** Variables of a job that do not apply to this run if the command itself runs in one. */
const ofOuterJob = new Set(['GITHUB_EVENT_PATH', 'GITHUB_ACTION_REPOSITORY', 'GITHUB_ACTION_REF']);

export function localEnvironment(job: LocalJob): Record<string, string> {
  const own = Object.entries(job.environment).filter(
    (entry): entry is [string, string] =>
      entry[1] !== undefined && !isRunnerVariable(entry[0]) && !ofOuterJob.has(entry[0]),
  );
  return { ...Object.fromEntries(own), ...jobVariables(job), ...inputVariables(job) };
}

function jobVariables(job: LocalJob): Record<string, string> {
  const files = commandFilesIn(job.temp);
  return {
    ACTIONS_RUNTIME_TOKEN: job.token,
    GITHUB_REPOSITORY: 'local/local',
    GITHUB_REPOSITORY_ID: '0',
    GITHUB_RUN_ID: job.runId,
    GITHUB_RUN_ATTEMPT: String(job.jobAttempt),
    GITHUB_JOB: 'local',
    GITHUB_ACTION: 'local',
    GITHUB_WORKFLOW_REF: 'local',
    GITHUB_REF: job.ref,
    GITHUB_SHA: job.commit,
    // The event with which a person starts a run.
    GITHUB_EVENT_NAME: 'workflow_dispatch',
    GITHUB_ACTOR: 'local',
    GITHUB_TRIGGERING_ACTOR: 'local',
    GITHUB_WORKSPACE: job.root,
    GITHUB_OUTPUT: files.output,
    GITHUB_STATE: files.state,
    GITHUB_STEP_SUMMARY: files.summary,
    RUNNER_TEMP: job.temp,
    RUNNER_TOOL_CACHE: job.toolCache,
    RUNNER_OS: job.platform === 'darwin' ? 'macOS' : 'Linux',
  };
}

function inputVariables({ command, prefix, storage }: LocalJob): Record<string, string> {
  const { name, workflow, spec = '', specFile = '', agent = '', approve = '', vars } = command;
  const inputs = {
    workflow,
    spec,
    'spec-file': specFile,
    agent,
    approve,
    // JSON is YAML.
    vars: Object.keys(vars).length === 0 ? '' : JSON.stringify(vars),
    'working-directory': prefix === '' ? '.' : prefix,
    'dry-run': String(name !== 'run'),
    'on-no-credentials': 'fail',
    matrix: 'null',
    'job-status': 'success',
    ...(storage && { 'state-store': `directory:${storage.directory}`, 'state-key': storage.key }),
  };
  return Object.fromEntries(
    Object.entries(inputs).map(([input, value]) => [`INPUT_${input.toUpperCase()}`, value]),
  );
}
