/**
 * Job attempts through `dist/` with a real CLI on the machine's PATH and the mock model in the place of its
 * service. Every machine is wiped after its attempt; only the cache service lives on.
 */
import { afterEach, expect } from 'vitest';
import { type AttemptOptions, openScene, type Scene } from '../action/scene.js';
import type { Machine, StepResult } from '../rig/machine.js';
import {
  type ModelRequest,
  type ModelRule,
  type ModelServer,
  startModelServer,
} from '../rig/model-server.js';
import type { ReportAttempt } from '../rig/report.js';
import { clis, configureCodex, type RealCli } from './drive.js';

export interface RealAttemptOptions extends Omit<AttemptOptions, 'rules' | 'prepare'> {
  /** Shell commands that the program on PATH does before it becomes the CLI. */
  readonly atStart?: string;
}

export interface RealAttempt extends StepResult {
  /** What the CLI asked the model in this job attempt. */
  readonly requests: readonly ModelRequest[];
}

export interface RealScene {
  readonly scene: Scene;
  readonly model: ModelServer;
  attempt(cli: RealCli, number: number, options?: RealAttemptOptions): Promise<RealAttempt>;
}

const servers: ModelServer[] = [];

afterEach(async () => {
  for (const server of servers.splice(0)) await server.close();
});

export async function openRealScene(workflow: string, rules: readonly ModelRule[] = []): Promise<RealScene> {
  const scene = await openScene({ workflow });
  const model = await startModelServer({ rules });
  servers.push(model);
  return {
    scene,
    model,
    async attempt(cli, number, { atStart, env, ...options } = {}) {
      const before = model.requests.length;
      const result = await scene.attempt({
        ...options,
        attempt: number,
        // The CLI's own retries would take minutes.
        env: { ANTHROPIC_BASE_URL: model.url, CLAUDE_CODE_MAX_RETRIES: '0', ...env },
        prepare: (machine) => install(machine, cli, model.url, atStart),
      });
      // A stand-in of the scene that spoke in the CLI's place would prove nothing.
      expect(await scene.calls()).toEqual([]);
      return { ...result, requests: model.requests.slice(before) };
    },
  };
}

async function install(machine: Machine, cli: RealCli, url: string, atStart = ':'): Promise<void> {
  configureCodex(machine.home, url);
  const command = [cli.file, ...cli.before].map((part) => `'${part}'`).join(' ');
  await machine.install(cli.provider.executable, `#!/bin/sh\n${atStart}\nexec ${command} "$@"\n`);
}

export function cliOf(version: string): RealCli {
  const cli = clis.find((known) => known.version === version);
  if (cli === undefined) throw new Error(`package.json pins no CLI of version ${version}`);
  return cli;
}

/** The CLIs that a user has; older versions of them stand in single tests. */
export const current: readonly RealCli[] = [cliOf('2.1.330'), cliOf('0.169.0')];

export const nameOf = (cli: RealCli): string => `${cli.provider.title} ${cli.version}`;

/** All attempts at a step, of every job attempt so far. */
export function attemptsAt({ main }: StepResult, path: string): readonly ReportAttempt[] {
  return main.report?.steps.find((step) => step.path === path)?.attempts ?? [];
}

/** The output `sessions`: step → id of the session of its last attempt. */
export function sessionIds({ main }: StepResult): Readonly<Record<string, string>> {
  const sessions = JSON.parse(main.outputs.sessions ?? '{}') as Record<string, { id: string }>;
  return Object.fromEntries(Object.entries(sessions).map(([path, { id }]) => [path, id]));
}

/** Whether the request holds this as (part of) a text of the user, as opposed to anywhere in its body. */
export function holds(request: ModelRequest | undefined, text: string): boolean {
  return request?.userTexts.some((said) => said.includes(text)) ?? false;
}
