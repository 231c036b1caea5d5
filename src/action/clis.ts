/** The CLIs of the providers: found on PATH or in the tool cache, or installed into the tool cache. */

import { join } from 'node:path';
import { problemsOf, UserErrors } from '../failure.js';
import { type CliChoice, chooseCli, cliName } from '../install/choose.js';
import { type Executable, executableAt } from '../install/executable.js';
import { installPackage } from '../install/npm-install.js';
import { packageVersion, reportedVersion } from '../install/path-version.js';
import { findInstalled, platformName, type ToolCacheEntry } from '../install/tool-cache.js';
import { defined } from '../optional-keys.js';
import type { Provider } from '../providers/provider.js';
import { pinnedVersions } from '../providers/versions.js';
import { filterEnvironment } from '../security/filter-environment.js';
import type { ProcessRunner } from '../system/process.js';
import { findProgram } from '../system/programs.js';
import { processRunner } from '../system/run-process.js';
import type { ActionContext } from './action-context.js';

export interface Clis {
  /** The problems that prevent these CLIs from running, as far as they are known without an installation. */
  findProblems(used: readonly Provider[]): Promise<readonly string[]>;
  /** Installs missing CLIs. Throws `UserErrors`. Resolves without an error if it is cancelled. */
  ensureInstalled(used: readonly Provider[], signal: AbortSignal): Promise<void>;
  /** Runs programs. The program of a provider is found first, or installed if that is allowed. */
  readonly processes: ProcessRunner;
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
}

type NpmChoice = Extract<CliChoice, { readonly from: 'npm' }>;

export function openClis(actionContext: ActionContext, options: ClisOptions): Clis {
  const { environment, providers, inputs } = actionContext;
  const childEnvironment = filterEnvironment({ environment, providers, passEnv: inputs.passEnv }).env;
  const cliContext: CliContext = { ...options, actionContext, childEnvironment };
  const choices = new Map<Provider, CliChoice>();
  const choose = async (provider: Provider): Promise<CliChoice> => {
    const choice = choices.get(provider) ?? (await chooseCliFor(provider, cliContext));
    choices.set(provider, choice);
    return choice;
  };
  const located = new Map<Provider, Promise<Executable | undefined>>();
  const locate = (provider: Provider, signal?: AbortSignal): Promise<Executable | undefined> => {
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
    async ensureInstalled(used, signal) {
      const results = await Promise.allSettled(used.map((provider) => locate(provider, signal)));
      const problems = results.flatMap((one) => (one.status === 'rejected' ? problemsOf(one.reason) : []));
      if (problems.length > 0) throw new UserErrors(problems);
    },
    processes: {
      async run(spec) {
        const provider = providers.find((one) => one.executable === spec.file);
        const isOver = provider === undefined || spec.signal?.aborted === true;
        const found = isOver ? undefined : await locate(provider, spec.signal);
        if (found === undefined) return processRunner.run(spec);
        return processRunner.run({ ...spec, file: found.file, args: [...found.leadingArgs, ...spec.args] });
      },
    },
    versionOf(provider) {
      const choice = choices.get(provider);
      return choice === undefined || choice.from === 'nowhere' ? undefined : choice.version;
    },
  };
}

async function chooseCliFor(provider: Provider, cliContext: CliContext): Promise<CliChoice> {
  const { inputs } = cliContext.actionContext;
  const requested = inputs.cliVersions[provider.id];
  const pinned = pinnedVersions[provider.id];
  const program = findProgram(provider.executable, cliContext.childEnvironment.PATH, cliContext.directory);
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

/** `undefined` if the program on PATH is used or the installation was cancelled. */
async function findExecutable(
  provider: Provider,
  choice: CliChoice,
  cliContext: CliContext,
  signal: AbortSignal | undefined,
): Promise<Executable | undefined> {
  if (choice.from !== 'npm') return undefined;
  const installed = installedCliFor(provider, choice, cliContext);
  const folder = findInstalled(installed) ?? (await installCli(provider, choice, cliContext, signal));
  return folder === undefined ? undefined : executableAt(join(folder, installed.program));
}

async function installCli(
  provider: Provider,
  choice: NpmChoice,
  { actionContext, childEnvironment, canInstall }: CliContext,
  signal: AbortSignal | undefined,
): Promise<string | undefined> {
  if (!canInstall) return undefined;
  const { environment, log } = actionContext;
  const name = `${cliName(provider)} ${choice.version}`;
  log.info(`Installing ${name} (npm package \`${choice.package.name}\`) into the tool cache`);
  return installPackage({
    ...choice,
    name,
    cacheEntry: installedCliFor(provider, choice, { actionContext }),
    processes: processRunner,
    environment,
    gateEnvironment: childEnvironment,
    ...defined({ signal }),
  });
}

function installedCliFor(
  provider: Provider,
  { version }: NpmChoice,
  { actionContext }: Pick<CliContext, 'actionContext'>,
): ToolCacheEntry {
  const { environment, job } = actionContext;
  // Every runner sets RUNNER_TOOL_CACHE. Without it, the CLI is installed for this job only.
  const tools = environment.RUNNER_TOOL_CACHE || join(job.temp, 'tools');
  return {
    folder: join(tools, 'gump-clis', provider.id, version),
    platform: platformName(),
    program: join('node_modules', '.bin', provider.executable),
  };
}

function findCliProblems(provider: Provider, choice: CliChoice, cliContext: CliContext): readonly string[] {
  if (choice.from === 'nowhere') return [choice.problem];
  if (choice.from === 'path' || findInstalled(installedCliFor(provider, choice, cliContext)) !== undefined)
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
