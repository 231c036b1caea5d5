/**
 * Finds programs that left their process group (`setsid`, daemons) by a mark in their environment. This works
 * only on Linux: programs inherit the environment, and a user can read `/proc/PID/environ` of their own programs.
 * A program that was started with an empty environment is not found.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { systemClock } from './clock.js';
import { isRunningMember } from './process-group.js';

/** An environment variable with a unique value. */
export interface ProcessMark {
  readonly name: string;
  readonly value: string;
}

/** The ids of this user's running programs with the mark; empty on systems other than Linux. */
export function findMarkedProcesses({ name, value }: ProcessMark): readonly number[] {
  if (process.platform !== 'linux') return [];
  const entry = Buffer.from(`${name}=${value}`);
  return readdirSync('/proc')
    .filter((id) => /^\d+$/.test(id) && Number(id) !== process.pid && hasMark(id, entry))
    .map(Number);
}

/** `false` also for programs of other users, which cannot be read, and for programs that have ended. */
function hasMark(id: string, entry: Buffer): boolean {
  try {
    return readFileSync(`/proc/${id}/environ`).includes(entry);
  } catch {
    return false;
  }
}

/** Skips members of `group`, which already got the signal, because some programs abort at a second one. */
export function signalMarkedProcesses(mark: ProcessMark, signal: NodeJS.Signals, group?: number): void {
  for (const id of findMarkedProcesses(mark)) {
    if (group !== undefined && isRunningMember(String(id), group)) continue;
    try {
      process.kill(id, signal);
    } catch {
      // It has already ended.
    }
  }
}

/** While a program replaces itself (`exec`), its environment is not readable for a moment, so one empty scan is not enough. */
const requiredEmptyScans = 3;

/**
 * Waits until no marked program is left. From `deadline` on, for one second, the rest gets SIGKILL repeatedly.
 * `deadline` is like `Date.now()` and is called repeatedly, because it may become earlier.
 */
export async function endMarkedProcesses(mark: ProcessMark, deadline: () => number): Promise<void> {
  const startedAt = systemClock.now();
  const last = () => Math.max(deadline(), startedAt) + 1000;
  for (let none = 0; none < requiredEmptyScans && systemClock.now() < last(); ) {
    none = findMarkedProcesses(mark).length === 0 ? none + 1 : 0;
    if (systemClock.now() >= deadline()) signalMarkedProcesses(mark, 'SIGKILL');
    if (none < requiredEmptyScans) await systemClock.sleep(30);
  }
}

/** Ends what a program left running: SIGTERM first, SIGKILL after half a second. */
export async function endLeftovers(mark: ProcessMark): Promise<void> {
  signalMarkedProcesses(mark, 'SIGTERM');
  const deadline = systemClock.now() + 500;
  await endMarkedProcesses(mark, () => deadline);
}
