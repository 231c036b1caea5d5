/** Running the shell command of a gate. What its end means is for `run-gates.ts`. */
import { defined } from '../optional-keys.js';
import type { Exit } from '../system/process.js';
import { graceFor, type ProcessRunner } from '../system/process.js';
import { createBoundedOutput } from './bounded-output.js';

export interface ShellSetting {
  /** Where it runs: the working directory, absolute. */
  readonly directory: string;
  /** The whole environment. */
  readonly env: Readonly<Record<string, string>>;
  readonly processes: ProcessRunner;
  readonly signal?: AbortSignal;
  readonly timeoutMs: number;
}

export interface ShellRun {
  readonly exit: Exit;
  /** Both streams in the order they were written; where they are long, their first and last part. */
  readonly output: string;
}

const keptCharacters = 256 * 1024;

export async function runShell(
  command: string,
  setting: ShellSetting,
  onLine?: (line: string) => void,
): Promise<ShellRun> {
  const output = createBoundedOutput(keptCharacters);
  const add = (line: string): void => {
    output.add(line);
    onLine?.(line);
  };
  const exit = await setting.processes.run({
    file: 'sh',
    // Both streams are made one before the command's own shell starts: two pipes would lose their order.
    args: ['-c', 'exec sh -c "$1" 2>&1', 'sh', command],
    directory: setting.directory,
    env: setting.env,
    timeoutMs: setting.timeoutMs,
    ...defined({ signal: setting.signal }),
    graceMs: graceFor(setting.signal),
    onLine: add,
    onSkippedLine: (bytes) => add(`[… a line of ${bytes} bytes left out …]`),
  });
  return { exit, output: output.text() };
}

/** A sentence on how a command ended that did not end well; `command` is how it is named in there. */
export function describeEnd(command: string, exit: Exit, timeoutMs: number): string {
  if (exit.reason === 'timeout') {
    return `${command} took longer than ${inWords(timeoutMs)} and was ended.`;
  }
  if (exit.reason === 'cancelled') return `${command} was ended because the run was cancelled.`;
  if (exit.reason === 'not-found') return `${command} did not run: ${exit.stderrTail}`;
  if (exit.code === undefined) return `${command} was ended by a signal. ${exit.stderrTail}`.trim();
  return `${command} ended with exit code ${exit.code}.`;
}

function inWords(ms: number): string {
  return ms < 60_000 ? `${ms / 1000} seconds` : `${ms / 60_000} minutes`;
}
