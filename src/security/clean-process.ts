/**
 * Takes the job's variables out of the block of memory where every process of the same user can read them
 * (`/proc/<pid>/environ`): the process replaces itself by the same program with next to no environment, and
 * the new one takes the variables from a private file into `process.env`, which lives on its heap.
 *
 * This makes the cheapest way to the secrets fail, no more: whoever runs as the same user may still look into
 * the memory itself where the machine allows it.
 *
 * C1 The file is readable by its owner alone and is gone before the new process does anything else.
 *    Only a file that can be of this making is read: a variable may come from anywhere.
 * C2 Process id, standard streams and arguments stay; handlers of signals have to be set up again.
 *
 * This file imports nothing of ours that is more than a type, so that it can be the first thing that runs.
 */
import { lstatSync, mkdtempSync, readFileSync, rmdirSync, rmSync, writeFileSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';

/** Names the file for the new process; set for nobody else. */
const environmentFileVariable = 'GUMP_ACTION_ENVIRONMENT_FILE';

const folderPrefix = 'gump-start-';
const fileName = 'environment.json';

/**
 * What a program needs before it can read a file: where programs, libraries and certificates are, and the
 * options of Node, which it reads only at its start. RUNNER_TRACKING_ID is how the runner finds what a job
 * left behind (actions/runner, `JobExtension`); below RUNNER_TEMP lies the file.
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

/** What cleaning needs to know. */
export interface CleanProcessOptions {
  /** A directory of this job, for the file: RUNNER_TEMP. */
  readonly directory: string;
  /** Told why, where the process stays as it is. */
  debug(message: string): void;
}

let isRestored = false;

/**
 * Starts this program again in this very process, with a minimal environment; does not return. Returns only
 * where that was done already or cannot be done (Windows, a Node without `execve`); then nothing has changed.
 * To be called before anything was printed or started that must not happen twice.
 */
export function restartWithCleanEnvironment(options: CleanProcessOptions): void {
  if (isRestored) return;
  const execve = process.execve?.bind(process);
  if (execve === undefined || process.platform === 'win32') {
    options.debug('The environment of this process stays readable: this Node cannot replace its process.');
    return;
  }
  const file = writeEnvironmentFile(options.directory);
  try {
    withoutWarnings(() => execve(process.execPath, commandLine(), minimalEnvironment(file)));
  } catch (error) {
    removeEnvironmentFile(file);
    options.debug(`The environment of this process stays readable: ${String(error)}`);
  }
}

/**
 * To be called first of all in the program. Takes over the variables that `cleanProcess` handed on and
 * returns true; false in a process that was started in the usual way. Throws when they cannot be read.
 */
export function restoreEnvironment(): boolean {
  const file = process.env[environmentFileVariable];
  delete process.env[environmentFileVariable];
  if (file === undefined || !isEnvironmentFile(file)) return false;
  try {
    const variables = JSON.parse(readFileSync(file, 'utf8')) as Readonly<Record<string, string>>;
    Object.assign(process.env, variables);
  } catch (error) {
    throw new Error(`The job's variables cannot be read from ${file}; re-run the job`, { cause: error });
  } finally {
    removeEnvironmentFile(file);
  }
  isRestored = true;
  return true;
}

function writeEnvironmentFile(parent: string): string {
  // mkdtemp makes the directory with mode 0700.
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
  // Gone: reading it says so, for without it this process has next to no variables.
  if (inner === undefined) return true;
  return inner.isFile() && inner.uid === uid && (inner.mode & 0o777) === 0o600;
}

function removeEnvironmentFile(file: string): void {
  rmSync(file, { force: true });
  try {
    rmdirSync(dirname(file));
  } catch {
    // Not empty or not there: not ours to remove.
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

/** `execve` calls itself experimental (Node 24), on the standard error that people read. */
function withoutWarnings(run: () => void): void {
  const emitWarning = process.emitWarning;
  process.emitWarning = () => undefined;
  try {
    run();
  } finally {
    process.emitWarning = emitWarning;
  }
}
