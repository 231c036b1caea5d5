/** Runs agents for the engine: starts a provider's CLI as a process with a filtered environment. */

import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Agents, AgentTurn } from '../engine/engine-ports.js';
import {
  defaultExitGraceMs,
  defaultStallMs,
  exitBeforeStop,
  stopFailure,
  watchForStall,
} from '../engine/limits/stall.js';
import { UserError } from '../failure.js';
import { defined } from '../optional-keys.js';
import { readAgentName } from '../providers/agent-name.js';
import type {
  AgentCommand,
  AgentEvent,
  Provider,
  ProviderEnvironment,
  TurnOutcome,
} from '../providers/provider.js';
import { withCredentialHint } from '../security/credentials.js';
import { filterEnvironment, type ProviderVariables } from '../security/filter-environment.js';
import type { Environment } from '../system/environment.js';
import type { ProcessExit, ProcessRunner } from '../system/process.js';
import type { ForeignCode } from './foreign-code.js';

export interface AgentsOptions {
  readonly providers: readonly Provider[];
  readonly processes: ProcessRunner;
  readonly foreignCode: ForeignCode;
  /** The version of a provider's CLI; `undefined` if it is unknown without starting the CLI. */
  versionOf(provider: Provider): string | undefined;
  /** Provider → further arguments, from the input `agent-args`. */
  readonly args: Readonly<Record<string, readonly string[]>>;
  /** The job's environment. */
  readonly environment: Environment;
  /** The variables whose values seal the state, if nothing else does. Default: none. */
  readonly sealedBy?: readonly string[];
  readonly passEnv: readonly string[];
  readonly isRoot: boolean;
  /** For settings files of the CLIs; created on demand. */
  readonly settingsDirectory: string;
  /** Installs the provider's CLI if it is missing. Rejects with a `UserError`. Resolves without an error if it is cancelled. */
  ensureInstalled(provider: Provider, signal: AbortSignal): Promise<void>;
  /** Why no agent of this provider may start: a program was replaced since the start of the run. */
  findReplaced(provider: Provider): Promise<string | undefined>;
  /** Creates an empty session with our id if the CLI needs that; `false` if that failed. */
  createSession(provider: Provider, id: string, directory: string): Promise<boolean>;
  /** Called with the process id of every agent that starts. The returned function is called when the agent has ended. */
  onProcess(pid: number): () => void;
  /** How long a CLI may take to exit after its final result; 10 s by default. */
  readonly exitGraceMs?: number;
  debug(message: string): void;
  /** The present time in milliseconds since 1970. */
  now(): number;
  /** While it is pending, no output of agents is read. */
  whenReady?(): Promise<void> | undefined;
}

export function createAgents(options: AgentsOptions): Agents {
  const environmentOf = createAgentEnvironments(options);
  return {
    find(agent) {
      const name = readAgentName(agent, options.providers);
      if (name.status === 'unknown') throw new UserError(name.message);
      return name.model === undefined
        ? { provider: name.provider }
        : { provider: name.provider, model: name.model };
    },
    ensureInstalled: options.ensureInstalled,
    run: (turn) => runAgent(turn, options, environmentOf),
  };
}

async function runAgent(
  turn: AgentTurn,
  options: AgentsOptions,
  environmentOf: AgentEnvironments,
): Promise<TurnOutcome & { readonly durationMs: number }> {
  const { provider, model, signal } = turn;
  const replaced = await options.findReplaced(provider);
  if (replaced !== undefined)
    return {
      status: 'failed',
      failure: { kind: 'guard', message: replaced, isFinal: true },
      durationMs: 0,
      text: '',
      usage: {},
    };
  const environment = environmentOf({ environment: providerEnvironmentFor(provider, model) });
  const command = provider.buildCommand({
    prompt: turn.prompt,
    session: await resolveSession(turn, options),
    ...defined({ model }),
    args: options.args[provider.id] ?? [],
    permission: turn.permission,
    directory: turn.directory,
    isRoot: options.isRoot,
    environment,
  });
  options.debug(`${command.file} ${command.args.join(' ')}`);
  const settings = writeSettingsFile(provider, command, options.settingsDirectory);
  const reader = provider.createReader(turn.usageBefore, { now: options.now, zone: zoneOf(environment) });
  const stallWatch = watchForStall({
    stallMs: turn.stallMs ?? defaultStallMs,
    exitGraceMs: options.exitGraceMs ?? defaultExitGraceMs,
    signal,
  });
  const { value: exit, failure: violation } = await options.foreignCode.run(
    { who: 'The agent', processes: options.processes, mustNotWrite: turn.mustNotWrite },
    (processes) =>
      runCli(turn, options, processes, {
        command,
        env: { ...environment, ...settings, ...command.env },
        signal: stallWatch.signal,
        onErrorLine(line) {
          const events = reader.readErrorLine?.(line) ?? [];
          stallWatch.onErrorLine(line, events);
          for (const event of events) turn.onEvent(event, reader.currentModel?.());
        },
        onLine(line) {
          const events = reader.readLine(line);
          stallWatch.onEvents(events, reader.resultState?.() ?? 'none');
          for (const event of events) turn.onEvent(event, reader.currentModel?.());
        },
      }),
  );
  const stop = stallWatch.stop();
  if (stop?.reason === 'has-result') turn.onEvent(lateExitEvent(provider), undefined);
  const read = reader.finish(exitBeforeStop(exit, stop));
  const cause = stopFailure(provider.title, stop, read.failure);
  const ownFailure =
    cause &&
    withCredentialHint(cause, providerEnvironmentFor(provider, model), {
      environment,
      sealedBy: options.sealedBy ?? [],
    });
  const failure = violation?.isFinal ? violation : (ownFailure ?? violation);
  const durationMs = Math.round(exit.durationMs);
  const known = { ...knownVersion(provider, options), ...read, durationMs };
  return failure === undefined ? known : { ...known, status: 'failed', failure };
}

/** A line in memory and what it contains take five times its length. Pictures in events have some megabytes. */
const longestEvent = 16 * 1024 * 1024;

interface CliProcess {
  readonly command: AgentCommand;
  readonly env: Readonly<Record<string, string>>;
  readonly signal: AbortSignal;
  /** Called for each line of standard output. */
  onLine(line: string): void;
  onErrorLine(line: string): void;
}

async function runCli(
  turn: AgentTurn,
  options: AgentsOptions,
  processes: ProcessRunner,
  { command, env, signal, onLine, onErrorLine }: CliProcess,
): Promise<ProcessExit> {
  let markEnded = (): void => undefined;
  try {
    return await processes.run({
      file: command.file,
      args: command.args,
      directory: turn.directory,
      env,
      stdin: command.stdin,
      onStart: (pid) => {
        markEnded = options.onProcess(pid);
      },
      onLine: (line, stream) => {
        options.debug(`${turn.provider.executable} (${stream}): ${line}`);
        if (stream === 'stdout') onLine(line);
        else onErrorLine(line);
      },
      longestLine: longestEvent,
      onSkippedLine: (bytes) => turn.onEvent(skippedLineEvent(bytes), undefined),
      ...defined({ whenReady: options.whenReady }),
      signal,
      hurrySignal: turn.cancelSignal,
      graceMs: turn.graceMs,
    });
  } finally {
    markEnded();
  }
}

/** The version for CLIs that do not report it in their output. A reported version takes precedence. */
function knownVersion(provider: Provider, { versionOf }: AgentsOptions): { readonly version?: string } {
  return defined({ version: versionOf(provider) });
}

/** Writes settings that the CLI reads only from a file. Returns the variable with the path of the file. */
function writeSettingsFile(
  { id }: Provider,
  { settings }: AgentCommand,
  directory: string,
): Readonly<Record<string, string>> {
  if (settings === undefined) return {};
  const file = join(directory, `${id}-settings.json`);
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  writeFileSync(file, settings.content, { mode: 0o600 });
  return { [settings.variable]: file };
}

/** Leaves out the id if the session could not be created with it. Then the CLI chooses an id and reports it (S8). */
async function resolveSession({ provider, session, directory }: AgentTurn, options: AgentsOptions) {
  if (session.mode === 'resume' || session.id === undefined) return session;
  return (await options.createSession(provider, session.id, directory))
    ? session
    : ({ mode: 'start' } as const);
}

/** The environment row of a provider for one of its models. */
export function providerEnvironmentFor(provider: Provider, model: string | undefined): ProviderEnvironment {
  return provider.environmentForModel?.(model) ?? provider.environment;
}

/** The environment of an agent, without the variables that its command adds. */
export function agentEnvironment(
  provider: ProviderVariables,
  options: Pick<AgentsOptions, 'environment' | 'providers' | 'passEnv'>,
): Readonly<Record<string, string>> {
  return filterEnvironment({ ...options, provider }).env;
}

export type AgentEnvironments = (provider: ProviderVariables) => Readonly<Record<string, string>>;

/** The same for several agents. Each value is checked once for each provider, because it stays the same. */
export function createAgentEnvironments(
  options: Pick<AgentsOptions, 'environment' | 'providers' | 'passEnv'>,
): AgentEnvironments {
  const known = new WeakMap<ProviderVariables['environment'], ReturnType<AgentEnvironments>>();
  return (provider) => {
    const environment = known.get(provider.environment) ?? agentEnvironment(provider, options);
    known.set(provider.environment, environment);
    return environment;
  };
}

/** The zone in which a process with these variables prints its times. */
function zoneOf(environment: Environment): string {
  return environment.TZ || Intl.DateTimeFormat().resolvedOptions().timeZone;
}

function lateExitEvent({ title }: Provider): AgentEvent {
  return {
    type: 'notice',
    message: `${title} did not exit after its final result and was ended; the result counts`,
  };
}

function skippedLineEvent(bytes: number): AgentEvent {
  return {
    type: 'notice',
    message: `skipped an output line of ${bytes} bytes, because it is longer than 16 MB`,
  };
}
