/**
 * A machine that runs jobs as the GitHub runner does, made of temporary folders: its own HOME, temp, tool cache,
 * workspace and programs. It ends with `wipe`, after which the next machine knows nothing of it.
 */
import { execFileSync } from 'node:child_process';
import { appendFile, chmod, mkdir, mkdtemp, realpath, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { CacheService } from './cache-service.js';
import { git, initRepository } from './git.js';
import type { Repository } from './repository.js';
import type { MachineFacts } from './runner/environment.js';
import {
  type Job,
  type JobOptions,
  type JobStatus,
  type StageResult,
  type StepOptions,
  startJob,
} from './runner/job.js';
import { killProcessesOf, processesOf } from './runner/machine-processes.js';
import type { RunStage } from './runner/stage.js';

export type { Job, JobOptions, JobStatus, StageResult, StepOptions } from './runner/job.js';
export type { RunStage, Stop, StopCondition } from './runner/stage.js';
export { pullRequestEvent, type WorkflowEvent } from './runner/workflow-event.js';

export interface MachineOptions {
  /** Absent if the machine has no cache service. */
  readonly cache?: CacheService;
  /** The folder that contains everything. Default: a new one. The same root (after `wipe`) gives the same paths. */
  readonly root?: string;
  /** The workspace under the root. Default: `work/sample/sample`. */
  readonly workspace?: string;
  /** The folder of `action.yml`. Default: the root of this repository. */
  readonly actionDirectory?: string;
  /** A script that replaces main and post of `action.yml`. */
  readonly entry?: string;
  readonly runnerKind?: MachineFacts['runnerKind'];
  /** Starts `dist/` from the compile cache of an earlier run, which is faster. */
  readonly isCompiledOnce?: boolean;
  /** Runs main and post, instead of starting processes. */
  readonly runStage?: RunStage;
  /** The user that owns the machine and runs main and post. Only root can set it. */
  readonly user?: number;
}

export interface CheckoutOptions {
  /** A branch, tag or pull ref (`refs/pull/7/merge`); default: `refs/heads/main`. */
  readonly ref?: string;
  /** The commit to check out. Default: that of `ref`. Without `ref`, HEAD is detached. */
  readonly commit?: string;
  /** Number of commits to fetch. Default: 1, as in actions/checkout; 0 for all. */
  readonly depth?: number;
}

export interface Machine {
  readonly root: string;
  readonly home: string;
  /** RUNNER_TEMP. */
  readonly temp: string;
  readonly toolCache: string;
  readonly workspace: string;
  /** First on PATH. */
  readonly bin: string;
  /** TMPDIR. */
  readonly scratch: string;
  /** Fills the workspace as actions/checkout does, without credentials; returns the commit. */
  checkout(repository: Repository, options?: CheckoutOptions): Promise<string>;
  /** Adds a program to PATH: a whole script with its `#!` line. */
  install(name: string, script: string): Promise<void>;
  startJob(options?: JobOptions): Promise<Job>;
  /**
   * A job with one step and its post stage; `post` is absent if it did not run.
   */
  runStep(options?: JobOptions & StepOptions & LaterSteps): Promise<StepResult>;
  /** Ids of the living processes that were started on this machine. */
  processes(): Promise<readonly number[]>;
  /** Ends whatever still runs and deletes everything. */
  wipe(): Promise<void>;
}

/** Steps of another kind between main and post. */
export interface LaterSteps {
  /** The job status after them. */
  readonly laterStatus?: JobStatus;
  /** What they do. */
  beforePost?(): Promise<void>;
}

export interface StepResult {
  readonly main: StageResult;
  readonly post?: StageResult;
}

const repositoryTop = fileURLToPath(new URL('../..', import.meta.url));

/** Creates a machine. The caller must wipe it. */
export async function createMachine(options: MachineOptions = {}): Promise<Machine> {
  const facts = await createFolders(options);
  const root = facts.root;
  let sha = '0'.repeat(40);
  let isGone = false;
  const job = (jobOptions: JobOptions = {}) => startJob({ ...jobSetupOf(options, facts), sha }, jobOptions);
  return {
    ...facts,
    async checkout(repository, checkoutOptions = {}) {
      sha = await checkOutRepository(facts.workspace, repository, checkoutOptions);
      return sha;
    },
    async install(name, script) {
      await writeFile(join(facts.bin, name), script);
      await chmod(join(facts.bin, name), 0o755);
    },
    startJob: job,
    runStep: (stepOptions = {}) => runStep(job, stepOptions),
    processes: () => processesOf(facts.home),
    async wipe() {
      if (isGone) return;
      isGone = true;
      await killProcessesOf(facts.home);
      // Installed CLIs are read-only.
      execFileSync('chmod', ['-R', 'u+w', root]);
      await rm(root, { recursive: true, force: true });
    },
  };
}

function jobSetupOf(options: MachineOptions, machine: MachineFacts & { readonly root: string }) {
  return {
    machine,
    actionDirectory: options.actionDirectory ?? repositoryTop,
    isCompiledOnce: options.isCompiledOnce ?? false,
    ...(options.runStage === undefined ? {} : { runStage: options.runStage }),
    ...(options.user === undefined ? {} : { owner: { user: options.user, root: machine.root } }),
    ...(options.entry === undefined ? {} : { entry: resolve(repositoryTop, options.entry) }),
  };
}

async function createFolders(options: MachineOptions): Promise<MachineFacts & { readonly root: string }> {
  const root = options.root ?? (await mkdtemp(join(tmpdir(), 'rig-machine-')));
  await mkdir(root, { recursive: true });
  const top = await realpath(root);
  const folders = {
    home: join(top, 'home'),
    temp: join(top, 'work', '_temp'),
    toolCache: join(top, 'tools'),
    workspace: join(top, options.workspace ?? 'work/sample/sample'),
    bin: join(top, 'bin'),
    scratch: join(top, 'tmp'),
  };
  for (const folder of Object.values(folders)) await mkdir(folder, { recursive: true });
  return {
    root: top,
    ...folders,
    runnerName: 'rig',
    runnerKind: options.runnerKind ?? 'github-hosted',
    ...(options.cache ? { cache: options.cache } : {}),
  };
}

async function runStep(
  job: (options: JobOptions) => Promise<Job>,
  options: JobOptions & StepOptions & LaterSteps,
): Promise<StepResult> {
  const started = await job(options);
  const main = await started.runStep(options);
  await options.beforePost?.();
  const [post] = await started.finish(options.laterStatus);
  return { main, ...(post ? { post } : {}) };
}

/** The git calls of actions/checkout v7 that affect the worktree, HEAD and refs. */
async function checkOutRepository(
  workspace: string,
  repository: Repository,
  { ref, commit, depth = 1 }: CheckoutOptions,
): Promise<string> {
  const name = ref ?? (commit === undefined ? 'refs/heads/main' : undefined);
  const sha = commit ?? (await repository.git('rev-parse', `${name}^{commit}`));
  await rm(workspace, { recursive: true, force: true });
  await mkdir(workspace, { recursive: true });
  await initRepository(workspace);
  await appendFile(join(workspace, '.git', 'config'), configOf(repository));
  const tracking = name
    ?.replace(/^refs\/heads\//, 'refs/remotes/origin/')
    .replace(/^refs\/pull\//, 'refs/remotes/pull/');
  const limit = depth > 0 ? [`--depth=${depth}`] : [];
  await git(
    workspace,
    '-c',
    'maintenance.auto=false',
    'fetch',
    '--quiet',
    '--no-tags',
    ...limit,
    'origin',
    tracking ? `+${sha}:${tracking}` : sha,
  );
  const branch = name?.match(/^refs\/heads\/(.*)$/)?.[1];
  const target = branch && tracking ? ['-B', branch, tracking] : ['--detach', sha];
  await git(workspace, 'checkout', '--quiet', '--force', ...target);
  return sha;
}

/** The result of `git remote add` and `git config`. With a path, git would ignore the depth; with a URL it does not. */
function configOf(repository: Repository): string {
  return `[remote "origin"]
\turl = file://${repository.path}
\tfetch = +refs/heads/*:refs/remotes/origin/*
[gc]
\tauto = 0
`;
}
