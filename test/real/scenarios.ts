/** The scenarios that are recorded as fixtures: the request to a CLI, and the answers of the mock model. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import type { Permission, Usage } from '../../src/providers/provider.js';
import type { ModelServer } from '../rig/model-server.js';
import {
  type CliMachine,
  type CliTurn,
  listSessionFiles,
  type RealCli,
  type RunTurnOptions,
  runTurn,
} from './real-cli.js';

export interface ScenarioResult extends CliTurn {
  /** The usage of the session when the recorded process starts. */
  readonly usageBefore: Usage;
}

type Scenario = (cli: RealCli, machine: CliMachine, server: ModelServer) => Promise<ScenarioResult>;

/** An id in the form that this CLI accepts. */
export const makeSessionId = ({ provider }: RealCli, uuid: string = crypto.randomUUID()): string =>
  provider.newSessionId?.(uuid) ?? uuid;

const newSession = (cli: RealCli): { mode: 'start'; id?: string } =>
  cli.provider.sessionIds === 'chosen' ? { mode: 'start', id: makeSessionId(cli) } : { mode: 'start' };

const startScenario =
  (prompt: string, options: RunTurnOptions = {}, permission: Permission = 'workspace'): Scenario =>
  async (cli, machine, { url }) => ({
    ...(await runTurn(cli, machine, url, { prompt, session: newSession(cli), permission }, options)),
    usageBefore: {},
  });

/** Nothing listens at the URL of the service. Codex waits for the network without end (0.169.0), so it is stopped. */
const offlineScenario: Scenario = async (cli, machine, server) => {
  await server.close();
  const options = cli.provider.id === 'codex' ? { killWhen: setTimeout(20_000) } : {};
  return startScenario('Say hello.', options)(cli, machine, server);
};

/** The usage in the session file, for the reader of the next process. */
export function usageOfSession(cli: RealCli, machine: CliMachine, id: string): Usage {
  const [file] = listSessionFiles(cli, machine, id).values();
  return file === undefined ? {} : (cli.provider.sessionFiles.readUsage?.(readFileSync(file)) ?? {});
}

const resumeScenario =
  (prompt: string): Scenario =>
  async (cli, machine, server) => {
    const first = await startScenario('Remember TOKEN-one.')(cli, machine, server);
    const id = first.outcome.session ?? '';
    const before = usageOfSession(cli, machine, id);
    const rest = { prompt, session: { mode: 'resume', id } } as const;
    return {
      ...(await runTurn(cli, machine, server.url, rest, { usageBefore: before })),
      usageBefore: before,
    };
  };

const killedScenario: Scenario = (cli, machine, server) => {
  const kill = server.waitForRequest(
    ({ prompt, toolResults }) => prompt.includes('TOKEN-killed') && toolResults === 1,
  );
  return startScenario('TOKEN-killed [[bash:echo one]] [[hang]]', { killWhen: kill })(cli, machine, server);
};

export const scenarios: Readonly<Record<string, Scenario>> = {
  success: startScenario('Say hello. TOKEN-one'),
  tool: startScenario('TOKEN-one [[write:notes.txt|hello]] [[bash:cat notes.txt]]'),
  resume: resumeScenario('Which tokens do you know? TOKEN-two'),
  401: startScenario('[[fail:401]]'),
  429: startScenario('[[fail:429:2]]'),
  500: startScenario('[[fail:500]]'),
  '429-silent': startScenario('[[fail:429]]'),
  403: startScenario('[[fail:403]]'),
  529: startScenario('[[fail:529]]'),
  context: startScenario('[[fail:context]]'),
  quota: startScenario('[[fail:quota]]'),
  model: startScenario('[[fail:model]]'),
  conversation: resumeScenario('[[fail:conversation]]'),
  'cut-stream': startScenario('[[cut]]'),
  'no-network': offlineScenario,
  refused: startScenario('[[write:notes.txt|hello]]', {}, 'read-only'),
  'unknown-session': async (cli, machine, { url }) => {
    const session = {
      mode: 'resume',
      id: makeSessionId(cli, '00000000-0000-4000-8000-000000000000'),
    } as const;
    return { ...(await runTurn(cli, machine, url, { prompt: 'Go on.', session })), usageBefore: {} };
  },
  killed: killedScenario,
};

const loopPrompt = '[[loop:echo again]]';

/** Only for CLIs with their own limit of turns. */
const turnLimitScenarios: Readonly<Record<string, Scenario>> = {
  claude: startScenario(loopPrompt, { args: ['--max-turns', '2'] }),
  qwen: startScenario(loopPrompt, { args: ['--max-session-turns', '2'] }),
  gemini: (cli, machine, server) => {
    const file = join(machine.home, '.gemini/settings.json');
    const settings = JSON.parse(readFileSync(file, 'utf8'));
    writeFileSync(file, JSON.stringify({ ...settings, model: { maxSessionTurns: 2 } }));
    return startScenario(loopPrompt)(cli, machine, server);
  },
};

export function scenariosOf({ provider }: RealCli): Readonly<Record<string, Scenario>> {
  const limited = turnLimitScenarios[provider.id];
  return limited === undefined ? scenarios : { ...scenarios, 'max-turns': limited };
}
