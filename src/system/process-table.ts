/** Reads Linux's process table. Everything is absent for a program that has ended, or that this user may not read. */
import { closeSync, openSync, readdirSync, readFileSync, readSync, statSync } from 'node:fs';

export interface ProcessEntry {
  /** `Z` and `X`: it has ended and is still listed. */
  readonly state: string;
  readonly parent: number;
  readonly group: number;
  /** Ticks since the start of the machine. */
  readonly startedAt: number;
}

/** The ids of all programs; empty on systems other than Linux. */
export function listProcessIds(): readonly number[] {
  if (process.platform !== 'linux') return [];
  return readdirSync('/proc').flatMap((name) => (/^\d+$/.test(name) ? [Number(name)] : []));
}

export function readProcess(id: number | 'self'): ProcessEntry | undefined {
  const text = readProcessFile(id, 'stat');
  if (text === undefined) return undefined;
  // Format: `pid (name) state parent group …` (proc_pid_stat(5)). The name may contain any character, including `)`.
  const [state = '', parent, group, ...rest] = text.slice(text.lastIndexOf(')') + 2).split(' ');
  return { state, parent: Number(parent), group: Number(group), startedAt: Number(rest[16]) };
}

export function hasEnded({ state }: ProcessEntry): boolean {
  return state === 'Z' || state === 'X';
}

/** The hard limit on file locks; `Infinity` if there is none. */
export function readLockLimit(id: number | 'self'): number | undefined {
  const value = readProcessFile(id, 'limits')?.match(/^Max file locks +\S+ +(\S+)/m)?.[1];
  return value === 'unlimited' ? Infinity : value === undefined ? undefined : Number(value);
}

/** The variables that the program started with; empty while it is being replaced by another program. */
export function readProcessVariables(id: number): Buffer | undefined {
  try {
    return readFileSync(`/proc/${id}/environ`);
  } catch {
    return undefined;
  }
}

/** The id of the user who runs it. */
export function readUser(id: number): number | undefined {
  return statSync(`/proc/${id}`, { throwIfNoEntry: false })?.uid;
}

/** The control groups that it is in, as the system lists them. */
export function readControlGroup(id: number | 'self'): string | undefined {
  return readProcessFile(id, 'cgroup');
}

const buffer = Buffer.alloc(16 * 1024);

/** With one read, because these files are small and are read for every program of the machine. */
function readProcessFile(id: number | 'self', name: 'stat' | 'limits' | 'cgroup'): string | undefined {
  let file: number | undefined;
  try {
    file = openSync(`/proc/${id}/${name}`, 'r');
    return buffer.toString('latin1', 0, readSync(file, buffer, 0, buffer.length, 0));
  } catch {
    return undefined;
  } finally {
    if (file !== undefined) closeSync(file);
  }
}
