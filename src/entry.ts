/** Starts the phase that the runner calls, and turns what the phase throws into an exit code. */
import { lstatSync, mkdtempSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import { stepFilesOf } from './security/step-files.js';
import type { Environment } from './system/environment.js';

/** Name of the state that `main` saves for `post`; the runner passes it as `STATE_gump`. */
const stateKey = 'gump';

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

export async function runMain(): Promise<void> {
  const environment = { ...process.env };
  const signal = createCancelSignal();
  const privateDirectory = makePrivateDirectory(environment);
  await runPhase(environment, privateDirectory, async () => {
    const { noteMainProcess } = await import(/* webpackMode: "eager" */ './action/main-process.js');
    noteMainProcess(privateDirectory);
    const { createActionContext } = await import(/* webpackMode: "eager" */ './action/action-context.js');
    const { main } = await import(/* webpackMode: "eager" */ './action/main.js');
    return main(createActionContext(environment), privateDirectory, signal);
  });
}

export async function runPost(): Promise<void> {
  const environment = { ...process.env };
  const directory = environment[`STATE_${stateKey}`] ?? '';
  // First, because it empties what a process that `main` left has already written.
  stepFilesOf(environment);
  await runPhase(environment, directory, async () => {
    const { endMainProcess } = await import(/* webpackMode: "eager" */ './action/main-process.js');
    if (await endMainProcess(directory, process.argv[1] ?? ''))
      process.stdout.write('The job ended while the run was still at work. Ended the run.\n');
    const { hasPostState } = await import(/* webpackMode: "eager" */ './action/post-state.js');
    // Nothing ran: `main` has reported why, and there is nothing for `post` to do.
    if (!hasPostState(directory)) return 0;
    const { createActionContext } = await import(/* webpackMode: "eager" */ './action/action-context.js');
    const { post } = await import(/* webpackMode: "eager" */ './action/post-phase.js');
    await post(createActionContext(environment), directory);
    return 0;
  });
}

/** Created and saved as state before anything can fail, so that `post` recognizes itself. */
function makePrivateDirectory(environment: Environment): string {
  // Outside of a runner there is no directory. `readJob` reports the missing variables.
  if (!environment.RUNNER_TEMP) return '';
  const directory = mkdtempSync(join(environment.RUNNER_TEMP, 'gump-'));
  stepFilesOf(environment).saveState(stateKey, directory);
  return directory;
}

/** Aborted by the first SIGINT or SIGTERM. The runner sends both, some seconds apart. */
function createCancelSignal(): AbortSignal {
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

/** The last act before the runner reads the files. Only a process that the action could not end can have written to them. */
async function restoreStepFiles(environment: Environment): Promise<void> {
  const changed = stepFilesOf(environment).restoreAll();
  if (changed.length === 0) return;
  const { currentLog } = await import(/* webpackMode: "eager" */ './action/action-context.js');
  const { log } = currentLog();
  log.warning(
    `A process that is still running wrote to command files of the runner (${changed.map((path) => basename(path)).join(', ')}). The change was undone. Use a new runner for each job.`,
  );
  log.close();
}

/** Exits the process explicitly: handles that a library keeps open must not delay the job. */
async function runPhase(
  environment: Environment,
  directory: string,
  run: () => Promise<number>,
): Promise<never> {
  let code = 1;
  try {
    code = await run();
  } catch (error) {
    const { reportError } = await import(/* webpackMode: "eager" */ './action/report-error.js');
    reportError(error, environment, directory);
  }
  await restoreStepFiles(environment);
  await new Promise<void>((resolve) => process.stdout.write('', () => resolve()));
  process.exit(code);
}
