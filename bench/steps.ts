/** 20 steps, each with a gate and a checkpoint after every attempt, against 20 bare calls of the same program. */
import { spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { join } from 'node:path';
import { type CacheService, startCacheService } from '../test/rig/cache-service.js';
import type { Machine } from '../test/rig/machine.js';
import { makeRepository, type Repository } from '../test/rig/repository.js';
import { onMachine, runMain } from './bench-run.js';
import { type Comparison, compare, median } from './measure.js';
import { type Phases, phasesOf } from './phases.js';
import type { Group, Measured } from './row.js';
import { formatTable } from './table.js';

const rounds = 5;
const stepNames = Array.from({ length: 20 }, (_, at) => `s${at + 1}`);

const workflow = `name: bench
steps:
${stepNames.map((name) => `  - {name: ${name}, type: code, agent: claude-haiku, prompt: Step ${name}., gate: [{bash: "true"}]}`).join('\n')}
`;

export const steps: Group = { name: 'steps', measure: measureSteps };

type StoreKind = 'directory' | 'cache';

async function measureSteps(): Promise<Measured> {
  const repository = await makeRepository({ '.gump/workflows/bench.yaml': workflow, 'README.md': 'bench\n' });
  const cache = await startCacheService();
  const phases: Record<StoreKind, Phases[]> = { directory: [], cache: [] };
  const run = (store: StoreKind) => async () => {
    const { ms, phases: seen } = await runSteps(repository, store, cache);
    phases[store].push(seen);
    return ms;
  };
  try {
    const compared = await compare(rounds, () => runBareCalls(repository), {
      directory: run('directory'),
      cache: run('cache'),
    });
    return {
      rows: [
        {
          measure: '20 steps of 100 ms with a gate, directory store ÷ 20 bare calls',
          value: compared.directory.ratio,
          target: 1.35,
        },
        {
          measure: 'the same, cache on loopback ÷ 20 bare calls',
          value: compared.cache.ratio,
          target: 1.5,
        },
      ],
      details: detailsOf(compared, phases),
    };
  } finally {
    await cache.close();
    await repository.remove();
  }
}

/** Milliseconds for all calls in sequence, started as a simple Node script would start them. */
function runBareCalls(repository: Repository): Promise<number> {
  return onMachine({ repository }, async (machine) => {
    const started = performance.now();
    for (const name of stepNames) await callBare(machine, `Step ${name}.`);
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

function runSteps(
  repository: Repository,
  store: StoreKind,
  cache: CacheService,
): Promise<{ readonly ms: number; readonly phases: Phases }> {
  return onMachine({ repository, ...(store === 'cache' ? { cache } : {}) }, async (machine) => {
    const { ms, startedAt, journal } = await runMain(machine, { store });
    return { ms, phases: phasesOf(journal, startedAt, startedAt + ms) };
  });
}

const phaseNames: Readonly<Record<keyof Phases, string>> = {
  startUp: 'start-up and restore',
  agent: 'agent process (spawn, 100 ms of work, end of its process group)',
  record: 'guard, snapshot, session copy',
  gates: 'gates',
  store: 'pack, seal, store',
  end: 'last checkpoint, report, summary, exit',
};

function detailsOf(
  { directory, cache }: Readonly<Record<StoreKind, Comparison>>,
  phases: Readonly<Record<StoreKind, readonly Phases[]>>,
): string {
  const names = Object.keys(phaseNames) as (keyof Phases)[];
  const rows = names.map((name) => [
    phaseNames[name],
    perStep(median(phases.directory.map((seen) => seen[name]))),
    perStep(median(phases.cache.map((seen) => seen[name]))),
  ]);
  const sums = ['total', perStep(directory.subject), perStep(cache.subject)];
  const title = `Time of the 20 steps by phase, in milliseconds per step (a bare call: ${perStep(directory.base)}):`;
  return `${title}\n\n${formatTable([['', 'directory', 'cache'], ...rows, sums])}`;
}

function perStep(ms: number): string {
  return (ms / stepNames.length).toFixed(1);
}
