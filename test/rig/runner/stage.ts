/**
 * Starts one stage of the action (main or post) and ends it as the runner would: by itself, on cancellation, or
 * with the machine. Source of the times: actions/runner 258d6c8, ProcessInvoker.cs and ProcessExitedHandler.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { access } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { killProcessesOf } from './leftovers.js';

/** When to step in: the log has this, this file is there, or the function says so (asked every 20 ms). */
export type Moment =
  | { readonly log: string | RegExp }
  | { readonly file: string }
  | { readonly until: (log: string) => boolean | Promise<boolean> };

export interface Stop {
  readonly when: Moment;
  /**
   * `cancel`: SIGINT to the process alone, 7.5 s, SIGTERM, 2.5 s, SIGKILL; post runs.
   * `shutdown`: the same signals, then everything on the machine ends; post does not run.
   * `kill`: SIGKILL of the process alone (out of memory, say); its agents live on; post runs.
   * `lose`: SIGKILL of everything on the machine at once; post does not run.
   */
  readonly how: 'cancel' | 'shutdown' | 'kill' | 'lose';
  /** Milliseconds to SIGTERM and from there to SIGKILL, for tests of the rig; the runner's own when absent. */
  readonly patienceMs?: readonly [number, number];
}

export interface Invocation {
  readonly script: string;
  readonly directory: string;
  readonly env: Readonly<Record<string, string>>;
  /** HOME of the machine, by which its processes are known. */
  readonly home: string;
  readonly stop?: Stop;
}

export interface StageEnd {
  /** Absent when a signal ended it. */
  readonly exitCode?: number;
  readonly signal?: NodeJS.Signals;
  /** Standard output and error as they came. */
  readonly log: string;
  /** Whether the moment of `stop` came. */
  readonly isStopped: boolean;
  /** Whether a child still held the output open 5 s after the exit, when the runner stops listening. */
  readonly isHeldOpen: boolean;
}

const runnerPatienceMs = [7500, 2500] as const;
const heldOpenMs = 5000;

export async function runStage(invocation: Invocation): Promise<StageEnd> {
  const child = spawn(process.execPath, [invocation.script], {
    cwd: invocation.directory,
    env: { ...invocation.env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const output = collect(child);
  const exited = new Promise<void>((resolve, reject) => {
    child.once('exit', () => resolve());
    child.once('error', reject);
  });
  const closed = new Promise<void>((resolve) => child.once('close', () => resolve()));
  const isStopped = await stopOrExit(invocation, child, output, exited);
  await exited;
  const isHeldOpen = await settles(closed, heldOpenMs);
  child.stdout?.destroy();
  child.stderr?.destroy();
  return {
    ...(child.exitCode === null ? {} : { exitCode: child.exitCode }),
    ...(child.signalCode === null ? {} : { signal: child.signalCode }),
    log: output.text(),
    isStopped,
    isHeldOpen: !isHeldOpen,
  };
}

interface Output {
  text(): string;
}

function collect(child: ChildProcess): Output {
  let text = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream?.setEncoding('utf8');
    stream?.on('data', (chunk: string) => {
      text += chunk;
    });
  }
  return { text: () => text };
}

async function stopOrExit(
  { stop, home }: Invocation,
  child: ChildProcess,
  output: Output,
  exited: Promise<void>,
): Promise<boolean> {
  if (!stop) return false;
  const ended = { value: false };
  const end = exited.finally(() => {
    ended.value = true;
  });
  while (!ended.value) {
    if (await hasCome(stop.when, output.text())) {
      await strike(stop, home, child, end);
      return true;
    }
    await Promise.race([end, sleep(20)]);
  }
  return false;
}

async function hasCome(when: Moment, log: string): Promise<boolean> {
  if ('file' in when) {
    return access(when.file).then(
      () => true,
      () => false,
    );
  }
  if ('until' in when) return when.until(log);
  return typeof when.log === 'string' ? log.includes(when.log) : when.log.test(log);
}

async function strike(stop: Stop, home: string, child: ChildProcess, exited: Promise<void>): Promise<void> {
  if (stop.how === 'kill' || stop.how === 'lose') {
    child.kill('SIGKILL');
    if (stop.how === 'lose') await killProcessesOf(home);
    return;
  }
  const [toTerm, toKill] = stop.patienceMs ?? runnerPatienceMs;
  child.kill('SIGINT');
  if (!(await settles(exited, toTerm))) {
    child.kill('SIGTERM');
    if (!(await settles(exited, toKill))) child.kill('SIGKILL');
  }
  if (stop.how === 'shutdown') await killProcessesOf(home);
}

/** Whether the promise settles within the time; leaves no timer behind. */
async function settles(promise: Promise<void>, ms: number): Promise<boolean> {
  const timer = new AbortController();
  const late = sleep(ms, false, { signal: timer.signal }).catch(() => false);
  const settled = promise.then(() => true);
  const result = await Promise.race([settled, late]);
  timer.abort();
  return result;
}
