/** Starting programs and ending them with everything they started. The real thing is `run-process.ts`. */
import type { ProcessMark } from './marked-processes.js';

export interface ProcessSpec {
  readonly file: string;
  readonly args: readonly string[];
  readonly directory: string;
  /** The whole environment; nothing of this process's own is added. Its PATH is where `file` is looked for. */
  readonly env: Readonly<Record<string, string>>;
  /** Absent: the program reads from an empty input. What it leaves unread is dropped. */
  readonly stdin?: string;
  /** Told the id of the process group once the program runs. */
  onStart?(group: number): void;
  /**
   * Each line of either stream as it comes, without its line end (LF or CR LF); the last one may have had
   * none. Where it throws, the program is ended and `run` rejects with what was thrown.
   */
  onLine?(line: string, stream: 'stdout' | 'stderr'): void;
  /** Told instead of `onLine` for a line above 64 MB, which is not kept; `bytes` is how long it was. */
  onSkippedLine?(bytes: number, stream: 'stdout' | 'stderr'): void;
  /** Aborted: the process group gets SIGTERM, after `graceMs` SIGKILL; the exit's reason is `cancelled`. */
  readonly signal?: AbortSignal;
  /** Aborted while the program is being ended: `graceMs` is asked again, and the sooner SIGKILL counts. */
  readonly hurrySignal?: AbortSignal;
  readonly timeoutMs?: number;
  /**
   * A variable of `env` by which what left the process group is found and ended too, where the program is ended
   * from here. Only on Linux.
   */
  readonly mark?: ProcessMark;
  /** Milliseconds from SIGTERM to SIGKILL, or what is asked for them when SIGTERM goes out; 5000 unless told. */
  readonly graceMs?: number | (() => number);
}

export interface ProcessRunner {
  /**
   * Runs the program in a process group of its own and resolves when it has ended and nothing of its group
   * lives. Never rejects for what the program does; a program that is not there or may not be run is reason
   * `not-found`, one that the system refuses to start for another cause is `exited` without a code; in both
   * cases `stderrTail` says why.
   */
  run(spec: ProcessSpec): Promise<ProcessExit>;
}

/** From SIGTERM to SIGKILL: the runner leaves little time once a job is cancelled. For `graceMs`. */
export function gracePeriodFor(signal: AbortSignal | undefined): () => number {
  return () => (signal?.aborted ? 1000 : 5000);
}

/** How a process ended. */

export interface ProcessExit {
  readonly reason: 'exited' | 'timeout' | 'cancelled' | 'not-found';
  /** Absent when it ended by a signal or never started. */
  readonly code?: number;
  /** The last 16 KB of standard error. */
  readonly stderrTail: string;
  readonly durationMs: number;
}
