/**
 * The one place through which foreign code runs: agents, gates, `context` commands and `worktree-setup`. After each
 * piece of it, in this order: the processes that it left are ended, what it changed outside the worktree is restored,
 * and what was found is reported. Between two programs of a piece, what the first one changed is restored, too.
 *
 * FOREIGN1 After a change with the effect `run`, nothing more runs: a program that is at work is stopped, and none is
 *          started. Several programs may run at once, so it is unknown which one made the change.
 * FOREIGN2 The watches restore one after the other, never two at once.
 */
import { randomUUID } from 'node:crypto';
import type { Failure } from '../failure.js';
import { defined } from '../optional-keys.js';
import type { Watch, WatchedChange } from '../security/watch.js';
import { type LimitRange, openLimitRange } from '../system/inherited-limit.js';
import { endLeftovers, type ProcessMark } from '../system/marked-processes.js';
import type { ProcessExit, ProcessRunner } from '../system/process.js';
import { createSerialQueue } from '../workspace/serial.js';

export interface ForeignCode {
  /** Runs the task. It must start all its programs with the given runner. */
  run<T>(
    piece: ForeignPiece,
    task: (processes: ProcessRunner, stopSignal: AbortSignal) => Promise<T>,
  ): Promise<ForeignEnd<T>>;
}

export interface ForeignPiece {
  /** Begins the sentence of a message: "The agent". */
  readonly who: string;
  readonly processes: ProcessRunner;
  /** The attempt must change no files. */
  readonly mustNotWrite?: boolean;
}

export interface ForeignEnd<T> {
  readonly value: T;
  /** The piece changed something that it must not change. The attempt fails with this. */
  readonly failure?: Failure;
}

export interface ForeignCodeOptions {
  readonly watches: readonly Watch[];
  /** The marks of this run. */
  readonly marks: RunMarks;
  warn(message: string): void;
}

/** What all programs of foreign code of one run have in common. `post` gets it from `main`. */
export interface RunMarks {
  readonly id: string;
  readonly limits?: LimitRange;
}

export function createRunMarks(): RunMarks {
  return { id: randomUUID(), ...defined({ limits: openLimitRange() }) };
}

/** Every program of a piece inherits this variable, unless it gets a new environment. */
const markName = 'GUMP_ATTEMPT';

/** The mark that finds every program of the run, also those that an earlier process of the action started. */
export function markOfRun({ id, limits }: RunMarks): ProcessMark {
  return { name: markName, value: `${id}-`, ...defined({ limits }), isOfAnyAge: true };
}

/** A mark for each piece. */
function createMarks({ id, limits }: RunMarks): () => ProcessMark {
  let number = 0;
  return () => {
    number += 1;
    const own = limits && { base: limits.base + (number % limits.count), count: 1 };
    return { name: markName, value: `${id}-${number}.`, ...defined({ limits: own }) };
  };
}

export function createForeignCode(options: ForeignCodeOptions): ForeignCode {
  const check = createCheck(options);
  const stopped = new AbortController();
  let finalFailure: Failure | undefined;
  const running = new Set<ForeignPiece>();
  const nextMark = createMarks(options.marks);

  const checkAfter = async (piece: ForeignPiece): Promise<Failure | undefined> => {
    const failure = await check(piece, running);
    if (failure?.isFinal !== true) return failure;
    finalFailure ??= failure;
    stopped.abort();
    return finalFailure;
  };

  return {
    async run(piece, task) {
      const mark = nextMark();
      let failure: Failure | undefined;
      let hasStarted = false;
      const onStart = () => {
        hasStarted = true;
      };
      const after = async () => {
        const found = await checkAfter(piece);
        failure ??= found;
      };
      const between = async () => {
        if (hasStarted) await after();
      };
      const processes = watchedProcesses(piece.processes, mark, stopped.signal, onStart, between);
      running.add(piece);
      try {
        const value = await task(processes, stopped.signal).finally(async () => {
          if (!hasStarted) return;
          await endLeftovers(mark, running.size === 1);
          await after();
        });
        const end = finalFailure ?? failure;
        return end === undefined ? { value } : { value, failure: end };
      } finally {
        running.delete(piece);
      }
    },
  };
}

/** Programs with the mark. Before each of them, `before` runs. Once `stop` is aborted, none starts. */
function watchedProcesses(
  { run }: ProcessRunner,
  mark: ProcessMark,
  stop: AbortSignal,
  onStart: () => void,
  before: () => Promise<void>,
): ProcessRunner {
  return {
    async run(spec) {
      await before();
      if (stop.aborted) return notStarted;
      onStart();
      const signal = spec.signal === undefined ? stop : AbortSignal.any([spec.signal, stop]);
      return run({ ...spec, env: { ...spec.env, [mark.name]: mark.value }, mark, signal });
    },
  };
}

const notStarted: ProcessExit = { reason: 'cancelled', stderrTail: '', durationMs: 0 };

type Check = (piece: ForeignPiece, running: ReadonlySet<ForeignPiece>) => Promise<Failure | undefined>;

function createCheck({ watches, warn }: ForeignCodeOptions): Check {
  const runExclusive = createSerialQueue();
  const warned = new Set<string>();
  const warnOnce = (message: string): void => {
    if (!warned.has(message)) warn(message);
    warned.add(message);
  };
  return async (piece, running) => {
    const others = [...running].filter((one) => one !== piece);
    const who = others.length === 0 ? piece.who : 'An agent or a command';
    const changes = await runExclusive(() => restoreAll(watches)).catch(String);
    if (typeof changes === 'string') return unrestoredFailure(who, changes);
    const stopping = changes.filter(({ effect }) => effect === 'run');
    if (stopping.length > 0) return { ...guardFailure(who, stopping, ' The run stops.'), isFinal: true };
    // While another piece may have made the change, it fails no attempt.
    const mustNotWrite = [piece, ...others].every((one) => one.mustNotWrite);
    const forbidden = mustNotWrite ? changes.filter(({ effect }) => effect === 'read-only') : [];
    for (const change of changes)
      if (!forbidden.includes(change)) warnOnce(`${who} changed ${change.what}. The change was undone.`);
    return forbidden.length === 0
      ? undefined
      : guardFailure(who, forbidden, ' The step must not change files.');
  };
}

async function restoreAll(watches: readonly Watch[]): Promise<readonly WatchedChange[]> {
  const changes: WatchedChange[] = [];
  for (const watch of watches) changes.push(...(await watch.restore()));
  return changes;
}

function unrestoredFailure(who: string, reason: string): Failure {
  const message = `${who} changed something outside the worktree that cannot be restored (${reason}). The run stops. Check the machine before the next run.`;
  return { kind: 'guard', message, isFinal: true };
}

function guardFailure(who: string, changes: readonly WatchedChange[], note: string): Failure {
  const what = changes.map((change) => change.what).join(' and ');
  const end = changes.some(({ isPermanent }) => isPermanent)
    ? 'The change cannot be undone.'
    : 'The change was undone.';
  return { kind: 'guard', message: `${who} changed ${what}. ${end}${note}` };
}
