/**
 * Recognizes a process that was noted earlier: its id may belong to another process by now. Linux only, from
 * `/proc/PID/stat` (proc_pid_stat(5)): the start time stays the same when the process replaces itself (`execve`).
 */
import { readFileSync } from 'node:fs';

export interface ProcessIdentity {
  readonly pid: number;
  /** In ticks since the start of the machine. */
  readonly startTime: string;
}

/** `undefined` if the process has ended, and on systems other than Linux. */
export function identifyProcess(pid: number): ProcessIdentity | undefined {
  if (process.platform !== 'linux') return undefined;
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
    // The name, in parentheses, may contain any character. After it, `state` is field 3 and `starttime` field 22.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    const [state, startTime] = [fields[0], fields[19]];
    return startTime === undefined || state === 'Z' || state === 'X' ? undefined : { pid, startTime };
  } catch {
    return undefined;
  }
}

/** Whether the noted process still runs. */
export function isSameProcess({ pid, startTime }: ProcessIdentity): boolean {
  return identifyProcess(pid)?.startTime === startTime;
}

/** Whether the process was started with this argument, for example the path of a script. */
export function hasArgument(pid: number, argument: string): boolean {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0').includes(argument);
  } catch {
    return false;
  }
}
