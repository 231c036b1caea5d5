/** Runs a phase of the action as a process of its own, as a runner does, and shows its log in the terminal. */
import { type ChildProcess, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { styleText } from 'node:util';
import type { LineKind, LineTranslator } from './terminal-log.js';

export interface PhaseOptions {
  /** The file of `dist/`. */
  readonly script: string;
  readonly directory: string;
  readonly environment: Readonly<Record<string, string>>;
  readonly translate: LineTranslator;
  /** Whether the terminal shows the line. */
  isShown(kind: LineKind): boolean;
  readonly interrupts: Interrupts;
}

/** The signals with which a person or the system ends the command. */
export interface Interrupts {
  /** The first one that arrived. */
  readonly first: keyof typeof signalExitCodes | undefined;
  /** The process that gets them. */
  child: ChildProcess | undefined;
}

const styles = {
  error: 'red',
  warning: 'yellow',
  heading: 'bold',
  debug: 'dim',
  notice: 'cyan',
} as const;

/** As a shell reports the end by a signal. */
export const signalExitCodes = { SIGINT: 130, SIGTERM: 143, SIGHUP: 129 } as const;

/** Resolves with the exit code, 1 after a signal. */
export async function runPhase(options: PhaseOptions): Promise<number> {
  const { script, directory, environment, interrupts } = options;
  // In its own process group: Ctrl-C reaches only this process, which decides what it means.
  const child = spawn(process.execPath, [script], {
    cwd: directory,
    env: environment,
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  interrupts.child = child;
  const ended = new Promise<number>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code) => resolve(code ?? 1));
  });
  linesOf(child.stdout, (line) => {
    for (const { kind, text } of options.translate(line)) if (options.isShown(kind)) show(kind, text);
  });
  // Only an error of the program itself.
  linesOf(child.stderr, (line) => show('text', line));
  try {
    return await ended;
  } finally {
    interrupts.child = undefined;
  }
}

function linesOf(input: Readable, onLine: (line: string) => void): void {
  createInterface({ input, crlfDelay: Number.POSITIVE_INFINITY }).on('line', onLine);
}

/** Writes a line. Without a terminal, and with NO_COLOR, `styleText` adds no colour. */
export function show(kind: LineKind, text: string): void {
  const style = kind === 'text' ? undefined : styles[kind];
  process.stdout.write(`${style === undefined ? text : styleText(style, text)}\n`);
}

/**
 * From now on, the first signal pauses the run: it ends the agents and stores the state, as a cancelled job does. A
 * second one does not wait for that. `post` then ends the agents and stores what is on disk.
 */
export function catchInterrupts(): Interrupts {
  let first: Interrupts['first'];
  const interrupts: Interrupts = {
    get first() {
      return first;
    },
    child: undefined,
  };
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const)
    process.on(signal, () => {
      if (first === undefined) show('text', 'Ending the agents and storing the state …');
      interrupts.child?.kill(first === undefined ? 'SIGINT' : 'SIGKILL');
      first ??= signal;
    });
  // The terminal may be gone, and the state must be stored all the same.
  process.stdout.on('error', () => undefined);
  return interrupts;
}
