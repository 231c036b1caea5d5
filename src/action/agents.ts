/** The engine's agents over real processes: one start of a provider's CLI with what it may see. */

import { randomUUID } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Agents, AgentTurn } from '../engine/engine-ports.js';
import { defaultStallMs, watchForStall } from '../engine/limits/stall.js';
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
import { guardFileCommands } from '../security/file-commands.js';
import { filterEnvironment, type ProviderVariables } from '../security/filter-environment.js';
import type { Environment } from '../system/environment.js';
import { endLeftovers, type ProcessMark } from '../system/marked-processes.js';
import type { ProcessRunner } from '../system/process.js';

export interface AgentsOptions {
  readonly providers: readonly Provider[];
  readonly processes: ProcessRunner;
  /** The version of a provider's CLI, where it is known without asking it. */
  versionOf(provider: Provider): string | undefined;
  /** Provider → further arguments, from the user. */
  readonly args: Readonly<Record<string, readonly string[]>>;
  /** The job's environment. */
  readonly environment: Environment;
  readonly passEnv: readonly string[];
  readonly isRoot: boolean;
  /** For files of settings that CLIs are started with; made when it is needed. */
  readonly settingsDirectory: string;
  /** Sees to it that the provider's CLI is there. Rejects with a `UserError`; is silent when it was cancelled. */
  ensureInstalled(provider: Provider, signal: AbortSignal): Promise<void>;
  /** Makes a new session with an id of ours known to the CLI; false: it could not be done. */
  createSession(provider: Provider, id: string, directory: string): Promise<boolean>;
  /** Told the process id of every agent as it starts; the function returned, that it has ended. */
  onProcess(pid: number): () => void;
  debug(message: string): void;
}

export function createAgents(options: AgentsOptions): Agents {
  const marks = new WeakMap<AgentTurn, ProcessMark>();
  return {
    find(agent) {
      const name = readAgentName(agent, options.providers);
      if (name.status === 'unknown') throw new UserError(name.message);
      return name.model === undefined
        ? { provider: name.provider }
        : { provider: name.provider, model: name.model };
    },
    ensureInstalled: options.ensureInstalled,
    run(turn) {
      // Every program that the agent starts has it, unless it is started with an environment of its own.
      const mark = { name: 'GUMP_ATTEMPT', value: randomUUID() };
      marks.set(turn, mark);
      return runAgent(turn, options, mark);
    },
    async endLeftoverProcesses(turn) {
      const mark = marks.get(turn);
      if (mark !== undefined) await endLeftovers(mark);
    },
  };
}

async function runAgent(
  turn: AgentTurn,
  options: AgentsOptions,
  mark: ProcessMark,
): Promise<TurnOutcome & { readonly durationMs: number }> {
  const { provider, model, signal } = turn;
  const environment = agentEnvironment({ environment: providerEnvironmentFor(provider, model) }, options);
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
  const checkFileCommands = await guardFileCommands(options.environment);
  const reader = provider.createReader(turn.usageBefore);
  let markEnded = (): void => undefined;
  const stallWatch = watchForStall(turn.stallMs ?? defaultStallMs, signal);
  const exit = await options.processes.run({
    file: command.file,
    args: command.args,
    directory: turn.directory,
    env: { ...environment, ...settings, ...command.env, [mark.name]: mark.value },
    mark,
    stdin: command.stdin,
    onStart: (pid) => {
      markEnded = options.onProcess(pid);
    },
    onLine: (line, stream) => {
      options.debug(`${provider.executable}${stream === 'stderr' ? '' : ' said'}: ${line}`);
      if (stream === 'stderr') return;
      const events = reader.readLine(line);
      stallWatch.onEvents(events);
      for (const event of events) turn.onEvent(event, reader.currentModel?.());
    },
    onSkippedLine: (bytes) => turn.onEvent(skippedLineEvent(bytes), undefined),
    signal: stallWatch.signal,
    hurrySignal: turn.cancelSignal,
    graceMs: turn.graceMs,
  });
  markEnded();
  const stalled = stallWatch.stop(provider.title);
  const read = reader.finish(exit);
  const failure =
    stalled ??
    (read.failure && withCredentialHint(read.failure, providerEnvironmentFor(provider, model), environment));
  const durationMs = Math.round(exit.durationMs);
  const known = { ...knownVersion(provider, options), ...read, durationMs };
  const outcome = failure === undefined ? known : { ...known, status: 'failed' as const, failure };
  const touched = await checkFileCommands();
  return touched.length === 0 ? outcome : { ...outcome, status: 'failed', failure: tamperedFailure(touched) };
}

/** For CLIs whose stream does not say it; what the stream says counts. */
function knownVersion(provider: Provider, { versionOf }: AgentsOptions): { readonly version?: string } {
  const version = versionOf(provider);
  return version === undefined ? {} : { version };
}

/** Writes down what the CLI only takes from a file; the variable that says where. */
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

/** Without the id where it could not be begun with it: then the CLI gives one of its own, and tells it (S8). */
async function resolveSession({ provider, session, directory }: AgentTurn, options: AgentsOptions) {
  if (session.mode === 'resume' || session.id === undefined) return session;
  return (await options.createSession(provider, session.id, directory))
    ? session
    : ({ mode: 'start' } as const);
}

/** The row of a provider for one of its models. */
export function providerEnvironmentFor(provider: Provider, model: string | undefined): ProviderEnvironment {
  return provider.environmentForModel?.(model) ?? provider.environment;
}

/** The environment that goes with a provider's row, without what its command adds. */
export function agentEnvironment(
  provider: ProviderVariables,
  options: Pick<AgentsOptions, 'environment' | 'providers' | 'passEnv'>,
): Readonly<Record<string, string>> {
  return filterEnvironment({ ...options, provider }).env;
}

function skippedLineEvent(bytes: number): AgentEvent {
  return { type: 'notice', message: `a line of ${bytes} bytes was skipped` };
}

function tamperedFailure(files: readonly string[]) {
  const names = files.map((file) => file.replace(/^.*\//, '')).join(', ');
  const message = `The agent wrote to files by which a step speaks to the runner (${names}). They were put back, and the run stops.`;
  return { kind: 'guard', message, isFinal: true } as const;
}
