/**
 * The real `ProcessRunner`. It leaves to others what the lines mean and what an exit code says.
 *
 * R1 When `run` resolves, no member of the program's process group runs any more.
 * R2 A program that left the group and kept our pipes open does not hold us up.
 *    Where we end the program ourselves, what left the group and carries its mark is ended as well (`strays.ts`).
 * R3 Memory does not grow with what a program prints.
 */

import type { Readable } from 'node:stream';
import { finished } from 'node:stream/promises';
import { defined } from '../optional-keys.js';
import { longestTimerMs, systemClock } from './clock.js';
import { createLineSplitter } from './line-splitter.js';
import type { Exit, ProcessRunner, ProcessSpec } from './process.js';
import { endGroup, signalGroup, watchGroup } from './process-group.js';
import { endMarked, signalMarked } from './strays.js';
import { createTail, type Tail } from './tail.js';

const longestLine = 64 * 1024 * 1024;
const tailBytes = 16 * 1024;
/** How long a background program may hold the output open after the leader's end. */
const drainMs = 500;
/** How long it has, after a SIGTERM of ours, where the leader ended by itself. */
const leftoverGraceMs = 500;
const defaultGraceMs = 5000;

export const processRunner: ProcessRunner = { run };

async function run(spec: ProcessSpec): Promise<Exit> {
  const started = performance.now();
  const tail = createTail(tailBytes);
  const exit = await start(spec, tail);
  return { ...exit, stderrTail: exit.stderrTail ?? tail.text(), durationMs: performance.now() - started };
}

type Ending = Pick<Exit, 'reason' | 'code'> & { readonly stderrTail?: string };

async function start(spec: ProcessSpec, tail: Tail): Promise<Ending> {
  // Loaded late: it costs 30 ms that the first line of the log need not wait for.
  const { execa } = await import(/* webpackMode: "eager" */ 'execa');
  if (spec.signal?.aborted) return { reason: 'cancelled' };
  const child = spawn(execa, spec);
  if (child.pid === undefined) return refusal(spec, await child);
  spec.onStart?.(child.pid);
  return follow(
    spec,
    { id: child.pid, stdout: child.stdout, stderr: child.stderr, exit: codeOf(child) },
    tail,
  );
}

/** Not async: the child is a promise of its own end, which an async function would wait for. */
function spawn(execa: Execa, spec: ProcessSpec) {
  return execa(spec.file, spec.args, {
    cwd: spec.directory,
    env: spec.env,
    extendEnv: false,
    // A group of its own, so that one signal reaches all that the program starts.
    detached: true,
    ...(spec.stdin === undefined ? { stdin: 'ignore' as const } : { input: spec.stdin }),
    // execa's own lines cost 2.5 times a bare split, and a kept output grows without bounds.
    buffer: false,
    reject: false,
  });
}

type Execa = typeof import('execa')['execa'];
type Child = ReturnType<typeof spawn>;
type Refused = Awaited<Child>;

/** Why the system did not start the program, as an exit. */
function refusal(spec: ProcessSpec, result: Refused): Ending {
  const why = result.code ?? 'unknown cause';
  const stderrTail = `cannot start ${JSON.stringify(spec.file)} in ${spec.directory}: ${why}`;
  const absent = why === 'ENOENT' || why === 'EACCES' || why === 'ENOTDIR';
  return { reason: absent ? 'not-found' : 'exited', stderrTail };
}

/** Listens for the leader's end itself: execa's own promise also waits for whoever holds the pipes. */
function codeOf(child: Child): Promise<number | undefined> {
  return new Promise((resolve) => {
    child.nodeChildProcess.once('exit', (code: number | null) => resolve(code ?? undefined));
  });
}

interface Running {
  readonly id: number;
  readonly stdout: Readable | null;
  readonly stderr: Readable | null;
  readonly exit: Promise<number | undefined>;
}

async function follow(spec: ProcessSpec, running: Running, tail: Tail): Promise<Ending> {
  const unwatch = watchGroup(running.id);
  const stop = createStop(spec, running.id);
  running.stderr?.on('data', (chunk: Buffer) => tail.push(chunk));
  const drained = Promise.all([
    deliver(running.stdout, 'stdout', spec, stop),
    deliver(running.stderr, 'stderr', spec, stop),
  ]);
  const code = await running.exit;
  stop.leaderEnded();
  await within(drained, drainMs);
  stop.askLeftovers();
  await endGroup(running.id, stop.deadline);
  if (spec.mark !== undefined && stop.isOurs()) await endMarked(spec.mark, stop.deadline);
  await within(drained, drainMs);
  unwatch();
  running.stdout?.destroy();
  running.stderr?.destroy();
  await drained;
  return stop.ending(code);
}

interface Stop {
  /** Ends the program and makes `ending` throw `error`. */
  fail(error: unknown): void;
  /** From here on neither the timeout nor the signal is a cause. */
  leaderEnded(): void;
  /** Asks what the leader left running to end, unless it was asked already. */
  askLeftovers(): void;
  /** Whether the program was ended from here. */
  isOurs(): boolean;
  /** When, as `Date.now()`, the rest of the group is to be killed; it may become earlier. */
  deadline(): number;
  /** To be called once nothing is left to be ended. */
  ending(code: number | undefined): Ending;
}

/** Everything that may end the program before it ends by itself. The first cause counts. */
function createStop(spec: ProcessSpec, group: number): Stop {
  let cause: 'timeout' | 'cancelled' | undefined;
  let failure: { readonly error: unknown } | undefined;
  let killAt: number | undefined;
  let killTimer: NodeJS.Timeout | undefined;
  let isLeaderOver = false;

  /** Whoever asks again can only make the kill come sooner. */
  const ask = (graceMs: number): void => {
    const at = systemClock.now() + graceMs;
    if (killAt === undefined) signalGroup(group, 'SIGTERM');
    else if (at >= killAt) return;
    killAt = at;
    clearTimeout(killTimer);
    // After the leader's end the deadline is seen to by who waits for the rest.
    if (!isLeaderOver) killTimer = setTimeout(() => signalGroup(group, 'SIGKILL'), graceMs);
  };
  const grace = (): number =>
    typeof spec.graceMs === 'function' ? spec.graceMs() : (spec.graceMs ?? defaultGraceMs);
  const stop = (why: 'timeout' | 'cancelled'): void => {
    cause ??= why;
    ask(grace());
    if (spec.mark !== undefined) signalMarked(spec.mark, 'SIGTERM', group);
  };
  const cancel = (): void => stop('cancelled');
  spec.signal?.addEventListener('abort', cancel, { once: true });
  const hasten = (): void => {
    if (killAt !== undefined) ask(grace());
  };
  spec.hurry?.addEventListener('abort', hasten, { once: true });
  const timer = timerFor(spec.timeoutMs, () => stop('timeout'));

  return {
    fail: (error) => {
      failure ??= { error };
      stop('cancelled');
    },
    leaderEnded: () => {
      isLeaderOver = true;
      clearTimeout(timer);
      clearTimeout(killTimer);
      spec.signal?.removeEventListener('abort', cancel);
    },
    askLeftovers: () => {
      if (killAt === undefined) ask(leftoverGraceMs);
    },
    isOurs: () => cause !== undefined,
    deadline: () => killAt ?? 0,
    ending: (code) => {
      spec.hurry?.removeEventListener('abort', hasten);
      if (failure) throw failure.error;
      return { reason: cause ?? 'exited', ...defined({ code }) };
    },
  };
}

function timerFor(ms: number | undefined, act: () => void): NodeJS.Timeout | undefined {
  return ms === undefined ? undefined : setTimeout(act, Math.min(ms, longestTimerMs));
}

/** Resolves when the stream has ended and its last line was told. */
async function deliver(
  stream: Readable | null,
  name: 'stdout' | 'stderr',
  spec: ProcessSpec,
  stop: Stop,
): Promise<void> {
  if (!stream) return;
  const tell = (act: () => void): void => {
    try {
      act();
    } catch (error) {
      stop.fail(error);
    }
  };
  const lines = createLineSplitter(
    {
      line: (text) => spec.onLine?.(text, name),
      skipped: (bytes) => spec.onSkippedLine?.(bytes, name),
    },
    longestLine,
  );
  stream.on('data', (chunk: Buffer) => tell(() => lines.push(chunk)));
  // A stream that we or a broken pipe cut short has said all it will say.
  await finished(stream, { writable: false }).catch(() => undefined);
  tell(() => lines.end());
}

/** Waits for `promise`, but no longer than `ms`. */
async function within(promise: Promise<unknown>, ms: number): Promise<void> {
  const enough = new AbortController();
  const late = systemClock.sleep(ms, enough.signal).catch(() => undefined);
  await Promise.race([promise, late]);
  enough.abort();
}
