/**
 * One long-lived `sh` that runs command lines: starting a program from Node stops the event loop and takes the
 * longer the larger this process is (2 ms at 50 MB, 17 ms at 450 MB), from a small shell it takes 1 ms.
 *
 * The shell answers with the status alone; what commands read and print goes through files, which the command
 * line names. It knows nothing of git.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import type { Socket } from 'node:net';
import { createSerialQueue } from './serial.js';

export interface Shell {
  /** Runs one command line, after all earlier ones, and resolves with its exit status. */
  run(command: string): Promise<number>;
  /** Ends the shell after what was asked of it so far. Another command would start it again. */
  close(): Promise<void>;
}

export interface ShellOptions {
  /** Where the shell stands; relative names in redirections count from here. */
  readonly directory: string;
  /** The whole environment. */
  readonly env: Readonly<Record<string, string>>;
  /** Positional parameters: `"$@"` in every command line. */
  readonly parameters: readonly string[];
}

/**
 * The shell starts with the first command and ends with this process: its standard input closes then. It does
 * not keep the process alive. One that was killed between two commands is started again.
 */
export function openShell(options: ShellOptions): Shell {
  const runExclusive = createSerialQueue();
  let child: ChildProcess | undefined;
  const alive = () => child !== undefined && child.exitCode === null && child.signalCode === null;
  return {
    run: (command) =>
      runExclusive(async () => {
        // Two tries: a shell may have been killed without this process having heard of it yet.
        for (let tries = 2; tries > 0; tries -= 1) {
          if (child === undefined || !alive()) child = await start(options);
          const status = await runCommand(child, command);
          if (status !== 'not-started') return status;
          child = undefined;
        }
        throw new Error(
          '/bin/sh, which runs git, is killed again and again: something on this machine ends it',
        );
      }),
    close: () =>
      runExclusive(async () => {
        child?.stdin?.end();
        child = undefined;
      }),
  };
}

/** The argument as one word of a command line, whatever is in it. */
export function quote(argument: string): string {
  return `'${argument.replaceAll("'", "'\\''")}'`;
}

async function start({ directory, env, parameters }: ShellOptions): Promise<ChildProcess> {
  const child = spawn('/bin/sh', ['-s', '--', ...parameters], {
    cwd: directory,
    env,
    stdio: ['pipe', 'pipe', 'ignore'],
    // A session of its own: Ctrl-C on a self-hosted runner must not end it, the last checkpoint needs it.
    detached: true,
  });
  child.stdin?.on('error', () => undefined); // the end of the shell is told by `close`
  await once(child, 'spawn');
  keepAlive(child, false);
  return child;
}

/** The answer is a `.` when the command starts and its status when it has ended. */
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
      else reject(new Error(`the shell was killed while it ran: ${command}`));
    };
    child.stdout?.on('data', onData);
    child.once('close', onClose);
  });
  child.stdin?.write(`printf .; ${command}\necho $?\n`);
  return answered.finally(() => keepAlive(child, false));
}

/** An idle shell must not hold this process back from ending. */
function keepAlive(child: ChildProcess, isHeld: boolean): void {
  const change = isHeld ? 'ref' : 'unref';
  child[change]();
  // Pipes of a child are sockets, though their type does not say so.
  (child.stdin as Socket | null)?.[change]();
  (child.stdout as Socket | null)?.[change]();
}
