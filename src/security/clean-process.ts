/**
 * Removes the job's variables from the memory that every process of the same user can read
 * (`/proc/<pid>/environ`). The process replaces itself by the same program with a minimal environment. The new
 * program reads the variables from a private file; they are on its heap only. If the caller has a loader that makes
 * the process unreadable (`unreadable-launcher.ts`), the new program starts with it.
 *
 * CLEAN1 Only its owner can read the file, and the new program removes it before it does anything else.
 *        The program reads only a file that looks like one of ours, because anyone may have set the variable.
 * CLEAN2 Process id, standard streams and arguments stay the same. Signal handlers must be installed again.
 *
 * This file imports only types from this project, so that it can run before everything else.
 */
import { lstatSync, mkdtempSync, readFileSync, rmdirSync, rmSync, writeFileSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import type { Environment } from '../system/environment.js';

/** Names the file for the new program. No other process gets this variable. */
const environmentFileVariable = 'GUMP_ACTION_ENVIRONMENT_FILE';

const folderPrefix = 'gump-start-';
const fileName = 'environment.json';
const loaderName = 'node-loader';

/**
 * What a program needs before it can read a file: the paths of programs, libraries and certificates, and what Node and
 * its libraries read only at their start (Node 24, `doc/api/cli.md`, section "Environment variables"; openssl-env(7)).
 * With RUNNER_TRACKING_ID the runner finds processes that a job left behind (actions/runner, `JobExtension`). The file
 * is below RUNNER_TEMP.
 */
const startupVariables = new Set([
  ...[
    'PATH',
    'HOME',
    'LANG',
    'TZ',
    'TMPDIR',
    'RUNNER_TRACKING_ID',
    'RUNNER_TEMP',
    'RES_OPTIONS',
    'LOCALDOMAIN',
  ],
  ...[
    'LD_LIBRARY_PATH',
    'LD_PRELOAD',
    'DYLD_LIBRARY_PATH',
    'DYLD_FALLBACK_LIBRARY_PATH',
    'DYLD_INSERT_LIBRARIES',
  ],
  // Give a name to a user who has none, in images for OpenShift. It works together with LD_PRELOAD.
  ...['NSS_WRAPPER_PASSWD', 'NSS_WRAPPER_GROUP'],
  ...['NODE_OPTIONS', 'NODE_EXTRA_CA_CERTS', 'NODE_USE_SYSTEM_CA', 'NODE_USE_ENV_PROXY', 'NODE_ICU_DATA'],
  ...[
    'NODE_TLS_REJECT_UNAUTHORIZED',
    'NODE_DEBUG',
    'NODE_DEBUG_NATIVE',
    'NODE_NO_WARNINGS',
    'NODE_V8_COVERAGE',
  ],
  ...['NODE_PENDING_DEPRECATION', 'NODE_REDIRECT_WARNINGS', 'NODE_PRESERVE_SYMLINKS', 'NODE_PATH'],
  ...[
    'NODE_COMPILE_CACHE',
    'NODE_COMPILE_CACHE_PORTABLE',
    'NODE_DISABLE_COMPILE_CACHE',
    'NODE_DISABLE_COLORS',
  ],
  ...['NODE_SKIP_PLATFORM_CHECK', 'NO_COLOR', 'FORCE_COLOR', 'UV_THREADPOOL_SIZE', 'UV_USE_IO_URING'],
  ...[
    'SSL_CERT_FILE',
    'SSL_CERT_DIR',
    'OPENSSL_CONF',
    'OPENSSL_CONF_INCLUDE',
    'OPENSSL_MODULES',
    'OPENSSL_ENGINES',
  ],
]);

/** Node reads the addresses of the proxies at its start if it uses them. They may contain a password. */
const proxyVariable = /^(?:https?|no)_proxy$/i;

export interface CleanProcessOptions {
  /** RUNNER_TEMP, a directory of this job. It gets the file. */
  readonly directory: string;
  /**
   * Creates a dynamic loader that starts the new program. Throws if that is not possible; then the program is started
   * without it. Absent: it would have no effect.
   */
  readonly createLoader?: (target: string, node: string, env: Readonly<Record<string, string>>) => void;
  /** Reports what other processes can read, and why. */
  debug(message: string): void;
}

interface StoredProcess {
  /** The path of Node. With a loader, the system reports the path of the loader. */
  readonly execPath: string;
  readonly variables: Readonly<Record<string, string>>;
}

let isRestored = false;

/**
 * Starts this program again in the same process, with a minimal environment, and does not return. It returns
 * only if that was already done or is not possible (Windows, Node without `execve`). Then nothing has changed.
 * Call it before the program prints or starts anything that must not happen twice.
 */
export function restartWithCleanEnvironment(options: CleanProcessOptions): void {
  if (isRestored) return;
  const execve = process.execve?.bind(process);
  if (execve === undefined || process.platform === 'win32') {
    options.debug('Other processes can read the environment of this process: Node has no `execve` here.');
    return;
  }
  let file: string | undefined;
  try {
    file = writeEnvironmentFile(options.directory);
    const loader = createLoader(dirname(file), options);
    const words = [process.execPath, ...process.execArgv, ...process.argv.slice(1)];
    const [program, args] =
      loader === undefined ? [process.execPath, words] : [loader, [process.execPath, ...words]];
    const env = { ...minimalEnvironment(), [environmentFileVariable]: file };
    withoutWarnings(() => execve(program, args, env));
  } catch (error) {
    if (file !== undefined) removeEnvironmentFile(file);
    options.debug(`Other processes can read the environment of this process: ${String(error)}`);
  }
}

/**
 * Call this first in the program. Returns the variables that `restartWithCleanEnvironment` stored; `undefined` in a
 * process that was not restarted. Throws if the variables cannot be read.
 */
export function restoreEnvironment(): Environment | undefined {
  const file = process.env[environmentFileVariable];
  delete process.env[environmentFileVariable];
  if (file === undefined || !isEnvironmentFile(file)) return undefined;
  try {
    const { execPath, variables } = JSON.parse(readFileSync(file, 'utf8')) as StoredProcess;
    process.execPath = execPath;
    process.argv[0] = execPath;
    isRestored = true;
    return variables;
  } catch (error) {
    throw new Error(`\`${file}\`: the environment variables of the job cannot be read. Re-run the job.`, {
      cause: error,
    });
  } finally {
    removeEnvironmentFile(file);
  }
}

function writeEnvironmentFile(parent: string): string {
  // mkdtemp creates the folder with mode 0700.
  const file = join(mkdtempSync(join(parent, folderPrefix)), fileName);
  const stored = { execPath: process.execPath, variables: process.env };
  writeFileSync(file, JSON.stringify(stored), { mode: 0o600, flag: 'wx' });
  return file;
}

/** `undefined` if the program must start without a loader. */
function createLoader(folder: string, options: CleanProcessOptions): string | undefined {
  if (options.createLoader === undefined) return undefined;
  const loader = join(folder, loaderName);
  try {
    options.createLoader(loader, process.execPath, minimalEnvironment());
    return loader;
  } catch (error) {
    options.debug(`Other processes of this user can read the memory of this process: ${String(error)}`);
    return undefined;
  }
}

function isEnvironmentFile(file: string): boolean {
  const { RUNNER_TEMP } = process.env;
  const folder = dirname(file);
  if (!RUNNER_TEMP || resolve(dirname(folder)) !== resolve(RUNNER_TEMP)) return false;
  if (!basename(folder).startsWith(folderPrefix) || basename(file) !== fileName) return false;
  const options = { throwIfNoEntry: false } as const;
  const [outer, inner] = [lstatSync(folder, options), lstatSync(file, options)];
  const uid = process.getuid?.();
  if (outer?.isDirectory() !== true || outer.uid !== uid) return false;
  // If it is missing, reading it fails with an error. That is right, because this process has almost no variables without it.
  if (inner === undefined) return true;
  return inner.isFile() && inner.uid === uid && (inner.mode & 0o777) === 0o600;
}

function removeEnvironmentFile(file: string): void {
  rmSync(file, { force: true });
  // The process that runs it does not need its name.
  rmSync(join(dirname(file), loaderName), { force: true });
  try {
    rmdirSync(dirname(file));
  } catch {
    // The folder is missing, or not empty and therefore not only ours.
  }
}

function minimalEnvironment(): Record<string, string> {
  const { env } = process;
  const usesProxy =
    (env.NODE_USE_ENV_PROXY ?? '') !== '' ||
    /--use-env-proxy/.test(`${env.NODE_OPTIONS} ${process.execArgv}`);
  const isNeeded = (name: string) =>
    startupVariables.has(name) || name.startsWith('LC_') || (usesProxy && proxyVariable.test(name));
  return Object.fromEntries(
    Object.entries(env).filter(
      (entry): entry is [string, string] => entry[1] !== undefined && isNeeded(entry[0]),
    ),
  );
}

/** In Node 24, `execve` prints a warning that it is experimental. Users would see it in the log. */
function withoutWarnings(run: () => void): void {
  const emitWarning = process.emitWarning;
  process.emitWarning = () => undefined;
  try {
    run();
  } finally {
    process.emitWarning = emitWarning;
  }
}
