/** The CLIs of the providers: found on PATH or in the tool cache, or installed into the tool cache. */

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { CliCacheOptions } from '../cli-cache/cli-cache.js';
import { problemsOf, UserErrors } from '../failure.js';
import { type CliChoice, chooseCli, cliName } from '../install/choose.js';
import { type CliFiles, isCliUnchanged, noteCli } from '../install/cli-files.js';
import { type Executable, executableAt } from '../install/executable.js';
import { packageVersion, reportedVersion } from '../install/path-version.js';
import { findInstalled, listActiveFolders } from '../install/tool-cache.js';
import { defined } from '../optional-keys.js';
import type { Provider } from '../providers/provider.js';
import { pinnedVersions } from '../providers/versions.js';
import { filterEnvironment } from '../security/filter-environment.js';
import type { Environment } from '../system/environment.js';
import { type FileIdentity, identify, isUnchanged } from '../system/file-identity.js';
import type { ProcessExit, ProcessRunner } from '../system/process.js';
import { findProgram } from '../system/programs.js';
import { processRunner } from '../system/run-process.js';
import { userHome } from '../system/user-home.js';
import type { ActionContext } from './action-context.js';
import {
  type InstallPrograms,
  installationRoot,
  type NewCli,
  obtainCli,
  toolCacheEntry,
} from './obtain-cli.js';

export interface Clis {
  /** The problems that prevent these CLIs from running, as far as they are known without an installation. */
  findProblems(used: readonly Provider[]): Promise<readonly string[]>;
  /** Which program a run would use, in one line. Nothing is installed. */
  describe(provider: Provider): Promise<string>;
  /** Installs missing CLIs. Throws `UserErrors`. Resolves without an error if it is cancelled. */
  ensureInstalled(used: readonly Provider[], signal: AbortSignal): Promise<void>;
  /** From now on, missing CLIs are searched in the Actions cache before they are installed from npm. */
  useCache(cliCache: CliCacheOptions): void;
  /** What was installed from npm before the first agent started, and is not in the Actions cache. */
  newClis(): readonly NewCli[];
  /** Runs programs. The program of a provider is found first, or installed if that is allowed. */
  readonly processes: ProcessRunner;
  /** Why an agent of this provider must not start: its CLI, or a program of the action, was replaced. */
  findReplaced(provider: Provider): Promise<string | undefined>;
  /** The version of a CLI that was searched before; `undefined` if it is unknown. */
  versionOf(provider: Provider): string | undefined;
}

export interface ClisOptions {
  /** The working directory of the agents. */
  readonly directory: string;
  /** `false` in `post`, which only cleans up. */
  readonly canInstall: boolean;
}

interface CliContext extends ClisOptions {
  readonly actionContext: ActionContext;
  /** The environment of a gate of this job. */
  readonly childEnvironment: Readonly<Record<string, string>>;
  /** What was on PATH when the phase started, before an agent could put a program there. */
  readonly programs: StartPrograms;
  readonly newClis: NewCli[];
  cliCache?: CliCacheOptions;
}

interface StartPrograms extends InstallPrograms {
  readonly clis: ReadonlyMap<Provider, CliFiles>;
  installed?: ReadonlySet<string>;
}

interface LocatedCli {
  readonly executable: Executable;
  readonly files: CliFiles;
}

/** Programs that the action itself starts by name, and those that run the scripts of CLIs. */
const toolNames = ['git', 'sh', 'npm', 'node', 'bash'];
/** Programs that get the keys of an agent: the CLI starts them, or they are what starts the CLI. */
const agentToolNames = ['git', 'sh', 'node', 'bash'];

export function openClis(actionContext: ActionContext, options: ClisOptions): Clis {
  const { environment, providers, inputs } = actionContext;
  const childEnvironment = filterEnvironment({ environment, providers, passEnv: inputs.passEnv }).env;
  const programs = noteStartPrograms(actionContext, childEnvironment.PATH, options.directory);
  const cliContext: CliContext = { ...options, actionContext, childEnvironment, programs, newClis: [] };
  const choices = new Map<Provider, CliChoice>();
  const choose = async (provider: Provider): Promise<CliChoice> => {
    const choice = choices.get(provider) ?? (await chooseCliFor(provider, cliContext));
    choices.set(provider, choice);
    return choice;
  };
  const located = new Map<Provider, Promise<LocatedCli | undefined>>();
  const locate = (provider: Provider, signal?: AbortSignal): Promise<LocatedCli | undefined> => {
    const known = located.get(provider);
    if (known !== undefined) return known;
    const found = choose(provider).then((choice) => findExecutable(provider, choice, cliContext, signal));
    located.set(provider, found);
    const forget = () => void located.delete(provider);
    // After a cancelled or failed installation, the next call tries again.
    void found.then((program) => program === undefined && forget(), forget);
    return found;
  };
  return {
    async findProblems(used) {
      const checked = await Promise.all(
        used.map(async (one) => findCliProblems(one, await choose(one), cliContext)),
      );
      return [...unknownProviderProblems(actionContext), ...new Set(checked.flat())];
    },
    async describe(provider) {
      return describeChoice(provider, await choose(provider), cliContext);
    },
    async ensureInstalled(used, signal) {
      const results = await Promise.allSettled(used.map((provider) => locate(provider, signal)));
      const problems = results.flatMap((one) => (one.status === 'rejected' ? problemsOf(one.reason) : []));
      if (problems.length > 0) throw new UserErrors(problems);
    },
    useCache(cliCache) {
      cliContext.cliCache = cliCache;
    },
    newClis: () => cliContext.newClis,
    processes: {
      async run(spec) {
        const provider = providers.find((one) => one.executable === spec.file);
        const isOver = provider === undefined || spec.signal?.aborted === true;
        const found = isOver ? undefined : await locate(provider, spec.signal);
        if (provider === undefined || found === undefined) return processRunner.run(spec);
        programs.installed ??= listActiveFolders(installationRoot(actionContext));
        const { file, leadingArgs } = found.executable;
        if (!isCliUnchanged(found.files)) return refusedExit(replacedCliText(provider, found.files));
        return processRunner.run({ ...spec, file, args: [...leadingArgs, ...spec.args] });
      },
    },
    async findReplaced(provider) {
      const tool = findReplacedTool(cliContext);
      if (tool !== undefined) return tool;
      const files = (await locate(provider))?.files;
      return files === undefined || isCliUnchanged(files) ? undefined : replacedCliText(provider, files);
    },
    versionOf(provider) {
      const choice = choices.get(provider);
      return choice === undefined || choice.from === 'nowhere' ? undefined : choice.version;
    },
  };
}

function describeChoice(provider: Provider, choice: CliChoice, cliContext: CliContext): string {
  if (choice.from === 'nowhere') return choice.problem;
  const name = `${cliName(provider)} ${choice.version ?? '(version unknown)'}`;
  if (choice.from === 'path') return `${name}: on PATH`;
  const [problem] = findCliProblems(provider, choice, cliContext);
  if (problem !== undefined) return problem;
  const isInstalled = findInstalled(toolCacheEntry(provider, choice, cliContext)) !== undefined;
  return isInstalled ? `${name}: in the tool cache` : `${name}: would be installed from npm`;
}

function noteStartPrograms(
  actionContext: ActionContext,
  path: string | undefined,
  directory: string,
): StartPrograms {
  const { providers, environment } = actionContext;
  const clis = new Map<Provider, CliFiles>();
  for (const provider of providers) {
    const program = findProgram(provider.executable, path, directory);
    if (program !== undefined) clis.set(provider, noteCli(program, provider.npm?.name));
  }
  const tools = new Map<string, FileIdentity>();
  for (const name of toolNames) {
    const program = findProgram(name, path, directory);
    if (program !== undefined) tools.set(name, identify(program));
  }
  return { clis, tools, npmrc: readNpmrc(environment) };
}

function readNpmrc(environment: Environment): string {
  const name = Object.keys(environment).find((one) => /^npm_config_userconfig$/i.test(one));
  const path = (name && environment[name]) || join(userHome(environment), '.npmrc');
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}

/** A program that an agent put into an earlier folder on PATH counts as a replaced one. */
function findReplacedTool({ programs, childEnvironment, directory }: CliContext): string | undefined {
  for (const name of agentToolNames) {
    const noted = programs.tools.get(name);
    const now = findProgram(name, childEnvironment.PATH, directory);
    if (now === noted?.path && (noted === undefined || isUnchanged(noted))) continue;
    return `The program \`${name}\` on PATH is no longer the one from the start of the run (now ${now ?? 'missing'}). No agent was started, and the run stops.`;
  }
  return undefined;
}

function replacedCliText(provider: Provider, { program }: CliFiles): string {
  return `${cliName(provider)} (${program.path}) was changed during the run. It was not started, and the run stops. Turn off updates during the run, or find out which step changed it.`;
}

function refusedExit(stderrTail: string): ProcessExit {
  return { reason: 'exited', code: 126, stderrTail, durationMs: 0 };
}

async function chooseCliFor(provider: Provider, cliContext: CliContext): Promise<CliChoice> {
  const { inputs } = cliContext.actionContext;
  const requested = inputs.cliVersions[provider.id];
  const pinned = pinnedVersions[provider.id];
  const program = cliContext.programs.clis.get(provider)?.program.path;
  return chooseCli({
    provider,
    mode: inputs.install,
    ...defined({ requestedVersion: requested, pinnedVersion: pinned }),
    ...(program === undefined
      ? {}
      : { onPath: await versionOnPath(provider, program, requested, cliContext) }),
  });
}

/** Starts the program only if the version matters, because that takes up to several seconds. */
async function versionOnPath(
  { npm }: Provider,
  program: string,
  requested: string | undefined,
  { directory, childEnvironment }: CliContext,
): Promise<{ readonly version?: string }> {
  const packaged = npm === undefined ? undefined : packageVersion(program, npm.name);
  if (packaged !== undefined) return { version: packaged };
  if (requested === undefined) return {};
  const version = await reportedVersion(program, {
    processes: processRunner,
    directory,
    env: childEnvironment,
  });
  return defined({ version });
}

/** `undefined` if there is no program, or the installation was cancelled. */
async function findExecutable(
  provider: Provider,
  choice: CliChoice,
  cliContext: CliContext,
  signal: AbortSignal | undefined,
): Promise<LocatedCli | undefined> {
  const onPath = cliContext.programs.clis.get(provider);
  if (choice.from === 'path' && onPath !== undefined)
    return { executable: { file: onPath.program.path, leadingArgs: [] }, files: onPath };
  if (choice.from !== 'npm') return undefined;
  const folder = await obtainCli({ ...cliContext, provider, choice }, signal);
  if (folder === undefined) return undefined;
  const program = join(folder, toolCacheEntry(provider, choice, cliContext).program);
  return { executable: executableAt(program), files: noteCli(program, undefined, folder) };
}

function findCliProblems(provider: Provider, choice: CliChoice, cliContext: CliContext): readonly string[] {
  if (choice.from === 'nowhere') return [choice.problem];
  if (choice.from === 'path' || findInstalled(toolCacheEntry(provider, choice, cliContext)) !== undefined)
    return [];
  if (findProgram('npm', cliContext.childEnvironment.PATH, cliContext.directory) !== undefined) return [];
  return [
    `${cliName(provider)} not found, and npm is not on PATH to install it. Run \`actions/setup-node\` before this step, or add \`${provider.executable}\` to the image of the runner.`,
  ];
}

/** Checks the provider names in the inputs `cli-versions` and `agent-args`. */
function unknownProviderProblems({ inputs, providers }: ActionContext): readonly string[] {
  const known = providers.map(({ id }) => id);
  const named = { 'cli-versions': inputs.cliVersions, 'agent-args': inputs.agentArgs };
  return Object.entries(named).flatMap(([input, mapping]) =>
    Object.keys(mapping)
      .filter((name) => !known.includes(name))
      .map(
        (name) =>
          `Input \`${input}\`: ${JSON.stringify(name)} is not a provider. Use one of: ${known.join(', ')}.`,
      ),
  );
}
