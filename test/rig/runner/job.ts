/** One job on a machine: its steps in order, then their post stages in reverse order. */

import { execFileSync } from 'node:child_process';
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { defined } from '../../../src/optional-keys.js';
import { type ActionMetadata, inputVariables, readActionMetadata } from './action-metadata.js';
import { withCompileCache } from './compile-cache.js';
import { type JobFacts, type MachineFacts, stageEnvironment } from './environment.js';
import { makeFileCommands, readFileCommands } from './file-commands.js';
import { type RunStage, runStage, type Stop } from './stage.js';
import { readStageResult, type StageResult } from './stage-result.js';
import { eventPayload, pushEvent, type WorkflowEvent } from './workflow-event.js';

export type { StageResult } from './stage-result.js';

export type JobStatus = 'success' | 'failure' | 'cancelled';

export interface JobOptions {
  /** Default: `1001`, attempt 1, job `agents`. */
  readonly runId?: string;
  readonly jobAttempt?: number;
  readonly job?: string;
  readonly event?: WorkflowEvent;
  readonly workflow?: string;
  readonly workflowRef?: string;
  readonly matrix?: Readonly<Record<string, unknown>>;
  readonly repository?: string;
  readonly cacheMode?: JobFacts['cacheMode'];
  readonly cacheToken?: string;
  readonly isFullRerun?: JobFacts['isFullRerun'];
  /** A GitHub API on loopback; by default an address on which nothing listens. */
  readonly apiUrl?: string;
  /** `job.status` before the first step, after an earlier step of another kind. */
  readonly jobStatus?: JobStatus;
}

export interface StepOptions {
  readonly inputs?: Readonly<Record<string, string>>;
  /** `env:` of the step, for example credentials. */
  readonly env?: Readonly<Record<string, string>>;
  /** GITHUB_ACTION: the step's `id`, or a name that the runner generates. */
  readonly actionId?: string;
  readonly stop?: Stop;
  readonly stopPost?: Stop;
}

export interface Job {
  status(): JobStatus;
  runStep(options?: StepOptions): Promise<StageResult>;
  /**
   * The end of the job: the post stages of all steps in reverse order, because of `post-if: always()`; none if the
   * machine is down. `status`: the job status after later steps of another kind.
   */
  finish(status?: JobStatus): Promise<readonly StageResult[]>;
}

export interface JobSetup {
  readonly machine: MachineFacts;
  readonly actionDirectory: string;
  /** Replaces the entry points in `action.yml`. */
  readonly entry?: string;
  readonly isCompiledOnce: boolean;
  /** Replaces the separate process. */
  readonly runStage?: RunStage;
  /** The user that owns the machine and runs the stages. */
  readonly owner?: { readonly user: number; readonly root: string };
  readonly sha: string;
}

interface PendingPost {
  readonly options: StepOptions;
  readonly state: Readonly<Record<string, string>>;
}

interface JobProgress {
  status: JobStatus;
  isMachineDown: boolean;
  environment: Record<string, string>;
  path: readonly string[];
  posts: readonly PendingPost[];
}

/** Empties RUNNER_TEMP, as a job does at its start. A job also does so at its end, but tests read it there. */
export async function startJob(setup: JobSetup, options: JobOptions): Promise<Job> {
  const metadata = await readActionMetadata(setup.actionDirectory);
  const facts = await describeJob(setup, options);
  const progress: JobProgress = {
    status: options.jobStatus ?? 'success',
    isMachineDown: false,
    environment: {},
    path: [],
    posts: [],
  };
  const context: JobContext = { setup, facts, metadata, matrix: options.matrix, progress };
  return {
    status: () => progress.status,
    runStep: (step = {}) => runMain(context, step),
    async finish(status) {
      progress.status = status ?? progress.status;
      const stages: StageResult[] = [];
      for (const pending of progress.posts) {
        if (metadata.post === undefined || progress.isMachineDown) break;
        stages.push(await runPost(context, setup.entry ?? metadata.post, pending));
      }
      progress.posts = [];
      return stages;
    },
  };
}

async function runMain(context: JobContext, step: StepOptions): Promise<StageResult> {
  const { setup, metadata, progress } = context;
  const main = await runActionStage(context, setup.entry ?? metadata.main, step, step.stop, {});
  progress.posts = [{ options: step, state: main.state }, ...progress.posts];
  progress.status = statusAfter(progress.status, main, step.stop);
  if (main.isStopped && endsMachine(step.stop)) progress.isMachineDown = true;
  return main;
}

async function runPost(
  context: JobContext,
  script: string,
  { options, state }: PendingPost,
): Promise<StageResult> {
  const post = await runActionStage(context, script, options, options.stopPost, stateVariables(state));
  if (post.isStopped && endsMachine(options.stopPost)) context.progress.isMachineDown = true;
  return post;
}

function endsMachine(stop: Stop | undefined): boolean {
  return stop?.how === 'shutdown' || stop?.how === 'lose';
}

function statusAfter(before: JobStatus, main: StageResult, stop: Stop | undefined): JobStatus {
  if (main.isStopped && (stop?.how === 'cancel' || stop?.how === 'detach')) return 'cancelled';
  return main.exitCode !== 0 && before === 'success' ? 'failure' : before;
}

function stateVariables(state: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.entries(state).map(([name, value]) => [`STATE_${name}`, value]));
}

async function describeJob(setup: JobSetup, options: JobOptions): Promise<JobFacts> {
  const { machine } = setup;
  const event = options.event ?? pushEvent;
  const repository = options.repository ?? 'octo/sample';
  await rm(machine.temp, { recursive: true, force: true });
  const eventPath = join(machine.temp, '_github_workflow', 'event.json');
  await mkdir(join(machine.temp, '_github_workflow'), { recursive: true });
  await writeFile(eventPath, eventPayload(event, repository));
  const ref = event.ref ?? 'refs/heads/main';
  return {
    repository,
    runId: options.runId ?? '1001',
    jobAttempt: options.jobAttempt ?? 1,
    job: options.job ?? 'agents',
    workflow: options.workflow ?? 'Agents',
    workflowRef: options.workflowRef ?? `${repository}/.github/workflows/agents.yml@${ref}`,
    event,
    sha: setup.sha,
    eventPath,
    apiUrl: options.apiUrl ?? 'http://127.0.0.1:9',
    ...defined({
      cacheMode: options.cacheMode,
      cacheToken: options.cacheToken,
      isFullRerun: options.isFullRerun,
    }),
  };
}

interface JobContext {
  readonly setup: JobSetup;
  readonly facts: JobFacts;
  readonly metadata: ActionMetadata;
  readonly matrix: JobOptions['matrix'];
  readonly progress: JobProgress;
}

async function runActionStage(
  context: JobContext,
  script: string,
  step: StepOptions,
  stop: Stop | undefined,
  state: Readonly<Record<string, string>>,
): Promise<StageResult> {
  const { machine, owner } = context.setup;
  const files = await makeFileCommands(machine.temp);
  if (owner !== undefined) execFileSync('chown', ['-R', `${owner.user}:${owner.user}`, owner.root]);
  const run = context.setup.runStage ?? runStage;
  const end = await run({
    script: context.setup.isCompiledOnce ? await withCompileCache(script) : script,
    directory: machine.workspace,
    env: { ...stageVariables(context, step), ...state, ...files },
    home: machine.home,
    ...(owner === undefined ? {} : { user: owner.user }),
    ...(stop ? { stop } : {}),
  });
  const results = await readFileCommands(files);
  Object.assign(context.progress.environment, results.environment);
  context.progress.path = [...results.path.toReversed(), ...context.progress.path];
  return readStageResult(end, results);
}

function stageVariables(context: JobContext, step: StepOptions): Record<string, string> {
  const { setup, facts, metadata, matrix, progress } = context;
  const base = stageEnvironment(setup.machine, facts, step.actionId ?? '__octo_gump-action');
  const expressions = {
    token: 'ghs_dummyTokenOfTheTestRig0000000000',
    jobStatus: progress.status,
    ...(matrix ? { matrix } : {}),
  };
  const env: Record<string, string> = { ...base, ...progress.environment, ...step.env };
  return {
    ...env,
    PATH: [...progress.path, env.PATH].join(':'),
    ...inputVariables(metadata, step.inputs ?? {}, expressions),
  };
}
