/**
 * The real `ProcessRunner`. It does not interpret lines or exit codes.
 *
 * PROCESS1 When `run` resolves, no member of the program's process group runs any more.
 * PROCESS2 A program that left the group and still has our pipes open does not delay `run`. If we end the program,
 *          marked programs that left the group are ended too (`marked-processes.ts`). Otherwise the caller ends them.
 * PROCESS3 Memory use does not grow with the output of a program, nor with the length of one line above the limit.
 */

import { resolve } from 'node:path';
import type { Readable } from 'node:stream';
import { finished } from 'node:stream/promises';
import { defined } from '../optional-keys.js';
import { systemClock } from './clock.js';
import { withLimit } from './inherited-limit.js';
import { createLineSplitter, type LongLine } from './line-splitter.js';
import { longestTimerMs } from './longest-timer.js';
import { endMarkedProcesses, signalMarkedProcesses } from './marked-processes.js';
import type { ProcessExit, ProcessRunner, ProcessSpec } from './process.js';
import { endGroup, signalGroup, watchGroup } from './process-group.js';
import { findProgram, isProgram } from './programs.js';
import { createTail, type Tail } from './tail.js';

/** Less than what is kept of one line of a gate, so that such a line is shortened only once. */
const defaultLongestLine = 64_000;
const tailBytes = 16 * 1024;
/** How long we wait for output of background programs after the leader has ended. */
const drainMs = 500;
/** Time from SIGTERM to SIGKILL for background programs after the leader ended by itself. */
const leftoverGraceMs = 500;
const defaultGraceMs = 5000;

export const processRunner: ProcessRunner = { run };

async function run(spec: ProcessSpec): Promise<ProcessExit> {
  const started = performance.now();
  const tail = createTail(tailBytes);
  const exit = await start(spec, tail);
  return { ...exit, stderrTail: exit.stderrTail ?? tail.text(), durationMs: performance.now() - started };
}

type ExitDetails = Pick<ProcessExit, 'reason' | 'code'> & { readonly stderrTail?: string };

async function start(spec: ProcessSpec, tail: Tail): Promise<ExitDetails> {
  // Loaded on demand, because it takes 30 ms and the first log line does not need it.
  const { execa } = await import(/* webpackMode: "eager" */ 'execa');
  if (spec.signal?.aborted) return { reason: 'cancelled' };
  const child = spawn(execa, spec);
  if (child.pid === undefined) return spawnFailure(spec, await child);
  spec.onStart?.(child.pid);
  return waitForEnd(
    spec,
    { id: child.pid, stdout: child.stdout, stderr: child.stderr, exit: waitForExitCode(child) },
    tail,
  );
}

/** Not async, because the child is a promise that resolves when it ends, and an async function would wait for it. */
function spawn(execa: Execa, spec: ProcessSpec) {
  const { file, args } = commandLine(spec);
  return execa(file, args, {
    cwd: spec.directory,
    env: spec.env,
    extendEnv: false,
    // A separate group, so that one signal reaches everything that the program starts.
    detached: true,
    ...(spec.stdin === undefined ? { stdin: 'ignore' as const } : { input: spec.stdin }),
    // The lines of execa take 2.5 times as long as our own, and buffered output grows without limit.
    buffer: false,
    reject: false,
  });
}

/** A program that is missing is started directly, so that the system reports that it is missing. */
function commandLine({ file, args, directory, env, mark }: ProcessSpec): Pick<ProcessSpec, 'file' | 'args'> {
  const isFound = file.includes('/')
    ? isProgram(resolve(directory, file))
    : findProgram(file, env.PATH, directory) !== undefined;
  return mark?.limits === undefined || !isFound ? { file, args } : withLimit(mark.limits.base, file, args);
}

type Execa = typeof import('execa')['execa'];
type Child = ReturnType<typeof spawn>;
type SpawnResult = Awaited<Child>;

/** Why the system did not start the program, as an exit. */
function spawnFailure(spec: ProcessSpec, result: SpawnResult): ExitDetails {
  const reason = result.code ?? 'unknown cause';
  const stderrTail = `cannot start ${JSON.stringify(spec.file)} in ${spec.directory}: ${reason}`;
  const isMissing = reason === 'ENOENT' || reason === 'EACCES' || reason === 'ENOTDIR';
  return { reason: isMissing ? 'not-found' : 'exited', stderrTail };
}

/** Resolves when the leader ends. The promise of execa also waits for other programs that have the pipes open. */
function waitForExitCode(child: Child): Promise<number | undefined> {
  return new Promise((resolve) => {
    child.nodeChildProcess.once('exit', (code: number | null) => resolve(code ?? undefined));
  });
}

interface RunningProcess {
  readonly id: number;
  readonly stdout: Readable | null;
  readonly stderr: Readable | null;
  readonly exit: Promise<number | undefined>;
}

async function waitForEnd(spec: ProcessSpec, running: RunningProcess, tail: Tail): Promise<ExitDetails> {
  const unwatch = watchGroup(running.id);
  const stop = createProcessStopper(spec, running.id);
  running.stderr?.on('data', (chunk: Buffer) => tail.push(chunk));
  const flow = createFlow(spec);
  const drained = Promise.all([
    deliverLines(running.stdout, 'stdout', spec, stop, flow),
    deliverLines(running.stderr, 'stderr', spec, stop, flow),
  ]);
  const code = await running.exit;
  stop.leaderEnded();
  await waitAtMost(drained, drainMs, flow);
  stop.stopLeftovers();
  await endGroup(running.id, stop.deadline);
  if (spec.mark !== undefined && stop.isStoppedByUs()) await endMarkedProcesses(spec.mark, stop.deadline);
  await waitAtMost(drained, drainMs, flow);
  unwatch();
  running.stdout?.destroy();
  running.stderr?.destroy();
  await drained;
  return stop.exitDetails(code);
}

interface ProcessStopper {
  /** Ends the program and makes `exitDetails` throw `error`. */
  fail(error: unknown): void;
  /** Call this when the leader has ended. After that, neither the timeout nor the signal has an effect. */
  leaderEnded(): void;
  /** Sends SIGTERM to programs that the leader left running, unless they already got it. */
  stopLeftovers(): void;
  /** Whether we ended the program early. */
  isStoppedByUs(): boolean;
  /** When the rest of the group is killed, like `Date.now()`. It may become earlier. */
  deadline(): number;
  /** Call this when no program is left. */
  exitDetails(code: number | undefined): ExitDetails;
}

/** Everything that may end the program early. The first cause counts. */
function createProcessStopper(spec: ProcessSpec, group: number): ProcessStopper {
  let cause: 'timeout' | 'cancelled' | undefined;
  let failure: { readonly error: unknown } | undefined;
  let killAt: number | undefined;
  let killTimer: NodeJS.Timeout | undefined;
  let isLeaderOver = false;

  /** A repeated call can only make SIGKILL earlier. */
  const requestStop = (graceMs: number): void => {
    const at = systemClock.now() + graceMs;
    if (killAt === undefined) signalGroup(group, 'SIGTERM');
    else if (at >= killAt) return;
    killAt = at;
    clearTimeout(killTimer);
    // After the leader's end, `endGroup` enforces the deadline.
    if (!isLeaderOver) killTimer = setTimeout(() => signalGroup(group, 'SIGKILL'), graceMs);
  };
  const grace = (): number =>
    typeof spec.graceMs === 'function' ? spec.graceMs() : (spec.graceMs ?? defaultGraceMs);
  const stop = (reason: 'timeout' | 'cancelled'): void => {
    cause ??= reason;
    requestStop(grace());
    if (spec.mark !== undefined) signalMarkedProcesses(spec.mark, 'SIGTERM', group);
  };
  const cancel = (): void => stop('cancelled');
  spec.signal?.addEventListener('abort', cancel, { once: true });
  const shortenGrace = (): void => {
    if (killAt !== undefined) requestStop(grace());
  };
  spec.hurrySignal?.addEventListener('abort', shortenGrace, { once: true });
  const timer = timerFor(spec.timeoutMs, () => stop('timeout'));
  // The signal may have been aborted while the program was started: then no event follows.
  if (spec.signal?.aborted) cancel();

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
    stopLeftovers: () => {
      if (killAt === undefined) requestStop(leftoverGraceMs);
    },
    isStoppedByUs: () => cause !== undefined,
    deadline: () => killAt ?? 0,
    exitDetails: (code) => {
      spec.hurrySignal?.removeEventListener('abort', shortenGrace);
      if (failure) throw failure.error;
      return { reason: cause ?? 'exited', ...defined({ code }) };
    },
  };
}

function timerFor(ms: number | undefined, act: () => void): NodeJS.Timeout | undefined {
  return ms === undefined ? undefined : setTimeout(act, Math.min(ms, longestTimerMs));
}

/** Resolves when the stream has ended and its last line was delivered. */
async function deliverLines(
  stream: Readable | null,
  name: 'stdout' | 'stderr',
  spec: ProcessSpec,
  stop: ProcessStopper,
  flow: Flow,
): Promise<void> {
  if (!stream) return;
  const callSafely = (act: () => void): void => {
    try {
      act();
    } catch (error) {
      stop.fail(error);
    }
  };
  const lines = createLineSplitter(
    {
      line: (text) => spec.onLine?.(text, name),
      longLine: (line) => deliverLongLine(line, name, spec),
    },
    (name === 'stdout' ? spec.longestLine : undefined) ?? defaultLongestLine,
  );
  stream.on('data', (chunk: Buffer) => {
    callSafely(() => lines.push(chunk));
    flow.pauseIfNeeded(stream);
  });
  // If we or a broken pipe closed the stream early, there is nothing more to read.
  await finished(stream, { writable: false }).catch(() => undefined);
  callSafely(() => lines.end());
}

function deliverLongLine(
  { head, tail, bytes }: LongLine,
  name: 'stdout' | 'stderr',
  { onLine, onSkippedLine }: ProcessSpec,
): void {
  if (name === 'stdout' && onSkippedLine !== undefined) onSkippedLine(bytes);
  else {
    const left = bytes - Buffer.byteLength(head) - Buffer.byteLength(tail);
    onLine?.(`${head} [… ${left} bytes left out …] ${tail}`, name);
  }
}

/** Pauses the streams of a program while its reader is busy (`whenReady`). */
interface Flow {
  pauseIfNeeded(stream: Readable): void;
  /** Resolves when no stream is paused. `undefined` if none is now. */
  whenFlowing(): Promise<unknown> | undefined;
}

function createFlow({ whenReady }: ProcessSpec): Flow {
  const paused = new Set<Promise<void>>();
  return {
    pauseIfNeeded(stream) {
      const ready = whenReady?.();
      if (ready === undefined) return;
      stream.pause();
      const resumed = ready.then(() => {
        paused.delete(resumed);
        stream.resume();
      });
      paused.add(resumed);
    },
    whenFlowing: () => (paused.size === 0 ? undefined : Promise.all(paused)),
  };
}

/** Waits for `promise`, but no longer than `ms`. Time in which the output is paused does not count. */
async function waitAtMost(promise: Promise<unknown>, ms: number, flow: Flow): Promise<void> {
  do {
    await flow.whenFlowing();
    await waitFor(promise, ms);
  } while (flow.whenFlowing() !== undefined);
}

async function waitFor(promise: Promise<unknown>, ms: number): Promise<void> {
  const enough = new AbortController();
  const late = systemClock.sleep(ms, enough.signal).catch(() => undefined);
  await Promise.race([promise, late]);
  enough.abort();
}
