/** Checks that an installed program starts. */
import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { UserError } from '../failure.js';
import { defined } from '../optional-keys.js';
import type { ProcessExit, ProcessRunner } from '../system/process.js';
import { stripAnsi } from '../system/strip-ansi.js';
import { type Executable, executableAt } from './executable.js';
import type { ToolCacheEntry } from './tool-cache.js';

export interface ProgramCheck {
  readonly cacheEntry: ToolCacheEntry;
  readonly processes: ProcessRunner;
  /** The environment of a gate of this job. */
  readonly gateEnvironment: Readonly<Record<string, string>>;
  readonly signal?: AbortSignal;
}

/** npm itself waits long if a registry does not answer. */
const timeoutMs = 10 * 60 * 1000;

/**
 * Starts the program in `folder`, so that a missing C library or a broken install script is reported before an agent
 * runs. Returns `false` if that was cancelled.
 */
export async function verifyProgram(check: ProgramCheck, folder: string): Promise<boolean> {
  const home = join(folder, 'home');
  await mkdir(home);
  const program = executableAt(join(folder, check.cacheEntry.program));
  const env = { ...check.gateEnvironment, HOME: home };
  const exit = await runInstalled(check, folder, program, ['--version'], env);
  await rm(home, { recursive: true, force: true });
  if (exit.reason === 'cancelled') return false;
  if (exit.reason === 'exited' && exit.code === 0) return true;
  const output = stripAnsi(exit.stderrTail).trim().slice(0, 400);
  throw new UserError(
    `it does not start on this machine. Use another runner. Output of the program: ${output === '' ? 'none' : output}`,
  );
}

/** Runs a program of the installation in `directory`. */
export function runInstalled(
  { processes, signal }: Pick<ProgramCheck, 'processes' | 'signal'>,
  directory: string,
  { file, leadingArgs }: Executable,
  args: readonly string[],
  env: Readonly<Record<string, string>>,
): Promise<ProcessExit> {
  return processes.run({
    file,
    args: [...leadingArgs, ...args],
    directory,
    env,
    timeoutMs,
    graceMs: 1000,
    ...defined({ signal }),
  });
}
