/** Starting programs and ending them with everything they started. */
import type { Exit } from '../providers/provider.js';

export interface ProcessSpec {
  readonly file: string;
  readonly args: readonly string[];
  readonly directory: string;
  /** The whole environment; nothing of this process's own is added. */
  readonly env: Readonly<Record<string, string>>;
  readonly stdin?: string;
  /** Each line of either stream as it comes, without its line end; the last one may have had none. */
  onLine?(line: string, stream: 'stdout' | 'stderr'): void;
  /** Aborted: the process group gets SIGTERM, after `graceMs` SIGKILL; the exit's reason is `cancelled`. */
  readonly signal?: AbortSignal;
  readonly timeoutMs?: number;
  /** Milliseconds from SIGTERM to SIGKILL; 5000 unless told. */
  readonly graceMs?: number;
}

export interface ProcessRunner {
  /**
   * Runs the program in a process group of its own and resolves when it has ended and nothing of its group
   * lives. Never rejects for what the program does; a program that is not there is reason `not-found`.
   */
  run(spec: ProcessSpec): Promise<Exit>;
}
