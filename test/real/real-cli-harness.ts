/**
 * Job attempts through `dist/` with a real CLI on the machine's PATH and the mock model in the place of its
 * service. Every machine is wiped after its attempt; only the repository and the cache service live on.
 */

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach } from 'vitest';
import { defined } from '../../src/optional-keys.js';
import { startCacheService } from '../rig/cache-service.js';
import type { Files } from '../rig/files.js';
import {
  createMachine,
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
import { makeRepository } from '../rig/repository.js';
import { clis, configureHome, type RealCli } from './real-cli.js';

export interface RealJobOptions {
  /** The workspace path under the machine's root. */
  readonly workspace?: string;
  readonly stop?: Stop;
  /** Beside `workflow`, which is `flow` unless told. */
  readonly inputs?: Readonly<Record<string, string>>;
  /** Shell commands that the program on PATH does before it becomes the CLI. */
  readonly commandsAtStart?: string;
  /** Done after post, before the machine is gone. */
  inspect?(machine: Machine): void;
}

export interface RealJobResult extends StepResult {
  /** What the CLI asked the model in this job attempt. */
  readonly requests: readonly ModelRequest[];
}

export interface RealCliHarness {
  readonly model: ModelServer;
  runJob(cli: RealCli, number: number, options?: RealJobOptions): Promise<RealJobResult>;
}

const cleanUps: (() => Promise<unknown>)[] = [];

afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0).reverse()) await cleanUp();
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
  // One root for all machines: on hosted runners the paths of a re-run are the same, too.
  const options = { cache, root: join(outside, 'machine') };
  return {
    model,
    async runJob(cli, number, jobOptions = {}) {
      const before = model.requests.length;
      const machine = await startMachine(cli, model.url, options, jobOptions);
      await machine.checkout(repository);
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
  { stop, inputs }: RealJobOptions,
): Promise<StepResult> {
  return machine.runStep({
    jobAttempt: runJob,
    ...defined({ stop }),
    inputs: { workflow: 'flow', ...inputs },
    env: {
      ANTHROPIC_BASE_URL: url,
      ANTHROPIC_API_KEY: 'dummy-anthropic-key-0123456789',
      OPENAI_BASE_URL: `${url}/v1`,
      OPENAI_API_KEY: 'dummy-openai-key-0123456789',
      // Without it Qwen Code takes none of the two before, also where it is given a model.
      OPENAI_MODEL: 'qwen3-coder-plus',
      GOOGLE_GEMINI_BASE_URL: url,
      GEMINI_API_KEY: 'dummy-gemini-key-0123456789',
      // The CLI's own retries would take minutes.
      CLAUDE_CODE_MAX_RETRIES: '0',
      // No machine but this one is asked.
      OPENCODE_DISABLE_MODELS_FETCH: '1',
      OPENCODE_DISABLE_DEFAULT_PLUGINS: '1',
    },
  });
}

export function cliOf(version: string): RealCli {
  const cli = clis.find((known) => known.version === version);
  if (cli === undefined) throw new Error(`package.json pins no CLI of version ${version}`);
  return cli;
}

/** The CLIs that a user has; older versions of them stand in single tests. */
export const currentClis: readonly RealCli[] = clis.filter(({ version }) => version !== '2.1.197');

/** They take seconds to start: what does not differ by CLI is left to the others. */
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

/** The agent name that a workflow gives this CLI. */
export const agentNameOf = ({ provider }: RealCli): string => agentNames[provider.id] ?? provider.id;

export const titleOf = (cli: RealCli): string => `${cli.provider.title} ${cli.version}`;

/** All attempts at a step, of every job attempt so far. */
export function attemptsOf({ main }: StepResult, path: string): readonly ReportAttempt[] {
  return main.report?.steps.find((step) => step.path === path)?.attempts ?? [];
}

/** The output `sessions`: step → id of the session of its last attempt. */
export function sessionIds({ main }: StepResult): Readonly<Record<string, string>> {
  const sessions = JSON.parse(main.outputs.sessions ?? '{}') as Record<string, { id: string }>;
  return Object.fromEntries(Object.entries(sessions).map(([path, { id }]) => [path, id]));
}

/** Whether the request holds this as (part of) a text of the user, as opposed to anywhere in its body. */
export function hasUserText(request: ModelRequest | undefined, text: string): boolean {
  return request?.userTexts.some((said) => said.includes(text)) ?? false;
}
