/**
 * A process group: a program, started as its leader, and everything it starts that does not create its own
 * group or session. The id stays reserved while any member runs, so the group can get signals after its leader
 * has ended.
 */
import { systemClock } from './clock.js';
import { hasEnded, listProcessIds, readProcess } from './process-table.js';

/** Groups that must end with this process. Detached programs get no signal when their parent ends. */
const watchedGroups = new Set<number>();

function killAll(): void {
  for (const id of watchedGroups) signalGroup(id, 'SIGKILL');
}

/** Kills the group if this process exits. Returns a function that stops this. */
export function watchGroup(id: number): () => void {
  if (watchedGroups.size === 0) process.once('exit', killAll);
  watchedGroups.add(id);
  return () => {
    watchedGroups.delete(id);
    if (watchedGroups.size === 0) process.off('exit', killAll);
  };
}

/** Sends a signal to every member. Does nothing if there is no member that this user may signal. */
export function signalGroup(id: number, signal: NodeJS.Signals): void {
  try {
    process.kill(-id, signal);
  } catch {
    // ESRCH: no member is left. EPERM: programs of another user, or (macOS) only zombies.
  }
}

/** Whether a member runs that this user may signal. */
export function isGroupAlive(id: number): boolean {
  try {
    process.kill(-id, 0);
  } catch {
    return false;
  }
  return process.platform !== 'linux' || hasRunningMember(id);
}

/**
 * Waits until the group has ended. At `deadline`, the rest gets SIGKILL and one more second to end; a program that
 * is blocked in the kernel may run longer. `deadline` is like `Date.now()` and is called repeatedly, because it may
 * become earlier.
 */
export async function endGroup(id: number, deadline: () => number): Promise<void> {
  if (await isGoneBy(id, deadline)) return;
  signalGroup(id, 'SIGKILL');
  const last = systemClock.now() + 1000;
  await isGoneBy(id, () => last);
}

async function isGoneBy(id: number, deadline: () => number): Promise<boolean> {
  for (let pause = 2; isGroupAlive(id); pause = Math.min(pause * 2, 50)) {
    if (systemClock.now() >= deadline()) return false;
    await systemClock.sleep(pause);
  }
  return true;
}

/**
 * Signal 0 also reaches zombies. In a job container without an init process they stay forever (GitHub starts it
 * with `tail -f /dev/null` as process 1), so this reads the state from the process table.
 */
function hasRunningMember(id: number): boolean {
  return listProcessIds().some((pid) => {
    const entry = readProcess(pid);
    return entry !== undefined && entry.group === id && !hasEnded(entry);
  });
}
