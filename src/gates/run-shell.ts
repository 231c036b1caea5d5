/** Running the shell command of a gate. What its end means is for `run-gates.ts`. */
import { defined } from '../optional-keys.js';
import type { ProcessExit } from '../system/process.js';
import { gracePeriodFor, type ProcessRunner } from '../system/process.js';
import { createBoundedOutput } from './bounded-output.js';

export interface GateShellOptions {
  /** Where it runs: the working directory, absolute. */
  readonly directory: string;
  /** The whole environment. */
  readonly env: Readonly<Record<string, string>>;
  readonly processes: ProcessRunner;
  readonly signal?: AbortSignal;
  readonly timeoutMs: number;
}

export interface ShellResult {
  readonly exit: ProcessExit;
  /** Both streams in the order they were written; where they are long, their first and last part. */
  readonly output: string;
}

const maxOutputCharacters = 256 * 1024;

export async function runShell(
  command: string,
  options: GateShellOptions,
  onLine?: (line: string) => void,
): Promise<ShellResult> {
  const output = createBoundedOutput(maxOutputCharacters);
  const add = (line: string): void => {
    output.add(line);
    onLine?.(line);
  };
  const exit = await options.processes.run({
    file: 'sh',
    // Both streams are made one before the command's own shell starts: two pipes would lose their order.
    args: ['-c', 'exec sh -c "$1" 2>&1', 'sh', command],
    directory: options.directory,
    env: options.env,
    timeoutMs: options.timeoutMs,
    ...defined({ signal: options.signal }),
    graceMs: gracePeriodFor(options.signal),
    onLine: add,
    onSkippedLine: (bytes) => add(`[… a line of ${bytes} bytes left out …]`),
  });
  return { exit, output: output.text() };
}

/** A sentence on how a command ended that did not end well; `command` is how it is named in there. */
export function describeExit(command: string, exit: ProcessExit, timeoutMs: number): string {
  if (exit.reason === 'timeout') {
    return `${command} took longer than ${formatTimeout(timeoutMs)} and was ended.`;
  }
  if (exit.reason === 'cancelled') return `${command} was ended because the run was cancelled.`;
  if (exit.reason === 'not-found') return `${command} did not run: ${exit.stderrTail}`;
  if (exit.code === undefined) return `${command} was ended by a signal. ${exit.stderrTail}`.trim();
  return `${command} ended with exit code ${exit.code}.`;
}

function formatTimeout(ms: number): string {
  return ms < 60_000 ? `${ms / 1000} seconds` : `${ms / 60_000} minutes`;
}
