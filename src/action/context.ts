/** The engine's context over real files and commands. */
import { existsSync } from 'node:fs';
import { realpath } from 'node:fs/promises';
import { dirname, isAbsolute, join, relative } from 'node:path';
import type { ContextSource } from '../engine/ports.js';
import { createBoundedOutput } from '../gates/bounded-output.js';
import { readOrdinaryFile } from '../system/ordinary-file.js';
import { graceFor, type ProcessRunner } from '../system/process.js';

export interface ContextOptions {
  readonly processes: ProcessRunner;
  /** What commands may see. */
  readonly env: Readonly<Record<string, string>>;
}

const commandMs = 30_000;
const mostBytes = 4 * 1024 * 1024;
const mostCharacters = 256 * 1024;

export function createContext({ processes, env }: ContextOptions): ContextSource {
  return {
    file: readWithin,
    async command(directory, command, signal) {
      const printed = createBoundedOutput(mostCharacters);
      const exit = await processes.run({
        file: 'sh',
        args: ['-c', command],
        directory,
        env,
        timeoutMs: commandMs,
        signal,
        graceMs: graceFor(signal),
        onLine: (line, stream) => {
          if (stream === 'stdout') printed.add(line);
        },
      });
      if (exit.reason === 'exited' && exit.code === 0) return { output: printed.text() };
      if (exit.reason === 'timeout') return { fault: 'took longer than 30 seconds' };
      return {
        fault: exit.code === undefined ? 'did not come to an end' : `ended with exit code ${exit.code}`,
      };
    },
  };
}

/** Links are followed before it is asked where it lies: one that leads out of the work tree leads nowhere. */
async function readWithin(directory: string, path: string): Promise<string | undefined> {
  try {
    const file = await realpath(join(directory, path));
    const inside = relative(await realpath(topOf(directory)), file);
    if (inside.startsWith('..') || isAbsolute(inside)) return undefined;
    return (await readOrdinaryFile(file, mostBytes))?.toString('utf8');
  } catch {
    return undefined;
  }
}

/** The work tree that the directory lies in. */
function topOf(directory: string): string {
  for (let folder = directory; dirname(folder) !== folder; folder = dirname(folder)) {
    if (existsSync(join(folder, '.git'))) return folder;
  }
  return directory;
}
