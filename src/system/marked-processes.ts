/**
 * Programs that left the process group they were started in (`setsid`, daemons). Only Linux lets them be found:
 * a program hands on the environment it was started with, and `/proc/PID/environ` of one's own programs can be
 * read. One that was started with an emptied environment is not found.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { systemClock } from './clock.js';
import { isRunningMember } from './process-group.js';

/** An environment variable whose value nobody else has. */
export interface ProcessMark {
  readonly name: string;
  readonly value: string;
}

/** Ids of the living programs of this user that carry the mark; none where the system does not tell. */
export function findMarkedProcesses({ name, value }: ProcessMark): readonly number[] {
  if (process.platform !== 'linux') return [];
  const entry = Buffer.from(`${name}=${value}`);
  return readdirSync('/proc')
    .filter((id) => /^\d+$/.test(id) && Number(id) !== process.pid && hasMark(id, entry))
    .map(Number);
}

/** Other users' programs cannot be read; of those that have ended nothing is left to read. */
function hasMark(id: string, entry: Buffer): boolean {
  try {
    return readFileSync(`/proc/${id}/environ`).includes(entry);
  } catch {
    return false;
  }
}

/** `group`: its members have the signal already; some programs take a second one as an order to drop everything. */
export function signalMarkedProcesses(mark: ProcessMark, signal: NodeJS.Signals, group?: number): void {
  for (const id of findMarkedProcesses(mark)) {
    if (group !== undefined && isRunningMember(String(id), group)) continue;
    try {
      process.kill(id, signal);
    } catch {
      // It has ended meanwhile.
    }
  }
}

/** A program that is just becoming another one shows no environment for a moment, so one look is not enough. */
const requiredEmptyScans = 3;

/** Waits until none is left; those that live at `deadline` (as `Date.now()`, asked again and again) get SIGKILL, again and again for a second. */
export async function endMarkedProcesses(mark: ProcessMark, deadline: () => number): Promise<void> {
  const begun = systemClock.now();
  const last = () => Math.max(deadline(), begun) + 1000;
  for (let none = 0; none < requiredEmptyScans && systemClock.now() < last(); ) {
    none = findMarkedProcesses(mark).length === 0 ? none + 1 : 0;
    if (systemClock.now() >= deadline()) signalMarkedProcesses(mark, 'SIGKILL');
    if (none < requiredEmptyScans) await systemClock.sleep(30);
  }
}

/** The same for a program that is over: what it left gets SIGTERM, and half a second. */
export async function endLeftovers(mark: ProcessMark): Promise<void> {
  signalMarkedProcesses(mark, 'SIGTERM');
  const deadline = systemClock.now() + 500;
  await endMarkedProcesses(mark, () => deadline);
}
