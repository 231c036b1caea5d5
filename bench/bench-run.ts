/** One run of the measured build on a machine of its own. */
import { globSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { CacheService } from '../test/rig/cache-service.js';
import { createMachine, type Machine } from '../test/rig/machine.js';
import type { Repository } from '../test/rig/repository.js';
import { agentScript, prepareHome } from './agent-script.js';
import { measuredAction } from './build.js';
import { watchPeakMemory } from './peak-memory.js';

export interface BenchMachine {
  readonly repository: Repository;
  /** Absent if the machine has no cache service. */
  readonly cache?: CacheService;
  /** The agent CLI `claude`. Default: `agentScript`. */
  readonly agent?: string;
}

/** Calls `work` on a new machine with the checkout and the agent CLI, and wipes the machine. */
export async function onMachine<T>(
  { repository, cache, agent = agentScript }: BenchMachine,
  work: (machine: Machine) => Promise<T>,
): Promise<T> {
  const machine = await createMachine({
    actionDirectory: measuredAction,
    ...(cache === undefined ? {} : { cache }),
  });
  try {
    await machine.checkout(repository);
    await machine.install('claude', agent);
    await prepareHome(machine.home);
    return await work(machine);
  } finally {
    await machine.wipe();
  }
}

export interface MainRun {
  /** From the start of `main` to its end. */
  readonly ms: number;
  /** When `main` started, like `Date.now()`. */
  readonly startedAt: number;
  /** The peak of the memory of `main` and `post`; 0 without `watchMemory`. */
  readonly megabytes: number;
  /** Lines of JSON without their seals. */
  readonly journal: string;
  readonly log: string;
}

export interface MainOptions {
  readonly store: 'directory' | 'cache';
  readonly inputs?: Readonly<Record<string, string>>;
  /** Further variables of the step. */
  readonly env?: Readonly<Record<string, string>>;
  readonly runId?: string;
  readonly jobAttempt?: number;
  /** Takes a little time, so runs whose time counts do not watch it. */
  readonly watchMemory?: boolean;
}

/** Runs `main` and `post` with `.gump/workflows/bench.yaml`. Throws if the run does not pass and store its state. */
export async function runMain(machine: Machine, options: MainOptions): Promise<MainRun> {
  const { store, inputs, env, jobAttempt = 1, watchMemory = false } = options;
  const { runId = String(Math.floor(performance.now())) } = options;
  const job = await machine.startJob({ runId, jobAttempt });
  const memory = watchMemory ? watchPeakMemory(machine) : undefined;
  const [startedAt, started] = [Date.now(), performance.now()];
  const main = await job.runStep({
    inputs: {
      workflow: 'bench',
      ...(store === 'directory' ? { 'state-store': `directory:${machine.root}/state` } : {}),
      ...inputs,
    },
    env: { ...tokenOf(options), ANTHROPIC_API_KEY: 'sk-ant-no-real-key-0123456789abcdef', ...env },
  });
  const ms = performance.now() - started;
  if (main.exitCode !== 0 || main.outputs.persisted !== 'true') throw new Error(main.masked.slice(-4000));
  const journal = await readJournal(machine);
  await job.finish();
  return { ms, startedAt, megabytes: memory?.end() ?? 0, journal, log: main.log };
}

/** Every job on GitHub has one. Without it, the action derives a key in a way that takes a tenth of a second. */
function tokenOf({ store }: MainOptions): Readonly<Record<string, string>> {
  return store === 'cache' ? {} : { ACTIONS_RUNTIME_TOKEN: 'no-token-of-a-cache-service' };
}

async function readJournal(machine: Machine): Promise<string> {
  const [file = ''] = globSync(join(machine.temp, 'gump-*/journal.ndjson'));
  return (await readFile(file, 'utf8')).replace(/\t[\w-]+$/gm, '');
}
