/** The programs of the providers: found on PATH or in the tool cache, or installed there. */

import { join } from 'node:path';
import { faultsOf, UserErrors } from '../failure.js';
import { type CliChoice, chooseCli } from '../install/choose.js';
import { type Executable, executableAt } from '../install/executable.js';
import { installPackage } from '../install/npm-install.js';
import { packagedVersion, toldVersion } from '../install/path-version.js';
import { findInstalled, platformName, type Slot } from '../install/tool-cache.js';
import { defined } from '../optional-keys.js';
import type { Provider } from '../providers/provider.js';
import { pinnedVersions } from '../providers/versions.js';
import { environmentFor } from '../security/environment.js';
import type { ProcessRunner } from '../system/process.js';
import { findProgram } from '../system/programs.js';
import { processRunner } from '../system/run-process.js';
import type { Setting } from './setting.js';

export interface Clis {
  /** What stands in the way of running these providers' CLIs, as far as it is known without installing any. */
  faults(used: readonly Provider[]): Promise<readonly string[]>;
  /** Installs what is missing. Throws `UserErrors`; is silent when it was cancelled. */
  provide(used: readonly Provider[], signal: AbortSignal): Promise<void>;
  /** Runs what it is given; a provider's program is the one found or, where that is allowed, installed now. */
  readonly processes: ProcessRunner;
  /** The version of a CLI that was looked for before. */
  versionOf(provider: Provider): string | undefined;
}

export interface ClisOptions {
  /** Where agents run. */
  readonly directory: string;
  /** Not in `post`, which only cleans up. */
  readonly mayInstall: boolean;
}

/** What the parts below share. */
interface Place extends ClisOptions {
  readonly setting: Setting;
  /** What a gate of the job gets. */
  readonly handed: Readonly<Record<string, string>>;
}

type FromNpm = Extract<CliChoice, { readonly from: 'npm' }>;

export function openClis(setting: Setting, options: ClisOptions): Clis {
  const { environment, providers, inputs } = setting;
  const handed = environmentFor({ environment, providers, passEnv: inputs.passEnv }).env;
  const place: Place = { ...options, setting, handed };
  const choices = new Map<Provider, CliChoice>();
  const choose = async (provider: Provider): Promise<CliChoice> => {
    const choice = choices.get(provider) ?? (await chooseFor(provider, place));
    choices.set(provider, choice);
    return choice;
  };
  const located = new Map<Provider, Promise<Executable | undefined>>();
  const locate = (provider: Provider, signal?: AbortSignal): Promise<Executable | undefined> => {
    const known = located.get(provider);
    if (known !== undefined) return known;
    const found = choose(provider).then((choice) => find(provider, choice, place, signal));
    located.set(provider, found);
    const forget = () => void located.delete(provider);
    // What was cut off or went wrong once may go well the next time.
    void found.then((program) => program === undefined && forget(), forget);
    return found;
  };
  return {
    async faults(used) {
      const looked = await Promise.all(used.map(async (one) => cliFaults(one, await choose(one), place)));
      return [...unknownNames(setting), ...new Set(looked.flat())];
    },
    async provide(used, signal) {
      const results = await Promise.allSettled(used.map((provider) => locate(provider, signal)));
      const faults = results.flatMap((one) => (one.status === 'rejected' ? faultsOf(one.reason) : []));
      if (faults.length > 0) throw new UserErrors(faults);
    },
    processes: {
      async run(spec) {
        const provider = providers.find((one) => one.executable === spec.file);
        const isOver = provider === undefined || spec.signal?.aborted === true;
        const found = isOver ? undefined : await locate(provider, spec.signal);
        if (found === undefined) return processRunner.run(spec);
        return processRunner.run({ ...spec, file: found.file, args: [...found.before, ...spec.args] });
      },
    },
    versionOf(provider) {
      const choice = choices.get(provider);
      return choice === undefined || choice.from === 'nowhere' ? undefined : choice.version;
    },
  };
}

async function chooseFor(provider: Provider, place: Place): Promise<CliChoice> {
  const { inputs } = place.setting;
  const asked = inputs.cliVersions[provider.id];
  const pinned = pinnedVersions[provider.id];
  const program = findProgram(provider.executable, place.handed.PATH, place.directory);
  return chooseCli({
    provider,
    mode: inputs.install,
    ...defined({ asked, pinned }),
    ...(program === undefined ? {} : { onPath: await versionOnPath(provider, program, asked, place) }),
  });
}

/** The program itself is asked only where it matters: starting it takes up to seconds. */
async function versionOnPath(
  { npm }: Provider,
  program: string,
  asked: string | undefined,
  { directory, handed }: Place,
): Promise<{ readonly version?: string }> {
  const packaged = npm === undefined ? undefined : packagedVersion(program, npm.name);
  if (packaged !== undefined) return { version: packaged };
  if (asked === undefined) return {};
  const version = await toldVersion(program, { processes: processRunner, directory, env: handed });
  return version === undefined ? {} : { version };
}

/** Absolute, where it is not to be taken from PATH. */
async function find(
  provider: Provider,
  choice: CliChoice,
  place: Place,
  signal: AbortSignal | undefined,
): Promise<Executable | undefined> {
  if (choice.from !== 'npm') return undefined;
  const slot = slotOf(provider, choice, place);
  const folder = findInstalled(slot) ?? (await install(provider, choice, place, signal));
  return folder === undefined ? undefined : executableAt(join(folder, slot.program));
}

async function install(
  provider: Provider,
  choice: FromNpm,
  { setting, handed, mayInstall }: Place,
  signal: AbortSignal | undefined,
): Promise<string | undefined> {
  if (!mayInstall) return undefined;
  const { environment, log } = setting;
  const name = `${provider.title} ${choice.version}`;
  log.info(`Installing ${name} (npm package ${choice.package.name}) into the tool cache.`);
  return installPackage({
    ...choice,
    name,
    slot: slotOf(provider, choice, { setting }),
    processes: processRunner,
    environment,
    handed,
    ...defined({ signal }),
  });
}

function slotOf(provider: Provider, { version }: FromNpm, { setting }: Pick<Place, 'setting'>): Slot {
  const { environment, job } = setting;
  // Every runner has a tool cache; what stands in for one is gone with the job.
  const tools = environment.RUNNER_TOOL_CACHE || join(job.temp, 'tools');
  return {
    folder: join(tools, 'gump-clis', provider.id, version),
    platform: platformName(),
    program: join('node_modules', '.bin', provider.executable),
  };
}

function cliFaults(provider: Provider, choice: CliChoice, place: Place): readonly string[] {
  if (choice.from === 'nowhere') return [choice.fault];
  if (choice.from === 'path' || findInstalled(slotOf(provider, choice, place)) !== undefined) return [];
  if (findProgram('npm', place.handed.PATH, place.directory) !== undefined) return [];
  return [
    `${provider.title} is not there, and there is no npm on PATH to install it with: run actions/setup-node before this step, or install \`${provider.executable}\` in the image of the runner.`,
  ];
}

/** Of the two inputs that name providers. */
function unknownNames({ inputs, providers }: Setting): readonly string[] {
  const known = providers.map(({ id }) => id);
  const named = { 'cli-versions': inputs.cliVersions, 'agent-args': inputs.agentArgs };
  return Object.entries(named).flatMap(([input, mapping]) =>
    Object.keys(mapping)
      .filter((name) => !known.includes(name))
      .map((name) => `Input ${input}: ${JSON.stringify(name)} is no provider. Allowed: ${known.join(', ')}.`),
  );
}
