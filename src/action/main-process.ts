/**
 * Lets `post` end a `main` that is still at work. In a container job, the runner starts both with `docker exec`,
 * which passes no signal on: when the job is cancelled, the runner ends the client, `main` lives on, and `post`
 * starts next to it (actions/runner, `StepHost.cs`).
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { systemClock } from '../system/clock.js';
import {
  hasArgument,
  identifyProcess,
  isSameProcess,
  type ProcessIdentity,
} from '../system/process-identity.js';

const fileName = 'main-process.json';

/** `main` gets this time after SIGTERM to end its agents and to store its state, in milliseconds. */
const graceMs = 15_000;

/** Call this in `main` before anything can start. */
export function noteMainProcess(directory: string): void {
  const identity = identifyProcess(process.pid);
  if (directory !== '' && identity !== undefined)
    writeFileSync(join(directory, fileName), JSON.stringify(identity), { mode: 0o600 });
}

/**
 * Call this first in `post`. Resolves with `true` if `main` was still running. Anybody who can write to the file can
 * name another process, so only one that runs `main` of this same action counts.
 */
export async function endMainProcess(directory: string, script: string): Promise<boolean> {
  const main = readIdentity(directory);
  if (main === undefined || main.pid === process.pid || !isSameProcess(main)) return false;
  if (!hasArgument(main.pid, join(dirname(script), 'index.js'))) return false;
  signal(main, 'SIGTERM');
  if (!(await endsWithin(main, graceMs))) {
    signal(main, 'SIGKILL');
    await endsWithin(main, 1000);
  }
  return true;
}

function readIdentity(directory: string): ProcessIdentity | undefined {
  try {
    const { pid, startTime } = JSON.parse(readFileSync(join(directory, fileName), 'utf8'));
    return Number.isInteger(pid) && pid > 1 ? { pid, startTime } : undefined;
  } catch {
    return undefined;
  }
}

function signal(main: ProcessIdentity, name: NodeJS.Signals): void {
  try {
    if (isSameProcess(main)) process.kill(main.pid, name);
  } catch {
    // It ended in the meantime.
  }
}

async function endsWithin(main: ProcessIdentity, ms: number): Promise<boolean> {
  const until = systemClock.now() + ms;
  while (isSameProcess(main)) {
    if (systemClock.now() >= until) return false;
    await systemClock.sleep(50);
  }
  return true;
}
