/**
 * Runs a phase of the action, and turns what it throws into an exit code. `index.ts` and `resume-runs.ts` load this file
 * on demand.
 */
import { mkdtempSync } from 'node:fs';
import { basename, join } from 'node:path';
import { UserError } from './failure.js';
import { restoreMainEnvironment, saveMainEnvironment } from './security/main-environment.js';
import { stepFilesOf } from './security/step-files.js';
import { stateKey } from './start.js';
import type { Environment } from './system/environment.js';

/** `signal`: aborted if the job is cancelled. */
export async function runMain(environment: Environment, signal: AbortSignal): Promise<void> {
  await runPhase(environment, async (use) => {
    const privateDirectory = use(makePrivateDirectory(environment));
    const { noteMainProcess } = await import(/* webpackMode: "eager" */ './action/main-process.js');
    noteMainProcess(privateDirectory);
    if (privateDirectory !== '') saveMainEnvironment(privateDirectory, environment);
    const { createActionContext } = await import(/* webpackMode: "eager" */ './action/action-context.js');
    const { main } = await import(/* webpackMode: "eager" */ './action/main.js');
    return main(createActionContext(environment), privateDirectory, signal);
  });
}

export async function runPost(environment: Environment): Promise<void> {
  const directory = environment[`STATE_${stateKey}`] ?? '';
  // First, because it empties what a process that `main` left has already written.
  stepFilesOf(environment);
  await runPhase(environment, async (use) => {
    use(directory);
    const { endMainProcess } = await import(/* webpackMode: "eager" */ './action/main-process.js');
    if (await endMainProcess(directory, process.argv[1] ?? ''))
      process.stdout.write('The job ended while the run was still at work. Ended the run.\n');
    const { hasPostState } = await import(/* webpackMode: "eager" */ './action/post-state.js');
    // Nothing ran: `main` has reported why, and there is nothing for `post` to do.
    if (!hasPostState(directory)) return 0;
    const { createActionContext } = await import(/* webpackMode: "eager" */ './action/action-context.js');
    const { post } = await import(/* webpackMode: "eager" */ './action/post-phase.js');
    const actionContext = orUserError(() =>
      createActionContext(restoreMainEnvironment(directory, environment)),
    );
    // `main` had valid inputs, so these are not its own. A job that passed must not fail because of that.
    if (actionContext instanceof UserError) process.stdout.write(`::warning::${foreignInputsText}\n`);
    else await post(actionContext, directory);
    return 0;
  });
}

/** The action in `resume/`. */
export async function runResume(environment: Environment): Promise<never> {
  const { resumeMain } = await import(/* webpackMode: "eager" */ './resume-runs/resume-main.js');
  return exitWith(await resumeMain(environment));
}

const foreignInputsText =
  'The runner gave the end of this job other inputs than its start, as in nested composite actions, and no cache token. The last state is not stored, and the session files of this run stay in the home of the runner user. Call this action from the workflow, or from one composite action.';

function orUserError<T>(read: () => T): T | UserError {
  try {
    return read();
  } catch (error) {
    if (error instanceof UserError) return error;
    throw error;
  }
}

/** Created and saved as state before anything can fail, so that `post` finds it. */
function makePrivateDirectory(environment: Environment): string {
  // Outside of a runner there is no directory. `readJob` reports the missing variables.
  if (!environment.RUNNER_TEMP) return '';
  const directory = createDirectory(environment.RUNNER_TEMP);
  try {
    if (environment.GITHUB_STATE) stepFilesOf(environment).saveState(stateKey, directory);
  } catch (error) {
    process.stdout.write(
      `::warning::The state for the end of the job could not be saved (${messageOf(error)}). The session files of this run stay in the home of the runner user, and a killed run cannot store its last state. Check what the runner user may write below RUNNER_TEMP.\n`,
    );
  }
  return directory;
}

function createDirectory(parent: string): string {
  try {
    return mkdtempSync(join(parent, 'gump-'));
  } catch (error) {
    throw new UserError(
      `RUNNER_TEMP: no directory can be created in \`${parent}\` (${messageOf(error)}). Check its owner and the space on the disk.`,
    );
  }
}

function messageOf(error: unknown): string {
  return (error instanceof Error ? error.message : String(error)).replace(/\s+/g, ' ');
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

/**
 * Exits the process explicitly: handles that a library keeps open must not delay the job. `run` passes the private
 * directory to `use` as soon as there is one.
 */
async function runPhase(
  environment: Environment,
  run: (use: (directory: string) => string) => Promise<number>,
): Promise<never> {
  let code = 1;
  let directory = '';
  try {
    code = await run((used) => {
      directory = used;
      return used;
    });
  } catch (error) {
    const { reportError } = await import(/* webpackMode: "eager" */ './action/report-error.js');
    reportError(error, environment, directory);
  }
  await restoreStepFiles(environment);
  return exitWith(code);
}

/** After everything that was printed has been passed on. */
async function exitWith(code: number): Promise<never> {
  await new Promise<void>((resolve) => process.stdout.write('', () => resolve()));
  process.exit(code);
}
