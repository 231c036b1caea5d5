/** Installs one npm package into the tool cache. */

import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { UserError } from '../failure.js';
import type { NpmPackage } from '../providers/provider.js';
import type { Environment } from '../system/environment.js';
import { type FileIdentity, isUnchanged } from '../system/file-identity.js';
import { stripAnsi } from '../system/strip-ansi.js';
import { npmEnvironment } from './npm-environment.js';
import { explainErrorCode, npmFailure } from './npm-failure.js';
import { isComplete, requireIntegrity } from './npm-lock.js';
import { fillToolCache } from './tool-cache.js';
import { type ProgramCheck, runInstalled, verifyProgram } from './verify-program.js';

export interface InstallRequest extends ProgramCheck {
  /** The CLI and its version, for messages. */
  readonly name: string;
  readonly package: NpmPackage;
  readonly version: string;
  /** The checksums of this version (`cli-locks.ts`), if it is the pinned one. */
  readonly lock?: string;
  /** The user's `.npmrc` from the start of the run: an agent may have changed the file. Empty if there was none. */
  readonly npmrc: string;
  /** The npm from the start of the run. Absent if there was none. */
  readonly npm?: FileIdentity;
  /** The job's environment. */
  readonly environment: Environment;
}

/** These flags override the user's `.npmrc`. Without optional packages, for example, there is no native program. */
const npmFlags = [
  ...['--no-audit', '--no-fund', '--no-update-notifier', '--no-progress', '--loglevel=error'],
  ...['--no-global', '--no-dry-run', '--no-engine-strict', '--bin-links'],
  ...['--include=optional', '--omit=dev', '--install-strategy=hoisted'],
];

/**
 * Returns the active folder; `undefined` if the installation was cancelled. Throws a `UserError` if it fails, and
 * leaves nothing behind.
 */
export async function installPackage(request: InstallRequest): Promise<string | undefined> {
  try {
    return await fillToolCache(request.cacheEntry, (folder) => installInto(request, folder));
  } catch (error) {
    throw toUserError(request, error);
  }
}

/** Returns `false` if the installation was cancelled. */
async function installInto(request: InstallRequest, folder: string): Promise<boolean> {
  const { name, needsScript } = request.package;
  const manifest = {
    private: true,
    dependencies: { [name]: request.version },
    // npm 11.19 warns about scripts that are not listed here.
    ...(needsScript === undefined ? {} : { allowScripts: { [name]: true } }),
  };
  await writeFile(join(folder, 'package.json'), JSON.stringify(manifest));
  const download = await downloadPackages(request, folder);
  if (download === 'cancelled') return false;
  if (needsScript === undefined) return verifyProgram(request, folder);
  const scripts = await npm(request, folder, ['rebuild', '--no-ignore-scripts', ...npmFlags, name]);
  return scripts === 'cancelled' ? false : verifyProgram(request, folder);
}

async function downloadPackages(request: InstallRequest, folder: string): Promise<'done' | 'cancelled'> {
  const { lock, npmrc } = request;
  const { name } = request.package;
  const userConfig = join(folder, 'user.npmrc');
  await writeFile(userConfig, npmrc, { mode: 0o600 });
  const flags = ['--ignore-scripts', `--userconfig=${userConfig}`, ...npmFlags];
  try {
    if (lock !== undefined && isComplete(lock, name)) {
      await writeFile(join(folder, 'package-lock.json'), lock);
      return await npm(request, folder, ['ci', '--package-lock', ...flags]);
    }
    const download = await npm(request, folder, ['install', '--no-package-lock', ...flags]);
    if (download === 'done' && lock !== undefined) requireIntegrity(folder, lock, name);
    return download;
  } finally {
    // It may contain a token.
    await rm(userConfig, { force: true });
  }
}

async function npm(
  request: InstallRequest,
  folder: string,
  args: readonly string[],
): Promise<'done' | 'cancelled'> {
  const { environment, gateEnvironment } = request;
  const env = args[0] === 'rebuild' ? gateEnvironment : npmEnvironment(environment, gateEnvironment);
  if (request.npm !== undefined && !isUnchanged(request.npm))
    throw new UserError(`npm (${request.npm.path}) was changed during the run. It was not started.`);
  const file = request.npm?.path ?? 'npm';
  const exit = await runInstalled(request, folder, { file, leadingArgs: [] }, args, env);
  if (exit.reason === 'cancelled') return 'cancelled';
  if (exit.reason === 'exited' && exit.code === 0) return 'done';
  throw new UserError(npmFailure({ ...exit, stderrTail: stripAnsi(exit.stderrTail) }));
}

function toUserError({ name }: InstallRequest, error: unknown): UserError {
  return new UserError(`${name} could not be installed: ${reasonOf(error)}`, { cause: error });
}

function reasonOf(error: unknown): string {
  if (error instanceof UserError) return error.message;
  const { code, message } = error as NodeJS.ErrnoException;
  // An error without a code is not a problem of the machine but an internal error.
  if (code === undefined) throw error;
  const meaning = explainErrorCode(code);
  return meaning === undefined ? `${message}.` : `${meaning}. ${message}.`;
}
