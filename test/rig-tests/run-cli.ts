/** Starts stand-in CLIs on a machine of the rig, one new machine with a checkout per test. */
import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { cp } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach } from 'vitest';
import { createMachine, type Machine } from '../rig/machine.js';
import { makeRepository, type Repository } from '../rig/repository.js';
import { installStandIn, type StandIn } from '../rig/stand-in.js';

export interface CliResult {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
  /** The lines of standard output that are JSON. */
  readonly events: readonly Record<string, never>[];
}

export interface TestMachine {
  readonly machine: Machine;
  readonly standIn: StandIn;
  /** Another machine whose home contains only this folder of the first one. The test must wipe it. */
  moveToNewMachine(folder: string): Promise<Machine>;
}

/** Call this at the top of a test file. The members belong to the running test. */
export function useMachine(): TestMachine {
  let repository: Repository;
  let machine: Machine;
  let standIn: StandIn;
  beforeEach(async () => {
    repository = await makeRepository({ 'a.txt': 'one\n' });
    machine = await createMachine();
    await machine.checkout(repository);
    standIn = await installStandIn(machine);
  });
  afterEach(async () => {
    await machine.wipe();
    await repository.remove();
  });
  return {
    get machine() {
      return machine;
    },
    get standIn() {
      return standIn;
    },
    async moveToNewMachine(folder) {
      const next = await createMachine();
      await cp(join(machine.home, folder), join(next.home, folder), { recursive: true });
      await installStandIn(next, { callsFile: standIn.callsFile });
      return next;
    },
  };
}

export function startCli(
  machine: Machine,
  name: string,
  args: readonly string[],
): ChildProcessWithoutNullStreams {
  const env = { PATH: `${machine.bin}:/usr/bin:/bin`, HOME: machine.home, IS_SANDBOX: '1' };
  return spawn(join(machine.bin, name), [...args], { cwd: machine.workspace, env, stdio: 'pipe' });
}

export async function runCli(
  machine: Machine,
  name: string,
  args: readonly string[],
  prompt: string,
): Promise<CliResult> {
  const child = startCli(machine, name, args);
  child.stdin.end(prompt);
  let [stdout, stderr] = ['', ''];
  child.stdout.setEncoding('utf8').on('data', (text) => {
    stdout += text;
  });
  child.stderr.setEncoding('utf8').on('data', (text) => {
    stderr += text;
  });
  await new Promise((resolve) => child.once('close', resolve));
  return { code: child.exitCode, stdout, stderr, events: stdout.split('\n').flatMap(parse) };
}

function parse(line: string): readonly Record<string, never>[] {
  try {
    return [JSON.parse(line)];
  } catch {
    return [];
  }
}
