/** Where a CLI comes from that is not on PATH: the tool cache, the Actions cache, or npm. */
import { join } from 'node:path';
import { type CliCacheOptions, findCli, nameToStore } from '../cli-cache/cli-cache.js';
import type { CliFacts } from '../cli-cache/cli-entry-name.js';
import { hashCli } from '../cli-cache/read-cli.js';
import { type CliChoice, cliName } from '../install/choose.js';
import { installPackage } from '../install/npm-install.js';
import { restoreCli } from '../install/restore-cli.js';
import { findInstalled, platformName, type ToolCacheEntry } from '../install/tool-cache.js';
import { defined } from '../optional-keys.js';
import { cliLocks } from '../providers/cli-locks.js';
import type { Provider } from '../providers/provider.js';
import { pinnedVersions } from '../providers/versions.js';
import { trustClass } from '../security/trust.js';
import type { FileIdentity } from '../system/file-identity.js';
import { processRunner } from '../system/run-process.js';
import type { ActionContext } from './action-context.js';
import { eventOf } from './event-checks.js';

export type NpmChoice = Extract<CliChoice, { readonly from: 'npm' }>;

/** What an installation uses, as it was when the phase started. */
export interface InstallPrograms {
  readonly tools: ReadonlyMap<string, FileIdentity>;
  /** The content of the user's `.npmrc`. */
  readonly npmrc: string;
  /** The active folders of the tool cache before the first agent started. Absent: none has started. */
  readonly installed?: ReadonlySet<string>;
}

/** A CLI that `post` stores in the Actions cache. */
export interface NewCli {
  /** The CLI and its version, for messages. */
  readonly title: string;
  /** The name of the entry. */
  readonly name: string;
  /** The folder in the tool cache. */
  readonly folder: string;
  /** From `hashCli`, before an agent could change the files. */
  readonly hash: string;
}

export interface CliRequestContext {
  readonly actionContext: ActionContext;
  /** The environment of a gate of this job. */
  readonly childEnvironment: Readonly<Record<string, string>>;
  readonly programs: InstallPrograms;
  readonly canInstall: boolean;
  /** Absent: the Actions cache is not used. */
  readonly cliCache?: CliCacheOptions;
  /** What was installed and is not in the Actions cache is added here. */
  readonly newClis: NewCli[];
  readonly provider: Provider;
  readonly choice: NpmChoice;
}

/** The folder of the CLI; `undefined` if it may not be installed or that was cancelled. Throws `UserError`. */
export async function obtainCli(
  request: CliRequestContext,
  signal: AbortSignal | undefined,
): Promise<string | undefined> {
  const { provider, choice, canInstall } = request;
  const found = findInstalled(toolCacheEntry(provider, choice, request));
  if (found !== undefined || !canInstall) return found;
  const cached = await restoreFromCache(request, signal);
  if (cached.folder !== undefined || signal?.aborted === true) return cached.folder;
  const folder = await installCli(request, signal);
  if (folder !== undefined) await noteNewCli(request, cached, folder);
  return folder;
}

interface CacheResult {
  readonly folder?: string;
  /** Nothing is stored if the service did not answer. */
  readonly isAnswered?: true;
  /** The name of an entry that could not be used. */
  readonly unusable?: string;
}

/** Whatever is wrong with an entry, npm installs the CLI. */
async function restoreFromCache(
  request: CliRequestContext,
  signal: AbortSignal | undefined,
): Promise<CacheResult> {
  const { cliCache, provider, choice, actionContext } = request;
  if (cliCache === undefined) return {};
  const title = titleOf(provider, choice);
  const found = await findCli(cliCache, factsOf(provider, choice));
  if (found.status === 'unanswered') return {};
  if (found.status === 'none') return { isAnswered: true };
  const refuse = (reason: string): CacheResult => {
    actionContext.log.info(`${title} from the Actions cache is not used: ${reason.replace(/\.$/, '')}.`);
    return { isAnswered: true, unusable: found.name };
  };
  if (found.status === 'refused') return refuse(found.reason);
  try {
    const check = { ...choice, ...checkOf(request, signal), ...defined({ lock: lockOf(provider, choice) }) };
    const folder = await restoreCli(check, found.unpack);
    if (folder !== undefined) actionContext.log.info(`Restored ${title} from the Actions cache`);
    return { isAnswered: true, ...defined({ folder }) };
  } catch (error) {
    return refuse(error instanceof Error ? error.message : String(error));
  }
}

function installCli(
  request: CliRequestContext,
  signal: AbortSignal | undefined,
): Promise<string | undefined> {
  const { actionContext, provider, choice, programs } = request;
  const { environment, log } = actionContext;
  const name = titleOf(provider, choice);
  log.info(`Installing ${name} (npm package \`${choice.package.name}\`) into the tool cache`);
  return installPackage({
    ...choice,
    ...checkOf(request, signal),
    name,
    environment,
    npmrc: programs.npmrc,
    ...defined({ lock: lockOf(provider, choice), npm: programs.tools.get('npm') }),
  });
}

/** Only before the first agent starts, because later ones could change what is being installed. */
async function noteNewCli(
  { cliCache, provider, choice, actionContext, programs, newClis }: CliRequestContext,
  { isAnswered, unusable }: CacheResult,
  folder: string,
): Promise<void> {
  if (cliCache === undefined || isAnswered === undefined || programs.installed !== undefined) return;
  if (!mayStoreClis(actionContext) || cliCache.store.unwritableReason !== undefined) return;
  const name = await nameToStore(cliCache, factsOf(provider, choice), unusable);
  // A CLI whose files cannot be kept is installed each time.
  const hash = await hashCli(folder).catch((error: unknown) => actionContext.log.debug(String(error)));
  if (name === undefined || typeof hash !== 'string') return;
  newClis.push({ title: titleOf(provider, choice), name, folder, hash });
}

/**
 * Later runs of the repository start what is stored, so only an event that people with write permission cause may
 * store it.
 */
export function mayStoreClis(actionContext: ActionContext): boolean {
  return actionContext.inputs.cacheClis && trustClass(eventOf(actionContext)) === 'trusted';
}

function checkOf(request: CliRequestContext, signal: AbortSignal | undefined) {
  return {
    cacheEntry: toolCacheEntry(request.provider, request.choice, request),
    processes: processRunner,
    gateEnvironment: request.childEnvironment,
    ...defined({ signal }),
  };
}

function factsOf(provider: Provider, choice: NpmChoice): CliFacts {
  const { version } = choice;
  const lock = lockOf(provider, choice);
  return { provider: provider.id, version, platform: platformName(), ...defined({ lock }) };
}

function lockOf({ id }: Provider, { version }: NpmChoice): string | undefined {
  return version === pinnedVersions[id] ? cliLocks[id] : undefined;
}

function titleOf(provider: Provider, { version }: NpmChoice): string {
  return `${cliName(provider)} ${version}`;
}

/** The entry of a CLI in the tool cache. */
export function toolCacheEntry(
  provider: Provider,
  { version }: NpmChoice,
  { actionContext, programs }: Pick<CliRequestContext, 'actionContext' | 'programs'>,
): ToolCacheEntry {
  return {
    folder: join(installationRoot(actionContext), provider.id, version),
    platform: platformName(),
    program: join('node_modules', '.bin', provider.executable),
    ...defined({ trusted: programs.installed }),
  };
}

/** Every runner sets RUNNER_TOOL_CACHE. Without it, CLIs are installed for this job only. */
export function installationRoot({ environment, job }: ActionContext): string {
  return join(environment.RUNNER_TOOL_CACHE || join(job.temp, 'tools'), 'gump-clis');
}
