/** The programs of the providers: found on PATH or in the tool cache, or installed there. */

import { join } from 'node:path';
import { problemsOf, UserErrors } from '../failure.js';
import { type CliChoice, chooseCli } from '../install/choose.js';
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
  /** What stands in the way of running these providers' CLIs, as far as it is known without installing any. */
  findProblems(used: readonly Provider[]): Promise<readonly string[]>;
  /** Installs what is missing. Throws `UserErrors`; is silent when it was cancelled. */
  ensureInstalled(used: readonly Provider[], signal: AbortSignal): Promise<void>;
  /** Runs what it is given; a provider's program is the one found or, where that is allowed, installed now. */
  readonly processes: ProcessRunner;
  /** The version of a CLI that was looked for before. */
  versionOf(provider: Provider): string | undefined;
}

export interface ClisOptions {
  /** Where agents run. */
  readonly directory: string;
  /** Not in `post`, which only cleans up. */
  readonly canInstall: boolean;
}

/** What the parts below share. */
interface CliContext extends ClisOptions {
  readonly actionContext: ActionContext;
  /** What a gate of the job gets. */
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
    // What was cut off or went wrong once may go well the next time.
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

/** The program itself is asked only where it matters: starting it takes up to seconds. */
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
  return version === undefined ? {} : { version };
}

/** Absolute, where it is not to be taken from PATH. */
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
  const name = `${provider.title} ${choice.version}`;
  log.info(`Installing ${name} (npm package ${choice.package.name}) into the tool cache.`);
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
  // Every runner has a tool cache; what stands in for one is gone with the job.
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
    `${provider.title} is not there, and there is no npm on PATH to install it with: run actions/setup-node before this step, or install \`${provider.executable}\` in the image of the runner.`,
  ];
}

/** Of the two inputs that name providers. */
function unknownProviderProblems({ inputs, providers }: ActionContext): readonly string[] {
  const known = providers.map(({ id }) => id);
  const named = { 'cli-versions': inputs.cliVersions, 'agent-args': inputs.agentArgs };
  return Object.entries(named).flatMap(([input, mapping]) =>
    Object.keys(mapping)
      .filter((name) => !known.includes(name))
      .map((name) => `Input ${input}: ${JSON.stringify(name)} is no provider. Allowed: ${known.join(', ')}.`),
  );
}
