/**
 * Processes that belong to a machine of the rig: those with its HOME in their environment. They must end with a lost
 * machine; on one real host they would continue and write into the next machine's files.
 */
import { execFile } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';

const execute = promisify(execFile);

/** Ids of the living processes whose HOME is exactly `home`. */
export async function processesOf(home: string): Promise<readonly number[]> {
  const found = process.platform === 'linux' ? pidsFromProc(home) : await pidsFromPs(home);
  return found.filter((pid) => pid !== process.pid);
}

/** Sends SIGKILL to all of them, repeatedly until none is left, because one may start another. */
export async function killProcessesOf(home: string): Promise<void> {
  for (let round = 0; round < 100; round += 1) {
    const alive = await processesOf(home);
    if (alive.length === 0) return;
    for (const pid of alive) kill(pid);
    await sleep(20);
  }
  throw new Error(`Processes with HOME=${home} do not end: ${(await processesOf(home)).join(', ')}`);
}

function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // It has ended in the meantime.
  }
}

/** Synchronous: hundreds of small reads are faster without promises. */
function pidsFromProc(home: string): readonly number[] {
  const wanted = `HOME=${Buffer.from(home).toString('latin1')}`;
  const names = readdirSync('/proc').filter((name) => /^\d+$/.test(name));
  return names.filter((name) => environmentOf(name).includes(wanted)).map(Number);
}

/** Empty for processes of other users and for processes that have just ended. */
function environmentOf(pid: string): readonly string[] {
  try {
    return readFileSync(`/proc/${pid}/environ`, 'latin1').split('\0');
  } catch {
    return [];
  }
}

/** macOS has no /proc; its `ps` prints the environment after the command, for the user's own processes. */
async function pidsFromPs(home: string): Promise<readonly number[]> {
  const { stdout } = await execute('ps', ['axeww', '-o', 'pid=,command='], { maxBuffer: 64 * 1024 * 1024 });
  const lines = stdout.split('\n').filter((line) => ` ${line} `.includes(` HOME=${home} `));
  return lines.map((line) => Number.parseInt(line, 10));
}
