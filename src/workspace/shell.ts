/**
 * One long-lived `sh` that runs command lines. Starting a program from Node blocks the event loop, and the time grows
 * with the size of this process (2 ms at 50 MB, 17 ms at 450 MB). Starting it from a small shell takes 1 ms.
 *
 * The shell returns only the status. Input and output of commands go through files that the command line names. This
 * file knows nothing about git.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import type { Socket } from 'node:net';
import { createSerialQueue } from './serial.js';

export interface Shell {
  /** Runs one command line, after all earlier ones, and resolves with its exit status. */
  run(command: string): Promise<number>;
  /** Ends the shell after all commands so far. A later command starts it again. */
  close(): Promise<void>;
}

export interface ShellOptions {
  /** The directory that the shell runs in. Names in redirections are relative to it. */
  readonly directory: string;
  /** The complete environment. */
  readonly env: Readonly<Record<string, string>>;
  /** Positional parameters: `"$@"` in every command line. */
  readonly parameters: readonly string[];
}

/**
 * The shell starts with the first command and ends with this process, when its standard input closes. It does not
 * keep the process alive. A shell that was killed between two commands is started again.
 */
export function openShell(options: ShellOptions): Shell {
  const runExclusive = createSerialQueue();
  let child: ChildProcess | undefined;
  const isAlive = () => child !== undefined && child.exitCode === null && child.signalCode === null;
  return {
    run: (command) =>
      runExclusive(async () => {
        // Two tries: the shell may have been killed before this process was notified.
        for (let tries = 2; tries > 0; tries -= 1) {
          if (child === undefined || !isAlive()) child = await start(options);
          const status = await runCommand(child, command);
          if (status !== 'not-started') return status;
          child = undefined;
        }
        throw new Error(
          '`/bin/sh`, which runs git, was killed twice in a row. Check what ends processes on this machine.',
        );
      }),
    close: () =>
      runExclusive(async () => {
        child?.stdin?.end();
        child = undefined;
      }),
  };
}

/** The argument as one word of a command line, for any content. */
export function quote(argument: string): string {
  return `'${argument.replaceAll("'", "'\\''")}'`;
}

async function start({ directory, env, parameters }: ShellOptions): Promise<ChildProcess> {
  const child = spawn('/bin/sh', ['-s', '--', ...parameters], {
    cwd: directory,
    env,
    stdio: ['pipe', 'pipe', 'ignore'],
    // A separate process group: Ctrl-C on a self-hosted runner must not end the shell, the last checkpoint needs it.
    detached: true,
  });
  child.stdin?.on('error', () => undefined); // `close` reports the end of the shell
  await once(child, 'spawn');
  keepAlive(child, false);
  return child;
}

/** The shell prints a `.` when the command starts and the status when it has ended. */
function runCommand(child: ChildProcess, command: string): Promise<number | 'not-started'> {
  keepAlive(child, true);
  const answered = new Promise<number | 'not-started'>((resolve, reject) => {
    let answer = '';
    const onData = (chunk: Buffer) => {
      answer += chunk.toString('latin1');
      if (!/^\.\d+\n$/.test(answer)) return;
      child.off('close', onClose);
      child.stdout?.off('data', onData);
      resolve(Number(answer.slice(1)));
    };
    const onClose = () => {
      if (answer === '') resolve('not-started');
      else reject(new Error(`/bin/sh was killed while it ran: ${command}`));
    };
    child.stdout?.on('data', onData);
    child.once('close', onClose);
  });
  child.stdin?.write(`printf .; ${command}\necho $?\n`);
  return answered.finally(() => keepAlive(child, false));
}

/** An idle shell must not prevent this process from ending. */
function keepAlive(child: ChildProcess, isHeld: boolean): void {
  const change = isHeld ? 'ref' : 'unref';
  child[change]();
  // Pipes of a child are sockets, although their type does not show it.
  (child.stdin as Socket | null)?.[change]();
  (child.stdout as Socket | null)?.[change]();
}
