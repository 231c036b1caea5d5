/** Runs the shell command of a gate. `run-gates.ts` judges how it ends. */
import { defined } from '../optional-keys.js';
import type { ProcessExit } from '../system/process.js';
import { gracePeriodFor, type ProcessRunner, type ProcessSpec } from '../system/process.js';
import { createBoundedOutput } from './bounded-output.js';

export interface GateShellOptions {
  /** The working directory of the command, absolute. */
  readonly directory: string;
  /** The complete environment. */
  readonly env: Readonly<Record<string, string>>;
  readonly processes: ProcessRunner;
  readonly signal?: AbortSignal;
  readonly timeoutMs: number;
  /** While it is pending, no output is read. */
  whenReady?(): Promise<void> | undefined;
}

/** Gets what a command prints, for the log. */
export interface OutputSink {
  print(line: string): void;
  /** Called when the command has ended. */
  end(): void;
}

export interface ShellResult {
  readonly exit: ProcessExit;
  /** Both streams in the order of writing. Of a long output, the first and the last part. */
  readonly output: string;
}

const maxOutputCharacters = 256 * 1024;

export async function runShell(
  command: string,
  options: GateShellOptions,
  sink?: OutputSink,
): Promise<ShellResult> {
  const output = createBoundedOutput(maxOutputCharacters);
  const add = (line: string): void => {
    output.add(line);
    sink?.print(line);
  };
  const spec: ProcessSpec = {
    file: 'sh',
    // Joins both streams before the shell of the command starts: two pipes would lose their order.
    args: ['-c', 'exec sh -c "$1" 2>&1', 'sh', command],
    directory: options.directory,
    env: options.env,
    timeoutMs: options.timeoutMs,
    ...defined({ signal: options.signal, whenReady: options.whenReady }),
    graceMs: gracePeriodFor(options.signal),
    onLine: add,
  };
  try {
    return { exit: await options.processes.run(spec), output: output.text() };
  } finally {
    sink?.end();
  }
}

/** A sentence about how a failed command ended; `command` is its name in the sentence. */
export function describeExit(command: string, exit: ProcessExit, timeoutMs: number): string {
  if (exit.reason === 'timeout') {
    return `${command} took longer than ${formatTimeout(timeoutMs)} and was stopped.`;
  }
  if (exit.reason === 'cancelled') return `${command} was stopped because the run was cancelled.`;
  if (exit.reason === 'not-found') return `${command} did not run: ${exit.stderrTail}`;
  if (exit.code === undefined) return `${command} was stopped by a signal. ${exit.stderrTail}`.trim();
  return `${command} ended with exit code ${exit.code}.`;
}

function formatTimeout(ms: number): string {
  return ms < 60_000 ? `${ms / 1000} seconds` : `${ms / 60_000} minutes`;
}
