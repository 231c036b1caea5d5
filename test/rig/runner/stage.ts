/**
 * Runs one stage of the action (main or post) and ends it as the runner does: by itself, on cancellation, or with the
 * machine. Source of the times: actions/runner 258d6c8, ProcessInvoker.cs and ProcessExitedHandler.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { access } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { killProcessesOf } from './machine-processes.js';

/** When to stop: the log contains this, this file exists, or the function returns true (called every 20 ms). */
export type StopCondition =
  | { readonly log: string | RegExp }
  | { readonly file: string }
  | { readonly until: (log: string) => boolean | Promise<boolean> };

export interface Stop {
  readonly when: StopCondition;
  /**
   * `cancel`: SIGINT to the process only, 7.5 s, SIGTERM, 2.5 s, SIGKILL; post runs.
   * `shutdown`: the same signals, then everything on the machine ends; post does not run.
   * `kill`: SIGKILL of the process only, as when memory is exhausted; its agents continue; post runs.
   * `lose`: SIGKILL of everything on the machine at once; post does not run.
   * `detach`: no signal, as in a container job: the runner ends `docker exec`, the process goes on; post runs.
   */
  readonly how: 'cancel' | 'shutdown' | 'kill' | 'lose' | 'detach';
  /** Milliseconds to SIGTERM and then to SIGKILL, for tests of the rig; if absent, those of the runner. */
  readonly gracePeriodsMs?: readonly [number, number];
}

export interface StageInvocation {
  readonly script: string;
  readonly directory: string;
  readonly env: Readonly<Record<string, string>>;
  /** HOME of the machine, which identifies its processes. */
  readonly home: string;
  /** The user that runs it. Default: the present one. */
  readonly user?: number;
  readonly stop?: Stop;
}

export interface StageExit {
  /** Absent if a signal ended it. */
  readonly exitCode?: number;
  readonly signal?: NodeJS.Signals;
  /** Standard output and standard error in the order of arrival. */
  readonly log: string;
  /** Whether the stop took place. */
  readonly isStopped: boolean;
  /** Whether a child process still held the output open 5 s after the exit, when the runner stops reading. */
  readonly isHeldOpen: boolean;
}

export type RunStage = (invocation: StageInvocation) => Promise<StageExit>;

const runnerGracePeriodsMs = [7500, 2500] as const;
const heldOpenMs = 5000;

export async function runStage(invocation: StageInvocation): Promise<StageExit> {
  const child = spawn(process.execPath, [invocation.script], {
    cwd: invocation.directory,
    env: { ...invocation.env },
    stdio: ['ignore', 'pipe', 'pipe'],
    ...(invocation.user === undefined ? {} : { uid: invocation.user, gid: invocation.user }),
  });
  const output = collectOutput(child);
  const exited = new Promise<void>((resolve, reject) => {
    child.once('exit', () => resolve());
    child.once('error', reject);
  });
  const closed = new Promise<void>((resolve) => child.once('close', () => resolve()));
  const isStopped = await waitForStopOrExit(invocation, child, output, exited);
  if (isStopped && invocation.stop?.how === 'detach')
    return { log: output.text(), isStopped, isHeldOpen: false };
  await exited;
  const isClosed = await settlesWithin(closed, heldOpenMs);
  child.stdout?.destroy();
  child.stderr?.destroy();
  return {
    ...(child.exitCode === null ? {} : { exitCode: child.exitCode }),
    ...(child.signalCode === null ? {} : { signal: child.signalCode }),
    log: output.text(),
    isStopped,
    isHeldOpen: !isClosed,
  };
}

interface Output {
  text(): string;
}

function collectOutput(child: ChildProcess): Output {
  let text = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream?.setEncoding('utf8');
    stream?.on('data', (chunk: string) => {
      text += chunk;
    });
  }
  return { text: () => text };
}

async function waitForStopOrExit(
  { stop, home }: StageInvocation,
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
    if (await isConditionMet(stop.when, output.text())) {
      await stopProcess(stop, home, child, end);
      return true;
    }
    await Promise.race([end, sleep(20)]);
  }
  return false;
}

export async function isConditionMet(when: StopCondition, log: string): Promise<boolean> {
  if ('file' in when) {
    return access(when.file).then(
      () => true,
      () => false,
    );
  }
  if ('until' in when) return when.until(log);
  return typeof when.log === 'string' ? log.includes(when.log) : when.log.test(log);
}

async function stopProcess(
  stop: Stop,
  home: string,
  child: ChildProcess,
  exited: Promise<void>,
): Promise<void> {
  if (stop.how === 'detach') return;
  if (stop.how === 'kill' || stop.how === 'lose') {
    child.kill('SIGKILL');
    if (stop.how === 'lose') await killProcessesOf(home);
    return;
  }
  const [toTerm, toKill] = stop.gracePeriodsMs ?? runnerGracePeriodsMs;
  child.kill('SIGINT');
  if (!(await settlesWithin(exited, toTerm))) {
    child.kill('SIGTERM');
    if (!(await settlesWithin(exited, toKill))) child.kill('SIGKILL');
  }
  if (stop.how === 'shutdown') await killProcessesOf(home);
}

/** Whether the promise settles within the time; leaves no timer behind. */
async function settlesWithin(promise: Promise<void>, ms: number): Promise<boolean> {
  const timer = new AbortController();
  const timedOut = sleep(ms, false, { signal: timer.signal }).catch(() => false);
  const settled = promise.then(() => true);
  const result = await Promise.race([settled, timedOut]);
  timer.abort();
  return result;
}
