/**
 * Job attempts through `dist/` with a real CLI on the machine's PATH and the mock model instead of its service. Every
 * machine is wiped after its attempt; only the repository and the cache service remain.
 */

import { mkdtemp, rm, rmdir } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach } from 'vitest';
import { defined } from '../../src/optional-keys.js';
import { type CacheService, startCacheService } from '../rig/cache-service.js';
import type { Files } from '../rig/files.js';
import {
  type CheckoutOptions,
  createMachine,
  type JobOptions,
  type Machine,
  type MachineOptions,
  type StepResult,
  type Stop,
} from '../rig/machine.js';
import {
  type ModelRequest,
  type ModelRule,
  type ModelServer,
  startModelServer,
} from '../rig/model-server.js';
import type { ReportAttempt } from '../rig/report.js';
import { makeRepository, type Repository } from '../rig/repository.js';
import { clis, configureHome, type RealCli } from './real-cli.js';

export interface RealJobOptions extends Pick<JobOptions, 'runId' | 'event' | 'apiUrl'> {
  readonly checkout?: CheckoutOptions;
  /** The workspace path under the machine's root. */
  readonly workspace?: string;
  readonly stop?: Stop;
  /** Files in addition to `workflow`, whose default name is `flow`. */
  readonly inputs?: Readonly<Record<string, string>>;
  /** Shell commands that the program on PATH runs before it starts the CLI. */
  readonly commandsAtStart?: string;
  /** Variables that the step does not have, of those for the mock model. */
  readonly withoutVariables?: readonly string[];
  /** Called before the step. */
  prepare?(machine: Machine): void;
  /** Called after post, before the machine is wiped. */
  inspect?(machine: Machine): void;
}

export interface RealJobResult extends StepResult {
  /** The CLI's requests to the model in this job attempt. */
  readonly requests: readonly ModelRequest[];
}

export interface RealCliHarness {
  readonly model: ModelServer;
  readonly cache: CacheService;
  readonly repository: Repository;
  runJob(cli: RealCli, number: number, options?: RealJobOptions): Promise<RealJobResult>;
}

const cleanUps: (() => Promise<unknown>)[] = [];

afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0).reverse()) await cleanUp();
  // The sandbox of Codex (0.169.0) creates an empty one to protect it, and leaves it if it is killed.
  await rmdir(join(tmpdir(), '.git')).catch(() => undefined);
});

export async function createRealCliHarness(
  workflow: string,
  rules: readonly ModelRule[] = [],
  files: Files = {},
): Promise<RealCliHarness> {
  const outside = await mkdtemp(join(tmpdir(), 'gump-real-'));
  cleanUps.push(() => rm(outside, { recursive: true, force: true }));
  const cache = await startCacheService();
  cleanUps.push(() => cache.close());
  const model = await startModelServer({ rules });
  cleanUps.push(() => model.close());
  const repository = await makeRepository({
    '.gump/workflows/flow.yaml': workflow,
    'README.md': 'sample\n',
    ...files,
  });
  cleanUps.push(() => repository.remove());
  // One root for all machines: the paths of a re-run are also the same on hosted runners.
  const options = { cache, root: join(outside, 'machine'), isCompiledOnce: true };
  return {
    model,
    cache,
    repository,
    async runJob(cli, number, jobOptions = {}) {
      const before = model.requests.length;
      const machine = await startMachine(cli, model.url, options, jobOptions);
      await machine.checkout(repository, jobOptions.checkout);
      jobOptions.prepare?.(machine);
      const result = await runStepWithKeys(machine, model.url, number, jobOptions);
      jobOptions.inspect?.(machine);
      await machine.wipe();
      return { ...result, requests: model.requests.slice(before) };
    },
  };
}

async function startMachine(
  cli: RealCli,
  url: string,
  options: MachineOptions,
  { workspace, commandsAtStart = ':' }: RealJobOptions,
): Promise<Machine> {
  const machine = await createMachine({ ...options, ...defined({ workspace }) });
  cleanUps.push(() => machine.wipe());
  configureHome(machine.home, url);
  const command = [cli.file, ...cli.leadingArgs].map((part) => `'${part}'`).join(' ');
  await machine.install(cli.provider.executable, `#!/bin/sh\n${commandsAtStart}\nexec ${command} "$@"\n`);
  return machine;
}

function runStepWithKeys(
  machine: Machine,
  url: string,
  runJob: number,
  { stop, inputs, runId, event, apiUrl, withoutVariables = [] }: RealJobOptions,
): Promise<StepResult> {
  const env = Object.entries(variablesFor(url)).filter(([name]) => !withoutVariables.includes(name));
  return machine.runStep({
    jobAttempt: runJob,
    ...defined({ stop, runId, event, apiUrl }),
    inputs: { workflow: 'flow', ...inputs },
    env: Object.fromEntries(env),
  });
}

function variablesFor(url: string): Readonly<Record<string, string>> {
  return {
    ANTHROPIC_BASE_URL: url,
    ANTHROPIC_API_KEY: 'sk-ant-api03-Zq7Lw2Xv9Rk4Tn8Bm1Yc',
    OPENAI_BASE_URL: `${url}/v1`,
    OPENAI_API_KEY: 'sk-proj-Hd5Wq8Zx3Vn7Kt2Lp9Rm',
    // Without it Qwen Code ignores the two variables above, even with a model.
    OPENAI_MODEL: 'qwen3-coder-plus',
    GOOGLE_GEMINI_BASE_URL: url,
    GEMINI_API_KEY: 'AIzaB4k9Xw2Qz7Rt5Lm8Nv3Hc6Jd1Fs',
    // The CLI's own retries would take minutes.
    CLAUDE_CODE_MAX_RETRIES: '0',
    // No requests to other machines.
    OPENCODE_DISABLE_MODELS_FETCH: '1',
    OPENCODE_DISABLE_DEFAULT_PLUGINS: '1',
  };
}

export function cliOf(version: string): RealCli {
  const cli = clis.find((known) => known.version === version);
  if (cli === undefined) throw new Error(`package.json pins no CLI of version ${version}`);
  return cli;
}

/** The CLIs that users have; single tests use older versions of them. */
export const currentClis: readonly RealCli[] = clis.filter(({ version }) => version !== '2.1.197');

/** Without CLIs that take seconds to start: for tests that do not depend on the CLI. */
export const fastClis: readonly RealCli[] = currentClis.filter(({ provider }) =>
  ['claude', 'codex'].includes(provider.id),
);

const agentNames: Readonly<Record<string, string>> = {
  claude: 'claude-haiku',
  codex: 'codex',
  gemini: 'gemini-25-flash',
  qwen: 'qwen-coder-plus',
  opencode: 'opencode-mock/mock-model',
};

/** The agent name of this CLI in a workflow. */
export const agentNameOf = ({ provider }: RealCli): string => agentNames[provider.id] ?? provider.id;

export const titleOf = (cli: RealCli): string => `${cli.provider.title} ${cli.version}`;

/** All attempts of a step, in every job attempt so far. */
export function attemptsOf({ main }: StepResult, path: string): readonly ReportAttempt[] {
  return main.report?.steps.find((step) => step.path === path)?.attempts ?? [];
}

/** The output `sessions`: step → id of the session of its last attempt. */
export function sessionIds({ main }: StepResult): Readonly<Record<string, string>> {
  const sessions = JSON.parse(main.outputs.sessions ?? '{}') as Record<string, { id: string }>;
  return Object.fromEntries(Object.entries(sessions).map(([path, { id }]) => [path, id]));
}

/** Whether a user text of the request contains this, as opposed to its whole body. */
export function hasUserText(request: ModelRequest | undefined, text: string): boolean {
  return request?.userTexts.some((userText) => userText.includes(text)) ?? false;
}
