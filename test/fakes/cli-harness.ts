/**
 * The engine with the real providers: their command lines, readers and sessions, and stand-in CLIs in this process.
 * The files of the workspace, the gates and the clock are those of `engine-harness.ts`.
 */
import { mkdirSync, mkdtempSync, realpathSync, rmSync } from 'node:fs';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import { agentEnvironment, createAgents } from '../../src/action/agents.js';
import { openHomeSessions } from '../../src/action/open-sessions.js';
import { createSessionPort } from '../../src/action/session-port.js';
import type { Provider } from '../../src/providers/provider.js';
import { providers } from '../../src/providers/provider-registry.js';
import { openSessionCopies } from '../../src/sessions/session-copies.js';
import { type AgentCall, type AgentRule, readCalls } from '../rig/stand-in.js';
import { cleanUpAfterTest } from './clean-ups.js';
import { createEngineHarness, type EngineHarness, type EngineHarnessOptions } from './engine-harness.js';
import { createStandInRunner } from './stand-in-runner.js';

export interface CliHarness {
  readonly harness: EngineHarness;
  /** The agent starts for which the engine searched leftover processes. */
  readonly searched: unknown[];
  calls(): Promise<readonly AgentCall[]>;
}

export interface CliHarnessOptions extends Pick<EngineHarnessOptions, 'passesGate'> {
  readonly rules: readonly AgentRule[];
  /** The time advances only when the agent is idle. */
  readonly isTimedByHang?: boolean;
}

const credentials = {
  ANTHROPIC_API_KEY: 'sk-ant-api03-CANARY-0123456789abcdefghij',
  OPENAI_API_KEY: 'sk-proj-CANARY-9876543210zyxwvutsrq',
  GEMINI_API_KEY: 'dummy-gemini-key',
  CURSOR_API_KEY: 'dummy-cursor-key',
};

export function createCliHarness({
  rules,
  passesGate,
  isTimedByHang = false,
}: CliHarnessOptions): CliHarness {
  const root = realpathSync(mkdtempSync(join(tmpdir(), 'gump-cli-harness-')));
  cleanUpAfterTest(() => rmSync(root, { recursive: true, force: true }));
  const [home, work] = [join(root, 'home'), join(root, 'work')];
  for (const folder of [home, work]) mkdirSync(folder);
  const callsFile = join(root, 'calls.jsonl');
  const environment = { HOME: home, PATH: '/usr/bin:/bin', ...credentials };
  const hanging = watchHanging();
  const processes = createStandInRunner({ rules, callsFile, onHang: hanging.tell });
  const searched: unknown[] = [];
  const ports = makePorts(root, environment, processes);
  const harness = createEngineHarness({
    runAgent: () => ({}),
    directory: work,
    ...(passesGate === undefined ? {} : { passesGate }),
    ...(isTimedByHang ? { onSleep: hanging.begun } : {}),
    ports: {
      ...ports,
      agents: { ...ports.agents, endLeftoverProcesses: async (turn) => void searched.push(turn) },
    },
  });
  return { harness, searched, calls: () => readCalls(callsFile) };
}

function makePorts(
  root: string,
  environment: Readonly<Record<string, string>>,
  processes: ReturnType<typeof createStandInRunner>,
) {
  const passEnv: readonly string[] = [];
  const environmentOf = (provider: Provider) =>
    agentEnvironment(provider, { environment, providers, passEnv });
  const store = openHomeSessions(join(root, 'private'), processes);
  const agents = createAgents({
    providers,
    processes,
    environment,
    passEnv,
    args: {},
    versionOf: () => undefined,
    isRoot: userInfo().uid === 0,
    settingsDirectory: join(root, 'settings'),
    ensureInstalled: async () => undefined,
    createSession: (provider, id, directory) =>
      store.create({ provider, id, directory, environment: environmentOf(provider) }),
    onProcess: () => () => undefined,
    debug: () => undefined,
  });
  const sessions = createSessionPort({
    store,
    sessionCopies: openSessionCopies(join(root, 'shelf')),
    environmentOf,
    onPlaced: () => undefined,
    warn: (message) => {
      throw new Error(message);
    },
  });
  return { agents, sessions };
}

function watchHanging() {
  let isHanging = false;
  let wake = (): void => undefined;
  return {
    tell(hangs: boolean) {
      isHanging = hangs;
      if (hangs) wake();
    },
    begun: () =>
      new Promise<void>((resolve) => {
        wake = resolve;
        if (isHanging) resolve();
      }),
  };
}
