/**
 * The state of local runs below `.gump/state` of the directory in which the command was started:
 *
 *     .gitignore          with `*`, so that nothing here appears in `git status` or in the changes of a run
 *     state.key           seals the checkpoints
 *     NAME-HASH/run.json  the run that the next call continues
 *     NAME-HASH/checkpoints, report.json, changes.patch, results
 */
import { createHash, randomInt } from 'node:crypto';
import {
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { basename, join } from 'node:path';
import { readOrCreateDirectoryKey } from '../checkpoint/directory-key.js';
import { UserError } from '../failure.js';
import { identifyProcess, isSameProcess } from '../system/process-identity.js';
import type { LocalCommand } from './arguments.js';

export interface StateFolder {
  readonly directory: string;
  readonly checkpoints: string;
  readonly key: string;
  /** Whether there is something that a further run can continue. */
  hasCheckpoint(): boolean;
}

/** The run that `run.json` names. */
export interface LocalRun {
  readonly version: 1;
  readonly runId: string;
  readonly jobAttempt: number;
  /** The process of the command that is at work, or that was when the machine went down. */
  readonly process: { readonly pid: number; readonly startTime?: string };
}

/** The files of a run that stay when it has ended. */
export const keptFiles = ['report.json', 'changes.patch', 'results'] as const;

/** Creates the folder of the state of this workflow. Another spec, other variables or another branch have their own. */
export async function openStateFolder(
  directory: string,
  { workflow, spec, specFile, vars }: LocalCommand,
  ref: string,
): Promise<StateFolder> {
  const top = join(directory, '.gump', 'state');
  try {
    mkdirSync(top, { recursive: true, mode: 0o700 });
    writeFileSync(join(top, '.gitignore'), '*\n');
  } catch (error) {
    throw new UserError(
      `\`${top}\` cannot be created (${error instanceof Error ? error.message : String(error)}). Check its owner and the space on the disk.`,
    );
  }
  const source = JSON.stringify([workflow, spec, specFile, Object.entries(vars).sort(), ref]);
  const hash = createHash('sha256').update(source).digest('hex').slice(0, 10);
  const name = basename(workflow)
    .replace(/\.ya?ml$/, '')
    .replace(/[^\w-]/g, '-');
  const own = join(top, `${name}-${hash}`);
  mkdirSync(own, { recursive: true, mode: 0o700 });
  const checkpoints = join(own, 'checkpoints');
  return {
    directory: own,
    checkpoints,
    key: await readOrCreateDirectoryKey(top),
    // Without one, there is nothing to continue, for example because the workflow had an error.
    hasCheckpoint: () =>
      existsSync(checkpoints) && readdirSync(checkpoints).some((name) => name.startsWith('gump-')),
  };
}

/**
 * The next job attempt of the run that the folder holds, or a new run if it holds none.
 *
 * @throws UserError if that run is still at work.
 */
export function beginRun(folder: StateFolder, isFresh: boolean): LocalRun {
  const before = readRun(folder);
  if (before !== undefined && isAtWork(before.process))
    throw new UserError(
      `This run is still at work in process ${before.process.pid}. Wait for its end, or end it with Ctrl-C.`,
    );
  const isContinued = before !== undefined && !isFresh && folder.hasCheckpoint();
  if (!isContinued) rmSync(folder.checkpoints, { recursive: true, force: true });
  const run: LocalRun = {
    version: 1,
    runId: isContinued ? before.runId : String(randomInt(1e9, 1e12)),
    jobAttempt: isContinued ? before.jobAttempt + 1 : 1,
    process: identifyProcess(process.pid) ?? { pid: process.pid },
  };
  const file = join(folder.directory, 'run.json');
  writeFileSync(`${file}.new`, `${JSON.stringify(run)}\n`, { mode: 0o600 });
  renameSync(`${file}.new`, file);
  return run;
}

/** Keeps what the run made. A run that is over leaves no state: the next one starts fresh. */
export function endRun(folder: StateFolder, privateDirectory: string | undefined, isOver: boolean): void {
  for (const name of keptFiles) {
    const [from, to] = [join(privateDirectory ?? '', name), join(folder.directory, name)];
    if (privateDirectory === undefined || !existsSync(from)) continue;
    rmSync(to, { recursive: true, force: true });
    cpSync(from, to, { recursive: true, verbatimSymlinks: true });
  }
  if (!isOver) return;
  rmSync(join(folder.directory, 'run.json'), { force: true });
  rmSync(folder.checkpoints, { recursive: true, force: true });
}

function readRun({ directory }: StateFolder): LocalRun | undefined {
  try {
    const run = JSON.parse(readFileSync(join(directory, 'run.json'), 'utf8')) as LocalRun;
    return run.version === 1 && /^\d+$/.test(run.runId) && Number.isInteger(run.jobAttempt) ? run : undefined;
  } catch {
    return undefined;
  }
}

function isAtWork({ pid, startTime }: LocalRun['process']): boolean {
  if (startTime !== undefined) return isSameProcess({ pid, startTime });
  try {
    return pid !== process.pid && process.kill(pid, 0);
  } catch {
    return false;
  }
}
