/** Reads files and runs commands for the `context` of a step. */
import { existsSync } from 'node:fs';
import { realpath } from 'node:fs/promises';
import { dirname, isAbsolute, join, relative } from 'node:path';
import type { ContextSource } from '../engine/engine-ports.js';
import type { ReadCommandVariables } from '../event/command-variables.js';
import { createBoundedOutput } from '../gates/bounded-output.js';
import { defined } from '../optional-keys.js';
import { gracePeriodFor, type ProcessExit, type ProcessRunner } from '../system/process.js';
import { readRegularFile } from '../system/regular-file.js';
import { stripAnsi } from '../system/strip-ansi.js';
import type { ForeignCode } from './foreign-code.js';
import { shallowHint } from './shallow-hint.js';

export interface ContextSourceOptions {
  readonly processes: ProcessRunner;
  readonly foreignCode: ForeignCode;
  /** The environment of commands. */
  readonly env: Readonly<Record<string, string>>;
  /** The variables about the event of the run. */
  readonly readVariables: ReadCommandVariables;
}

const commandTimeoutMs = 30_000;
const maxFileBytes = 4 * 1024 * 1024;
const maxOutputCharacters = 256 * 1024;

export function createContextSource({
  processes,
  foreignCode,
  env,
  readVariables,
}: ContextSourceOptions): ContextSource {
  return {
    readFile: readWorktreeFile,
    async runCommand(directory, command, signal) {
      const variables = await readVariables([command]);
      if (variables.problem !== undefined) return { problem: `did not start: ${variables.problem}` };
      const printed = createBoundedOutput(maxOutputCharacters);
      const { value: exit, failure } = await foreignCode.run(
        { who: 'A command of `context`', processes },
        (watched) =>
          watched.run({
            file: 'sh',
            args: ['-c', command],
            directory,
            env: { ...env, ...variables.env },
            timeoutMs: commandTimeoutMs,
            signal,
            graceMs: gracePeriodFor(signal),
            onLine: (line, stream) => {
              if (stream === 'stdout') printed.add(line);
            },
          }),
      );
      if (failure !== undefined) return { failure };
      if (exit.reason === 'exited' && exit.code === 0) return { output: printed.text() };
      const hint = shallowHint(findWorktreeRoot(directory), command, exit.stderrTail);
      return { problem: problemText(exit), ...defined({ hint }) };
    },
  };
}

function problemText({ reason, code, stderrTail }: ProcessExit): string {
  if (reason === 'timeout') return withErrorText('took longer than 30 seconds', stderrTail);
  return withErrorText(code === undefined ? 'did not finish' : `ended with exit code ${code}`, stderrTail);
}

/** Longer than what git prints about a revision that it does not know. */
const maxErrorCharacters = 600;

/** The reason of a failed command usually is at the end of what it prints on standard error. */
function withErrorText(problem: string, stderrTail: string): string {
  const text = stripAnsi(stderrTail).replace(/\s+/g, ' ').trim();
  if (text === '') return problem;
  return `${problem}: ${text.length > maxErrorCharacters ? `…${text.slice(-maxErrorCharacters)}` : text}`;
}

/** Resolves links before the check: a link that leads out of the worktree counts as missing. */
async function readWorktreeFile(directory: string, path: string): Promise<string | undefined> {
  try {
    const file = await realpath(join(directory, path));
    const inside = relative(await realpath(findWorktreeRoot(directory)), file);
    if (inside.startsWith('..') || isAbsolute(inside)) return undefined;
    return (await readRegularFile(file, maxFileBytes))?.toString('utf8');
  } catch {
    return undefined;
  }
}

/** The root of the worktree that contains the directory. */
function findWorktreeRoot(directory: string): string {
  for (let folder = directory; dirname(folder) !== folder; folder = dirname(folder)) {
    if (existsSync(join(folder, '.git'))) return folder;
  }
  return directory;
}
