/** A repository with a workflow, and job attempts of it, each on a new machine. */

import { chown, glob, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { defined } from '../../src/optional-keys.js';
import { cleanUpAfterTest } from '../fakes/clean-ups.js';
import { type CacheService, startCacheService } from '../rig/cache-service.js';
import type { Files } from '../rig/files.js';
import {
  type CheckoutOptions,
  createMachine,
  type JobOptions,
  type Machine,
  type RunStage,
  type StepOptions,
  type StepResult,
  type Stop,
} from '../rig/machine.js';
import { makeRepository, type Repository } from '../rig/repository.js';
import { runStage, type StageInvocation } from '../rig/runner/stage.js';
import {
  type AgentCall,
  type AgentRule,
  installStandIn,
  readCalls,
  type StandInProvider,
} from '../rig/stand-in.js';
import { runSourceStage } from './source-stage.js';

export const anthropicKey = 'sk-ant-api03-CANARY-0123456789abcdefghij';
export const openaiKey = 'sk-proj-CANARY-9876543210zyxwvutsrq';

const defaultCredentials = { ANTHROPIC_API_KEY: anthropicKey, OPENAI_API_KEY: openaiKey };

export interface HarnessOptions {
  /** The text of `.gump/workflows/flow.yaml`. */
  readonly workflow: string;
  /** Further files of the repository. */
  readonly files?: Readonly<Record<string, string>>;
  /** Default: `auto`, as the input `state-store`. */
  readonly store?: 'auto' | 'cache' | 'artifact' | 'directory';
  /**
   * `src`, the default, runs in this process and takes less than half the time. `dist` runs as on a runner, in its own
   * processes, for one test per CLI and one per feature. A job that ends in another way than by cancellation always
   * runs `dist`.
   */
  readonly code?: 'dist' | 'src';
  /** The user that runs the jobs, with `code: 'dist'`. Default: the present one. Only root can set it. */
  readonly user?: number;
  /** Changes each stage before it starts, with `code: 'dist'`. */
  readonly changeStage?: (invocation: StageInvocation) => StageInvocation;
}

export interface RunJobOptions extends JobOptions, Omit<StepOptions, 'stop' | 'env'> {
  readonly rules?: readonly AgentRule[];
  /** Default: as in `HarnessOptions`. */
  readonly code?: HarnessOptions['code'];
  /** `stop` and `env` are functions if they contain paths of the machine. */
  readonly stop?: Stop | ((machine: Machine) => Stop);
  readonly env?: StepOptions['env'] | ((machine: Machine) => StepOptions['env']);
  readonly checkout?: CheckoutOptions;
  /** Files committed to `main` before the machine checks it out. */
  readonly changes?: Files;
  /** The workspace path under the machine's root. */
  readonly workspace?: string;
  /** Another version of the action, through its `dist/`. */
  readonly actionDirectory?: string;
  /** The CLIs that are on PATH. Default: all. */
  readonly programs?: readonly StandInProvider[];
  /** `none`: the step has no API keys except those in `env`. */
  readonly credentials?: 'default' | 'none';
  readonly laterStatus?: 'success' | 'failure' | 'cancelled';
  /** Called between checkout and the step. */
  prepare?(machine: Machine): Promise<void>;
  /** Called between main and post. */
  beforePost?(machine: Machine): Promise<void>;
  /** Called after post, before the machine is wiped. */
  inspect?(machine: Machine): Promise<void>;
}

export interface Harness {
  readonly cache: CacheService;
  readonly repository: Repository;
  readonly stateDirectory: string;
  /** Runs one job attempt from checkout to post. Then the machine is wiped. */
  runJob(options?: RunJobOptions): Promise<StepResult>;
  calls(): Promise<readonly AgentCall[]>;
}

export async function createHarness(options: HarnessOptions): Promise<Harness> {
  const outside = await mkdtemp(join(tmpdir(), 'gump-harness-'));
  cleanUpAfterTest(() => rm(outside, { recursive: true, force: true }));
  if (options.user !== undefined) await chown(outside, options.user, options.user);
  const cache = await startCacheService();
  cleanUpAfterTest(() => cache.close());
  const repository = await makeRepository({
    '.gump/workflows/flow.yaml': options.workflow,
    'README.md': 'sample\n',
    ...options.files,
  });
  cleanUpAfterTest(() => repository.remove());
  const callsFile = join(outside, 'calls.jsonl');
  const stateDirectory = join(outside, 'state');
  const harness: Harness = {
    cache,
    repository,
    stateDirectory,
    runJob: (jobOptions = {}) => runJobAttempt(harness, options, callsFile, jobOptions),
    calls: () => readCalls(callsFile),
  };
  return harness;
}

/** The events in the journal of the job on this machine, one per line. Empty if it does not exist yet. */
export async function readJournal(machine: Machine): Promise<string> {
  for await (const file of glob(join(machine.temp, 'gump-*', 'journal.ndjson')))
    return (await readFile(file, 'utf8')).replace(/\t[\w-]+$/gm, '');
  return '';
}

async function runJobAttempt(
  harness: Harness,
  options: HarnessOptions,
  callsFile: string,
  jobOptions: RunJobOptions,
): Promise<StepResult> {
  const {
    rules = [],
    workspace,
    actionDirectory,
    checkout,
    changes,
    stop,
    prepare,
    beforePost,
    inspect,
    inputs,
    env,
    ...rest
  } = jobOptions;
  const { programs, credentials = 'default', code: _code, ...job } = rest;
  if (changes !== undefined) await harness.repository.commit(changes);
  const machine = await createMachine({
    cache: harness.cache,
    isCompiledOnce: true,
    ...runStageOf(options, jobOptions),
    ...defined({ workspace, actionDirectory, user: options.user }),
  });
  cleanUpAfterTest(() => machine.wipe());
  await machine.checkout(harness.repository, checkout);
  const standIn = await installStandIn(machine, { callsFile, ...(programs ? { providers: programs } : {}) });
  await standIn.script(rules);
  await prepare?.(machine);
  const { store: place = 'auto' } = options;
  const store = { 'state-store': place === 'directory' ? `directory:${harness.stateDirectory}` : place };
  const result = await machine.runStep({
    ...job,
    ...(beforePost === undefined ? {} : { beforePost: () => beforePost(machine) }),
    ...(stop === undefined ? {} : { stop: typeof stop === 'function' ? stop(machine) : stop }),
    inputs: { workflow: 'flow', ...store, ...inputs },
    env: {
      ...(credentials === 'default' ? defaultCredentials : {}),
      ...(typeof env === 'function' ? env(machine) : env),
    },
  });
  await inspect?.(machine);
  await machine.wipe();
  return result;
}

function runStageOf(harness: HarnessOptions, job: RunJobOptions): { readonly runStage?: RunStage } {
  if (!needsProcess(harness, job)) return { runStage: runSourceStage };
  const { changeStage } = harness;
  return changeStage === undefined ? {} : { runStage: (stage) => runStage(changeStage(stage)) };
}

function needsProcess(
  harness: HarnessOptions,
  { stop, stopPost, code, actionDirectory }: RunJobOptions,
): boolean {
  return (
    actionDirectory !== undefined ||
    (code ?? harness.code) === 'dist' ||
    stopPost !== undefined ||
    (stop !== undefined && !isCancellation(stop))
  );
}

/** A function counts as another kind of stop, because it depends on the machine. */
function isCancellation(stop: NonNullable<RunJobOptions['stop']>): boolean {
  return typeof stop === 'object' && stop.how === 'cancel';
}
