/** Compares 20 steps, each with a gate and a checkpoint after every attempt, with 20 bare calls of the same program. */
import { spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { globSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type CacheService, startCacheService } from '../test/rig/cache-service.js';
import { createMachine, type Machine } from '../test/rig/machine.js';
import { makeRepository, type Repository } from '../test/rig/repository.js';
import { agentScript, prepareHome } from './agent-script.js';
import { type Comparison, compare } from './measure.js';
import { type Phases, phasesOf } from './phases.js';

const rounds = 5;
const steps = Array.from({ length: 20 }, (_, at) => `s${at + 1}`);

const workflow = `name: bench
steps:
${steps.map((name) => `  - {name: ${name}, type: code, agent: claude-haiku, prompt: Step ${name}., gate: [{bash: "true"}]}`).join('\n')}
`;

export interface StepsResult {
  readonly directory: Comparison;
  readonly cache: Comparison;
  /** The phases of the runs, in milliseconds. */
  readonly phases: { readonly directory: readonly Phases[]; readonly cache: readonly Phases[] };
}

type StoreKind = 'directory' | 'cache';

export async function measureSteps(): Promise<StepsResult> {
  const repository = await makeRepository({ '.gump/workflows/bench.yaml': workflow, 'README.md': 'bench\n' });
  const cache = await startCacheService();
  const phases: Record<StoreKind, Phases[]> = { directory: [], cache: [] };
  const run = (store: StoreKind) => async () => {
    const { ms, phases: seen } = await runAction(repository, store, cache);
    phases[store].push(seen);
    return ms;
  };
  try {
    const compared = await compare(rounds, () => runBareCalls(repository), {
      directory: run('directory'),
      cache: run('cache'),
    });
    return { ...compared, phases };
  } finally {
    await cache.close();
    await repository.remove();
  }
}

/** Milliseconds for all calls in sequence, started as a simple Node script would start them. */
async function runBareCalls(repository: Repository): Promise<number> {
  return onMachine(repository, undefined, async (machine) => {
    const started = performance.now();
    for (const name of steps) await callBare(machine, `Step ${name}.`);
    return performance.now() - started;
  });
}

async function callBare({ bin, home, workspace }: Machine, prompt: string): Promise<void> {
  const child = spawn(join(bin, 'claude'), ['-p', '--session-id', randomUUID()], {
    cwd: workspace,
    env: { PATH: '/usr/bin:/bin', HOME: home },
    stdio: ['pipe', 'pipe', 'ignore'],
  });
  child.stdout.resume();
  child.stdin.end(prompt);
  const [code] = await once(child, 'close');
  if (code !== 0) throw new Error(`The program of the benchmark exited with code ${code}.`);
}

/** Measures from the start of `main` to its end. */
async function runAction(
  repository: Repository,
  store: StoreKind,
  cache: CacheService,
): Promise<{ ms: number; phases: Phases }> {
  return onMachine(repository, store === 'cache' ? cache : undefined, async (machine) => {
    const job = await machine.startJob({ runId: String(Math.floor(performance.now())) });
    const inputs = {
      workflow: 'bench',
      ...(store === 'directory' ? { 'state-store': `directory:${machine.root}/state` } : {}),
    };
    const [clock, started] = [Date.now(), performance.now()];
    const main = await job.runStep({
      inputs,
      env: { ANTHROPIC_API_KEY: 'sk-ant-no-real-key-0123456789abcdef' },
    });
    const ms = performance.now() - started;
    if (main.exitCode !== 0 || main.outputs.persisted !== 'true') throw new Error(main.masked);
    const [journal = ''] = globSync(join(machine.temp, 'gump-*/journal.ndjson'));
    const phases = phasesOf(await readFile(journal, 'utf8'), clock, clock + ms);
    await job.finish();
    return { ms, phases };
  });
}

async function onMachine<T>(
  repository: Repository,
  cache: CacheService | undefined,
  work: (machine: Machine) => Promise<T>,
): Promise<T> {
  const machine = await createMachine(cache === undefined ? {} : { cache });
  try {
    await machine.checkout(repository);
    await machine.install('claude', agentScript);
    await prepareHome(machine.home);
    return await work(machine);
  } finally {
    await machine.wipe();
  }
}
