/** Puts one npm package into a slot of the tool cache. */
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { UserError } from '../failure.js';
import type { NpmPackage } from '../providers/provider.js';
import type { Environment } from '../system/environment.js';
import { plainText } from '../system/plain-text.js';
import type { Exit, ProcessRunner } from '../system/process.js';
import { type Executable, executableAt } from './executable.js';
import { npmEnvironment } from './npm-environment.js';
import { meaningOf, npmFailure } from './npm-failure.js';
import { complete, openFolder, type Slot, sweep } from './tool-cache.js';

export interface InstallRequest {
  /** For people: title and version. */
  readonly name: string;
  readonly package: NpmPackage;
  readonly version: string;
  readonly slot: Slot;
  readonly processes: ProcessRunner;
  /** The job's environment. */
  readonly environment: Environment;
  /** What a gate of the job gets of it. */
  readonly handed: Readonly<Record<string, string>>;
  readonly signal?: AbortSignal;
}

/** npm itself waits long for a registry that does not answer. */
const timeoutMs = 10 * 60 * 1000;

/** Over what the user's `.npmrc` may say: without the optional packages there is no native program, and so on. */
const firmly = [
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
    await sweep(request.slot, Date.now());
    folder = await openFolder(request.slot);
    const isDone = await fill(request, folder);
    if (isDone) return await complete(request.slot, folder);
    await discard(folder);
    return undefined;
  } catch (error) {
    await discard(folder);
    throw told(request, error);
  }
}

async function discard(folder: string | undefined): Promise<void> {
  if (folder === undefined) return;
  // What stays is swept away by a later install.
  await rm(folder, { recursive: true, force: true, maxRetries: 3 }).catch(() => undefined);
}

/** False: it was cancelled. */
async function fill(request: InstallRequest, folder: string): Promise<boolean> {
  const { name, needsScript } = request.package;
  const manifest = {
    private: true,
    dependencies: { [name]: request.version },
    // npm 11.19 warns of scripts that are not named there.
    ...(needsScript === undefined ? {} : { allowScripts: { [name]: true } }),
  };
  await writeFile(join(folder, 'package.json'), JSON.stringify(manifest));
  const download = await npm(request, folder, ['install', '--ignore-scripts', ...firmly]);
  if (download === 'cancelled') return false;
  if (needsScript === undefined) return tryOut(request, folder);
  const scripts = await npm(request, folder, ['rebuild', '--no-ignore-scripts', ...firmly, name]);
  return scripts === 'cancelled' ? false : tryOut(request, folder);
}

async function npm(
  request: InstallRequest,
  folder: string,
  args: readonly string[],
): Promise<'done' | 'cancelled'> {
  const { environment, handed } = request;
  const env = args[0] === 'install' ? npmEnvironment(environment, handed) : handed;
  const exit = await run(request, folder, { file: 'npm', before: [] }, args, env);
  if (exit.reason === 'cancelled') return 'cancelled';
  if (exit.reason === 'exited' && exit.code === 0) return 'done';
  throw new UserError(npmFailure({ ...exit, stderrTail: plainText(exit.stderrTail) }));
}

/** A program that does not start here (another C library, a script that did nothing) is told of now, not by an agent. */
async function tryOut(request: InstallRequest, folder: string): Promise<boolean> {
  const home = join(folder, 'home');
  await mkdir(home);
  const program = executableAt(join(folder, request.slot.program));
  const env = { ...request.handed, HOME: home };
  const exit = await run(request, folder, program, ['--version'], env);
  await rm(home, { recursive: true, force: true });
  if (exit.reason === 'cancelled') return false;
  if (exit.reason === 'exited' && exit.code === 0) return true;
  const words = plainText(exit.stderrTail).trim().slice(0, 400);
  throw new UserError(`it does not start on this machine. It says: ${words === '' ? 'nothing' : words}`);
}

function run(
  { processes, signal }: InstallRequest,
  directory: string,
  { file, before }: Executable,
  args: readonly string[],
  env: Readonly<Record<string, string>>,
): Promise<Exit> {
  const stop = signal === undefined ? {} : { signal };
  return processes.run({
    file,
    args: [...before, ...args],
    directory,
    env,
    timeoutMs,
    graceMs: 1000,
    ...stop,
  });
}

function told({ name }: InstallRequest, error: unknown): UserError {
  return new UserError(`${name} could not be installed: ${reasonOf(error)}`, { cause: error });
}

function reasonOf(error: unknown): string {
  if (error instanceof UserError) return error.message;
  const { code, message } = error as NodeJS.ErrnoException;
  // What is no fault of the machine is one of ours.
  if (code === undefined) throw error;
  const meaning = meaningOf(code);
  return meaning === undefined ? `${message}.` : `${meaning}. ${message}.`;
}
