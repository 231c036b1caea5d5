/**
 * The command `gump-action` for people who write workflows. It takes the place of a runner: it starts `main` and
 * `post` of the action on this machine, with the state in a directory of the worktree.
 */
import { randomBytes } from 'node:crypto';
import { mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { UserError } from '../failure.js';
import { defined } from '../optional-keys.js';
import type { Environment } from '../system/environment.js';
import { userHome } from '../system/user-home.js';
import { type LocalCommand, readArguments, usage } from './arguments.js';
import { commandFilesIn, type LocalJob, localEnvironment } from './local-job.js';
import { readPairs, showEnd } from './run-end.js';
import { catchInterrupts, type Interrupts, runPhase, show, signalExitCodes } from './run-phase.js';
import { beginRun, endRun, keptFiles, openStateFolder, type StateFolder } from './state-folder.js';
import { createTranslator, type LineKind } from './terminal-log.js';
import { findWorktree, type LocalWorktree } from './worktree.js';

export interface LocalCall {
  readonly args: readonly string[];
  readonly environment: Environment;
  readonly directory: string;
  readonly platform: NodeJS.Platform;
  /** The folder of the built action. */
  readonly dist: string;
}

const usageExitCode = 2;

/** Resolves with the exit code. */
export async function localMain(call: LocalCall): Promise<number> {
  let command: LocalCommand | 'help';
  try {
    if (call.platform === 'win32')
      throw new UserError('gump-action does not run on Windows. Use Linux, macOS or WSL.');
    command = readArguments(call.args);
  } catch (error) {
    return reportLocalError(error, usageExitCode);
  }
  if (command === 'help') {
    process.stdout.write(usage);
    return 0;
  }
  try {
    return await runCommand(call, command, findWorktree(call.directory));
  } catch (error) {
    return reportLocalError(error, 1);
  }
}

function reportLocalError(error: unknown, exitCode: number): number {
  if (!(error instanceof UserError)) throw error;
  show('error', `Error: ${error.message}`);
  return exitCode;
}

async function runCommand(call: LocalCall, command: LocalCommand, worktree: LocalWorktree): Promise<number> {
  const folder =
    command.name === 'run' ? await openStateFolder(call.directory, command, worktree.ref) : undefined;
  const run = folder === undefined ? undefined : beginRun(folder, command.isFresh);
  const temp = realpathSync(mkdtempSync(join(tmpdir(), 'gump-local-')));
  try {
    const job: LocalJob = {
      ...worktree,
      command,
      temp,
      environment: call.environment,
      platform: call.platform,
      runId: run?.runId ?? '1',
      jobAttempt: run?.jobAttempt ?? 1,
      toolCache: toolCacheOf(call.environment),
      token: randomBytes(32).toString('hex'),
      ...defined({ storage: folder && { directory: folder.checkpoints, key: folder.key } }),
    };
    return await runJob(call, job, folder);
  } finally {
    rmSync(temp, { recursive: true, force: true });
  }
}

async function runJob(call: LocalCall, job: LocalJob, folder: StateFolder | undefined): Promise<number> {
  const files = commandFilesIn(job.temp);
  for (const file of Object.values(files)) writeFileSync(file, '', { mode: 0o600 });
  const environment = localEnvironment(job);
  const interrupts = catchInterrupts();
  const phase = createPhase(call, job, interrupts, folder);
  const code = await phase('index.js', environment);
  const state = readPairs(files.state);
  const { status } = readPairs(files.output);
  if (state.gump !== undefined) {
    const jobStatus = interrupts.first !== undefined ? 'cancelled' : code === 0 ? 'success' : 'failure';
    const ofPost = { STATE_gump: state.gump, 'INPUT_JOB-STATUS': jobStatus };
    await phase('post.js', { ...environment, ...ofPost });
  }
  if (folder !== undefined) {
    endRun(folder, state.gump, status === 'passed');
    showEnd(folder, { status, isStored: folder.hasCheckpoint() });
  } else if (job.command.name === 'check' && code === 0) show('text', `✓ ${job.command.workflow}: no errors`);
  return interrupts.first !== undefined && code !== 0 ? signalExitCodes[interrupts.first] : code;
}

function createPhase(call: LocalCall, job: LocalJob, interrupts: Interrupts, folder?: StateFolder) {
  const isInJob = call.environment.GITHUB_ACTIONS === 'true';
  // The files of the run move from the private directory of the action to a place that stays.
  const moved = new RegExp(
    `${escapeRegExp(job.temp)}/gump-\\w{6}/(?=${keptFiles.map(escapeRegExp).join('|')})`,
    'g',
  );
  const place = folder === undefined ? undefined : `${relative(call.directory, folder.directory)}/`;
  const isShown = (kind: LineKind) => job.command.name !== 'check' || kind === 'error' || kind === 'warning';
  return (script: string, environment: Readonly<Record<string, string>>) => {
    // `main` may have been killed while the log accepted no commands.
    const translate = createTranslator({ isInJob });
    return runPhase({
      script: join(call.dist, script),
      directory: job.root,
      environment,
      interrupts,
      isShown,
      translate: (line) => translate(place === undefined ? line : line.replace(moved, place)),
    });
  };
}

function escapeRegExp(text: string): string {
  return text.replaceAll(/[^\w/-]/g, '\\$&');
}

/** CLIs that the action installs stay for the next run. */
function toolCacheOf(environment: Environment): string {
  const { RUNNER_TOOL_CACHE, XDG_CACHE_HOME } = environment;
  return RUNNER_TOOL_CACHE || join(XDG_CACHE_HOME || join(userHome(environment), '.cache'), 'gump-action');
}
