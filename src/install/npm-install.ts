/** Puts one npm package into a slot of the tool cache. */
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { UserError } from '../failure.js';
import type { NpmPackage } from '../providers/provider.js';
import type { Environment } from '../system/environment.js';
import type { ProcessExit, ProcessRunner } from '../system/process.js';
import { stripAnsi } from '../system/strip-ansi.js';
import { type Executable, executableAt } from './executable.js';
import { npmEnvironment } from './npm-environment.js';
import { explainErrorCode, npmFailure } from './npm-failure.js';
import { activateFolder, createFolder, removeStaleFolders, type ToolCacheEntry } from './tool-cache.js';

export interface InstallRequest {
  /** For people: title and version. */
  readonly name: string;
  readonly package: NpmPackage;
  readonly version: string;
  readonly cacheEntry: ToolCacheEntry;
  readonly processes: ProcessRunner;
  /** The job's environment. */
  readonly environment: Environment;
  /** What a gate of the job gets of it. */
  readonly gateEnvironment: Readonly<Record<string, string>>;
  readonly signal?: AbortSignal;
}

/** npm itself waits long for a registry that does not answer. */
const timeoutMs = 10 * 60 * 1000;

/** Over what the user's `.npmrc` may say: without the optional packages there is no native program, and so on. */
const npmFlags = [
  ...['--no-audit', '--no-fund', '--no-update-notifier', '--no-progress', '--loglevel=error'],
  ...['--no-global', '--no-dry-run', '--no-package-lock', '--no-engine-strict', '--bin-links'],
  ...['--include=optional', '--omit=dev', '--install-strategy=hoisted'],
];

/**
 * The folder that now counts; `undefined` when it was cancelled. Throws `UserError` with one sentence for what
 * went wrong, and leaves nothing behind then.
 */
export async function installPackage(request: InstallRequest): Promise<string | undefined> {
  let folder: string | undefined;
  try {
    await removeStaleFolders(request.cacheEntry, Date.now());
    folder = await createFolder(request.cacheEntry);
    const isDone = await installInto(request, folder);
    if (isDone) return await activateFolder(request.cacheEntry, folder);
    await discard(folder);
    return undefined;
  } catch (error) {
    await discard(folder);
    throw toUserError(request, error);
  }
}

async function discard(folder: string | undefined): Promise<void> {
  if (folder === undefined) return;
  // What stays is swept away by a later install.
  await rm(folder, { recursive: true, force: true, maxRetries: 3 }).catch(() => undefined);
}

/** False: it was cancelled. */
async function installInto(request: InstallRequest, folder: string): Promise<boolean> {
  const { name, needsScript } = request.package;
  const manifest = {
    private: true,
    dependencies: { [name]: request.version },
    // npm 11.19 warns of scripts that are not named there.
    ...(needsScript === undefined ? {} : { allowScripts: { [name]: true } }),
  };
  await writeFile(join(folder, 'package.json'), JSON.stringify(manifest));
  const download = await npm(request, folder, ['install', '--ignore-scripts', ...npmFlags]);
  if (download === 'cancelled') return false;
  if (needsScript === undefined) return verifyProgram(request, folder);
  const scripts = await npm(request, folder, ['rebuild', '--no-ignore-scripts', ...npmFlags, name]);
  return scripts === 'cancelled' ? false : verifyProgram(request, folder);
}

async function npm(
  request: InstallRequest,
  folder: string,
  args: readonly string[],
): Promise<'done' | 'cancelled'> {
  const { environment, gateEnvironment } = request;
  const env = args[0] === 'install' ? npmEnvironment(environment, gateEnvironment) : gateEnvironment;
  const exit = await run(request, folder, { file: 'npm', leadingArgs: [] }, args, env);
  if (exit.reason === 'cancelled') return 'cancelled';
  if (exit.reason === 'exited' && exit.code === 0) return 'done';
  throw new UserError(npmFailure({ ...exit, stderrTail: stripAnsi(exit.stderrTail) }));
}

/** A program that does not start here (another C library, a script that did nothing) is told of now, not by an agent. */
async function verifyProgram(request: InstallRequest, folder: string): Promise<boolean> {
  const home = join(folder, 'home');
  await mkdir(home);
  const program = executableAt(join(folder, request.cacheEntry.program));
  const env = { ...request.gateEnvironment, HOME: home };
  const exit = await run(request, folder, program, ['--version'], env);
  await rm(home, { recursive: true, force: true });
  if (exit.reason === 'cancelled') return false;
  if (exit.reason === 'exited' && exit.code === 0) return true;
  const words = stripAnsi(exit.stderrTail).trim().slice(0, 400);
  throw new UserError(`it does not start on this machine. It says: ${words === '' ? 'nothing' : words}`);
}

function run(
  { processes, signal }: InstallRequest,
  directory: string,
  { file, leadingArgs }: Executable,
  args: readonly string[],
  env: Readonly<Record<string, string>>,
): Promise<ProcessExit> {
  const stop = signal === undefined ? {} : { signal };
  return processes.run({
    file,
    args: [...leadingArgs, ...args],
    directory,
    env,
    timeoutMs,
    graceMs: 1000,
    ...stop,
  });
}

function toUserError({ name }: InstallRequest, error: unknown): UserError {
  return new UserError(`${name} could not be installed: ${reasonOf(error)}`, { cause: error });
}

function reasonOf(error: unknown): string {
  if (error instanceof UserError) return error.message;
  const { code, message } = error as NodeJS.ErrnoException;
  // What is no fault of the machine is one of ours.
  if (code === undefined) throw error;
  const meaning = explainErrorCode(code);
  return meaning === undefined ? `${message}.` : `${meaning}. ${message}.`;
}
