/** The interface to start programs and to end them with everything that they started. `run-process.ts` implements it. */
import type { ProcessMark } from './marked-processes.js';

export interface ProcessSpec {
  readonly file: string;
  readonly args: readonly string[];
  readonly directory: string;
  /** The complete environment; nothing is inherited. `file` is searched on its PATH. */
  readonly env: Readonly<Record<string, string>>;
  /** Absent: the input is empty. Input that the program does not read is dropped. */
  readonly stdin?: string;
  /** Called with the id of the process group when the program has started. */
  onStart?(group: number): void;
  /**
   * Called for each line of either stream, without its line end (LF or CR LF). The last line may have none. If
   * this throws, the program is ended and `run` rejects with the error.
   */
  onLine?(line: string, stream: 'stdout' | 'stderr'): void;
  /** Bytes of the longest line of standard output that `onLine` gets whole. Default: 64,000, as for standard error. */
  readonly longestLine?: number;
  /**
   * Called instead of `onLine` for a longer line of standard output, which is dropped; `bytes` is its length. Without
   * this, `onLine` gets such a line without its middle.
   */
  onSkippedLine?(bytes: number): void;
  /**
   * Called after each part of the output. While the promise that it returns is pending, no more is read, so that the
   * program has to wait if it prints more.
   */
  whenReady?(): Promise<void> | undefined;
  /** If aborted, the process group gets SIGTERM, and SIGKILL after `graceMs`. The reason of the exit is `cancelled`. */
  readonly signal?: AbortSignal;
  /** If aborted while the program is being ended, `graceMs` is called again, and the earlier SIGKILL applies. */
  readonly hurrySignal?: AbortSignal;
  readonly timeoutMs?: number;
  /**
   * A variable of `env`. If the program is ended early, programs with this variable that left the process group
   * are ended too. Only on Linux.
   */
  readonly mark?: ProcessMark;
  /** Milliseconds from SIGTERM to SIGKILL, or a function that is called when SIGTERM is sent. Default: 5000. */
  readonly graceMs?: number | (() => number);
}

export interface ProcessRunner {
  /**
   * Runs the program in its own process group. Resolves when the program has ended and no member of the group
   * runs. Does not reject because of the program: the reason is `not-found` if the program is missing or not
   * executable, and `exited` without a code if the system cannot start it for another cause. In both cases,
   * `stderrTail` has the cause.
   */
  run(spec: ProcessSpec): Promise<ProcessExit>;
}

/** A value for `graceMs`. It is short in a cancelled job, because the runner then leaves little time. */
export function gracePeriodFor(signal: AbortSignal | undefined): () => number {
  return () => (signal?.aborted ? 1000 : 5000);
}

/** How a process ended. */
export interface ProcessExit {
  readonly reason: 'exited' | 'timeout' | 'cancelled' | 'not-found';
  /** Absent if it ended by a signal or never started. */
  readonly code?: number;
  /** The last 16 KB of standard error. */
  readonly stderrTail: string;
  readonly durationMs: number;
}
