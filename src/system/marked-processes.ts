/**
 * Finds programs that left their process group (`setsid`, daemons) by what they inherit. This works only on Linux.
 *
 * MARK1 A variable: it is missing in a program that was started with an empty environment.
 * MARK2 A limit (`inherited-limit.ts`): a program cannot remove it, but a program with CAP_SYS_RESOURCE can.
 * MARK3 A program that lowered the limit is found if it is an orphan, its tree started after this process, and
 *       nothing shows that it belongs to another job. `isAlone` requires this.
 */
import { systemClock } from './clock.js';
import { isInRange, isLoweredLimit, type LimitRange } from './inherited-limit.js';
import {
  hasEnded,
  listProcessIds,
  readControlGroup,
  readLockLimit,
  readProcess,
  readProcessVariables,
  readUser,
} from './process-table.js';

export interface ProcessMark {
  /** An environment variable, and its value or what the value begins with. */
  readonly name: string;
  readonly value: string;
  /** The limits on file locks that programs with the mark have. */
  readonly limits?: LimitRange;
  /** Also programs that are older than this process. */
  readonly isOfAnyAge?: boolean;
}

interface ProcessScan {
  readonly found: readonly number[];
  /** A listed program ended before it was read. It may have started another one that is not listed. */
  readonly isIncomplete: boolean;
}

/** The ids of this user's running programs with the mark; empty on systems other than Linux. */
export function findMarkedProcesses(mark: ProcessMark): readonly number[] {
  return scan(mark, false).found;
}

function scan(mark: ProcessMark, isAlone: boolean): ProcessScan {
  const own = { limit: readLockLimit('self') ?? 0, startedAt: readProcess('self')?.startedAt ?? 0 };
  const results = listProcessIds()
    .filter((id) => id !== process.pid)
    .map((id) => [id, isMarked(id, mark, own, isAlone)] as const);
  return {
    found: results.flatMap(([id, isMatch]) => (isMatch ? [id] : [])),
    isIncomplete: results.some(([, isMatch]) => isMatch === undefined),
  };
}

interface OwnProcess {
  readonly limit: number;
  readonly startedAt: number;
}

/** `undefined` if the program has ended in the meantime. */
function isMarked(id: number, mark: ProcessMark, own: OwnProcess, isAlone: boolean): boolean | undefined {
  const entry = readProcess(id);
  if (entry === undefined) return undefined;
  // Most programs of a machine are older, and need no further look.
  if (hasEnded(entry) || (entry.startedAt < own.startedAt && mark.isOfAnyAge !== true)) return false;
  const limit = mark.limits === undefined ? Infinity : readLockLimit(id);
  if (limit === undefined) return undefined;
  if (mark.limits !== undefined && isInRange(limit, mark.limits)) return true;
  if (readProcessVariables(id)?.includes(`${mark.name}=${mark.value}`)) return true;
  const isLowered = isLoweredLimit(limit) && limit < own.limit;
  return isAlone && isLowered && isOrphan(id, own) && !belongsToOthers(id, mark);
}

/** Whether the tree of the program is below process 1, or next to an ancestor of this process, and started after it. */
function isOrphan(id: number, own: OwnProcess): boolean {
  const above = ancestorsOf(process.pid);
  let top = readProcess(id);
  while (top !== undefined && top.parent > 1 && !above.has(top.parent)) {
    // What this process started itself is no orphan.
    if (top.parent === process.pid) return false;
    top = readProcess(top.parent);
  }
  return top !== undefined && top.parent > 0 && top.startedAt >= own.startedAt;
}

function ancestorsOf(id: number): ReadonlySet<number> {
  const above = new Set<number>();
  for (let parent = readProcess(id)?.parent; parent; parent = readProcess(parent)?.parent) above.add(parent);
  return above;
}

/**
 * Whether something shows that the program is not ours: another user, another control group (services and logins have
 * their own), the mark of another run, or the runner's own mark of another job (`RUNNER_TRACKING_ID`).
 */
function belongsToOthers(id: number, { name }: ProcessMark): boolean {
  if (readUser(id) !== process.getuid?.() || readControlGroup(id) !== readControlGroup('self')) return true;
  const variables = readProcessVariables(id)?.toString('latin1').split('\0') ?? [];
  const tracking = variables.find((one) => one.startsWith('RUNNER_TRACKING_ID='));
  const isOtherJob =
    tracking !== undefined && tracking !== `RUNNER_TRACKING_ID=${process.env.RUNNER_TRACKING_ID}`;
  return isOtherJob || variables.some((one) => one.startsWith(`${name}=`));
}

/** Skips members of `group`, which already got the signal, because some programs abort at a second one. */
export function signalMarkedProcesses(mark: ProcessMark, signal: NodeJS.Signals, group?: number): void {
  const found = findMarkedProcesses(mark);
  signalAll(group === undefined ? found : found.filter((id) => readProcess(id)?.group !== group), signal);
}

function signalAll(ids: readonly number[], signal: NodeJS.Signals): void {
  for (const id of ids) {
    try {
      process.kill(id, signal);
    } catch {
      // It has already ended, or belongs to another user.
    }
  }
}

/** While a program replaces itself (`exec`), its environment is not readable for a moment. Its limit always is. */
const requiredEmptyScans = { variable: 3, limit: 1 };
/** From SIGTERM to SIGKILL, in milliseconds. */
const leftoverGraceMs = 500;
/** Between two scans, in milliseconds. */
const pauseMs = 30;
/** On a busy machine, some program ends during every scan. */
const maxIncompleteScans = 5;

/**
 * Waits until no marked program is left. From `deadline` on, for one second, the rest gets SIGKILL repeatedly.
 * `deadline` is like `Date.now()` and is called repeatedly, because it may become earlier.
 */
export function endMarkedProcesses(mark: ProcessMark, deadline: () => number): Promise<void> {
  return endAll(mark, false, deadline);
}

/**
 * Ends what foreign code left running: SIGTERM first, SIGKILL after half a second. `isAlone`: no other foreign code
 * runs at the moment.
 */
export function endLeftovers(mark: ProcessMark, isAlone: boolean): Promise<void> {
  let killAt: number | undefined;
  return endAll(
    mark,
    isAlone,
    () => killAt ?? systemClock.now() + leftoverGraceMs,
    (found) => {
      if (killAt !== undefined) return;
      signalAll(found, 'SIGTERM');
      killAt = systemClock.now() + leftoverGraceMs;
    },
  );
}

async function endAll(
  mark: ProcessMark,
  isAlone: boolean,
  deadline: () => number,
  onFound?: (found: readonly number[]) => void,
): Promise<void> {
  const required = mark.limits === undefined ? requiredEmptyScans.variable : requiredEmptyScans.limit;
  if (process.platform !== 'linux') return;
  const startedAt = systemClock.now();
  const last = () => Math.max(deadline(), startedAt) + 1000;
  let incomplete = 0;
  for (let none = 0; systemClock.now() < last(); ) {
    const { found, isIncomplete } = scan(mark, isAlone);
    if (found.length > 0) onFound?.(found);
    if (found.length > 0) none = 0;
    else if (isIncomplete && incomplete < maxIncompleteScans) {
      incomplete += 1;
      continue;
    } else none += 1;
    if (none >= required) return;
    if (systemClock.now() >= deadline()) signalAll(found, 'SIGKILL');
    await systemClock.sleep(pauseMs);
  }
}
