/**
 * Removes the job's variables from the memory that every process of the same user can read
 * (`/proc/<pid>/environ`). The process replaces itself by the same program with a minimal environment. The new
 * program reads the variables from a private file into `process.env`, which is on its heap.
 *
 * This only blocks the easiest way to the secrets. A process of the same user can still read the memory itself
 * if the machine allows it.
 *
 * CLEAN1 Only its owner can read the file, and the new program removes it before it does anything else.
 *        The program reads only a file that looks like one of ours, because anyone may have set the variable.
 * CLEAN2 Process id, standard streams and arguments stay the same. Signal handlers must be installed again.
 *
 * This file imports only types from this project, so that it can run before everything else.
 */
import { lstatSync, mkdtempSync, readFileSync, rmdirSync, rmSync, writeFileSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';

/** Names the file for the new program. No other process gets this variable. */
const environmentFileVariable = 'GUMP_ACTION_ENVIRONMENT_FILE';

const folderPrefix = 'gump-start-';
const fileName = 'environment.json';

/**
 * What a program needs before it can read a file: the paths of programs, libraries and certificates, and the
 * options that Node reads only at its start. With RUNNER_TRACKING_ID the runner finds processes that a job left
 * behind (actions/runner, `JobExtension`). The file is below RUNNER_TEMP.
 */
const startupVariables = [
  'PATH',
  'HOME',
  'LANG',
  'LC_ALL',
  'TZ',
  'TMPDIR',
  'LD_LIBRARY_PATH',
  'DYLD_LIBRARY_PATH',
  'NODE_OPTIONS',
  'NODE_EXTRA_CA_CERTS',
  'SSL_CERT_FILE',
  'SSL_CERT_DIR',
  'RUNNER_TRACKING_ID',
  'RUNNER_TEMP',
];

export interface CleanProcessOptions {
  /** RUNNER_TEMP, a directory of this job. It gets the file. */
  readonly directory: string;
  /** Reports why the process keeps its environment. */
  debug(message: string): void;
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
  const file = writeEnvironmentFile(options.directory);
  try {
    withoutWarnings(() => execve(process.execPath, commandLine(), minimalEnvironment(file)));
  } catch (error) {
    removeEnvironmentFile(file);
    options.debug(`Other processes can read the environment of this process: ${String(error)}`);
  }
}

/**
 * Call this first in the program. Restores the variables that `restartWithCleanEnvironment` stored and returns
 * `true`; `false` in a process that was not restarted. Throws if the variables cannot be read.
 */
export function restoreEnvironment(): boolean {
  const file = process.env[environmentFileVariable];
  delete process.env[environmentFileVariable];
  if (file === undefined || !isEnvironmentFile(file)) return false;
  try {
    const variables = JSON.parse(readFileSync(file, 'utf8')) as Readonly<Record<string, string>>;
    Object.assign(process.env, variables);
  } catch (error) {
    throw new Error(`\`${file}\`: the environment variables of the job cannot be read. Re-run the job.`, {
      cause: error,
    });
  } finally {
    removeEnvironmentFile(file);
  }
  isRestored = true;
  return true;
}

function writeEnvironmentFile(parent: string): string {
  // mkdtemp creates the folder with mode 0700.
  const file = join(mkdtempSync(join(parent, folderPrefix)), fileName);
  writeFileSync(file, JSON.stringify(process.env), { mode: 0o600, flag: 'wx' });
  return file;
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
  try {
    rmdirSync(dirname(file));
  } catch {
    // The folder is missing, or not empty and therefore not only ours.
  }
}

function commandLine(): readonly string[] {
  return [process.execPath, ...process.execArgv, ...process.argv.slice(1)];
}

function minimalEnvironment(file: string): Record<string, string> {
  const environment: Record<string, string> = { [environmentFileVariable]: file };
  for (const name of startupVariables) {
    const value = process.env[name];
    if (value !== undefined) environment[name] = value;
  }
  return environment;
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
