/**
 * What both phases do before the action itself is loaded. Compiling it takes longer than everything here, and would
 * happen twice, because the process replaces itself (`clean-process.ts`). An old Node cannot even read it.
 */
import { lstatSync } from 'node:fs';
import { basename, dirname, resolve } from 'node:path';
import type { Environment } from './system/environment.js';

/** Name of the state that `main` saves for `post`; the runner passes it as `STATE_gump`. */
export const stateKey = 'gump';

/** The libraries of the action need it: `zlib` got Zstandard in this version. */
const oldestNode = [22, 15] as const;

/** Why the action cannot run here, as a sentence. `undefined` if it can. */
export function startProblem(version: string, environment: Environment): string | undefined {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  const isOld = major < oldestNode[0] || (major === oldestNode[0] && minor < oldestNode[1]);
  if (isOld)
    return `gump-action needs Node 24, and this is Node ${version}. Run this action as a step of a GitHub Actions job, whose runner contains Node 24, or install Node 24 for your runner.`;
  const { GITHUB_ACTIONS, GITHUB_RUN_ID, RUNNER_TEMP } = environment;
  if (GITHUB_ACTIONS || GITHUB_RUN_ID || RUNNER_TEMP) return undefined;
  return 'gump-action was started outside of a GitHub Actions runner: GITHUB_ACTIONS, GITHUB_RUN_ID and RUNNER_TEMP are not set. Run this action as a step of a GitHub Actions job.';
}

/**
 * Whether this process is `post`. `script`: the file that was started (`post.ts`). If one file with another name is
 * started for both phases, the saved state decides. The state counts only if `main` can have written it, because
 * anybody can set a variable.
 */
export function isPost(environment: Environment, script: string | undefined): boolean {
  const name = basename(script ?? '');
  if (name === 'post.js' || name === 'index.js') return name === 'post.js';
  return isPrivateDirectory(environment[`STATE_${stateKey}`], environment.RUNNER_TEMP);
}

function isPrivateDirectory(directory: string | undefined, temp: string | undefined): boolean {
  if (!directory || !temp) return false;
  if (resolve(dirname(directory)) !== resolve(temp) || !basename(directory).startsWith('gump-')) return false;
  const found = lstatSync(directory, { throwIfNoEntry: false });
  return found?.isDirectory() === true && found.uid === process.getuid?.();
}

/** The workflow name is user text: other characters become `?`, so that it cannot become a workflow command. */
export function printRunLine(environment: Environment): void {
  const workflow = (environment.INPUT_WORKFLOW ?? '').replace(/[^\w./-]/g, '?');
  process.stdout.write(
    `gump-action: workflow ${workflow}, run ${environment.GITHUB_RUN_ID}, job attempt ${environment.GITHUB_RUN_ATTEMPT}\n`,
  );
}

/** Aborted by the first SIGINT or SIGTERM. The runner sends both, some seconds apart. */
export function createCancelSignal(): AbortSignal {
  const controller = new AbortController();
  for (const name of ['SIGINT', 'SIGTERM'] as const) process.on(name, () => controller.abort());
  return controller.signal;
}

/**
 * Prints an error that nothing catches with its stack only. Node would also print the source line, which is more
 * than a megabyte in the minified `dist/`.
 */
export function reportUncaughtErrors(): void {
  process.on('uncaughtException', (error: unknown) => {
    process.stderr.write(`${error instanceof Error ? error.stack : String(error)}\n`);
    process.exit(1);
  });
}
