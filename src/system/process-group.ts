/**
 * A process group: a program started as its leader and all it started, as far as that did not leave for a
 * session of its own. Ids stay reserved while any member lives, so the group can be signalled after its
 * leader has ended.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { systemClock } from './clock.js';

/** Groups that must not outlive this process. Detached programs get no signal when their parent ends. */
const watchedGroups = new Set<number>();

function killAll(): void {
  for (const id of watchedGroups) signalGroup(id, 'SIGKILL');
}

/** From now on the group is killed when this process exits. Returns the function that ends this. */
export function watchGroup(id: number): () => void {
  if (watchedGroups.size === 0) process.once('exit', killAll);
  watchedGroups.add(id);
  return () => {
    watchedGroups.delete(id);
    if (watchedGroups.size === 0) process.off('exit', killAll);
  };
}

/** Sends a signal to every member; nothing happens where there is none that we may signal. */
export function signalGroup(id: number, signal: NodeJS.Signals): void {
  try {
    process.kill(-id, signal);
  } catch {
    // ESRCH: nobody left. EPERM: another user's programs, or (macOS) only members that nobody waited for.
  }
}

/** Whether a member runs that we could signal. */
export function isGroupAlive(id: number): boolean {
  try {
    process.kill(-id, 0);
  } catch {
    return false;
  }
  return process.platform !== 'linux' || hasRunningMember(id);
}

/**
 * Waits until the group is gone; what is left at `deadline` (as `Date.now()`, asked again and again) gets SIGKILL and a moment to
 * be taken down. A program that hangs in the kernel may stay longer than that.
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
 * Signal 0 also reaches members that have ended and that nobody waits for. In a job container without an
 * init they stay for ever (GitHub starts it with `tail -f /dev/null` as process 1), so the table is asked.
 */
function hasRunningMember(id: number): boolean {
  return readdirSync('/proc').some((name) => /^\d+$/.test(name) && isRunningMember(name, id));
}

export function isRunningMember(pid: string, group: number): boolean {
  try {
    // `pid (name) state parent group …`; the name may hold anything, also `)`.
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
    const [state, , memberOf] = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return Number(memberOf) === group && state !== 'Z' && state !== 'X';
  } catch {
    return false;
  }
}
