/**
 * Measures how long a CLI that is not on PATH delays the first agent on a new machine if the Actions cache (the rig's,
 * on loopback) has it, compared with a bare `npm install` of it. Needs the registry of this machine's npm. The CLIs are
 * the largest native program and a large script for Node.
 */
import { execFile, execFileSync } from 'node:child_process';
import { cpSync, globSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { claude } from '../src/providers/claude.js';
import { gemini } from '../src/providers/gemini.js';
import type { Provider } from '../src/providers/provider.js';
import { pinnedVersions } from '../src/providers/versions.js';
import { configureHome } from '../test/real/real-cli.js';
import { type CacheService, startCacheService } from '../test/rig/cache-service.js';
import { createMachine } from '../test/rig/machine.js';
import { type ModelServer, startModelServer } from '../test/rig/model-server.js';
import { makeRepository, type Repository } from '../test/rig/repository.js';
import { measuredAction } from './build.js';
import { type Comparison, median } from './measure.js';
import type { Group, Measured } from './row.js';

interface CachedCliResult {
  /** The CLI and its version. */
  readonly title: string;
  /** The delay with the cache ÷ a bare `npm install`. */
  readonly cached: Comparison;
  /** The same without the cache: the action installs it. */
  readonly installed: Comparison;
  /** Size of the entry. */
  readonly megabytes: number;
  /** How long `post` takes to store it. */
  readonly storeMs: number;
}

/** Takes about a minute for each round and CLI. */
const rounds = 3;

export const cachedClis: Group = { name: 'clis', measure: measureCachedClis };

async function measureCachedClis(): Promise<Measured> {
  const results: CachedCliResult[] = [];
  for (const [provider, agent] of [[claude, 'claude-haiku'] as const, [gemini, 'gemini-25-flash'] as const])
    results.push(await measureOne(provider, agent));
  return {
    rows: results.map(({ title, cached }) => ({
      measure: `${title} in the Actions cache: delay of the first agent ÷ \`npm install\``,
      value: cached.ratio,
      target: 0.3,
    })),
    details: results.map(detailsOf).join('\n'),
  };
}

function detailsOf({ title, cached, installed, megabytes, storeMs }: CachedCliResult): string {
  const [npm, fromCache, fromNpm, store] = [cached.base, cached.subject, installed.subject, storeMs].map(
    (ms) => `${ms.toFixed(0)} ms`,
  );
  return `${title} (${megabytes.toFixed(0)} MB stored): \`npm install\` takes ${npm}. The first agent waits ${fromCache} with the cache and ${fromNpm} without it. Storing takes ${store}.`;
}

const workflow = (agent: string) => `name: bench
steps:
  - {name: impl, type: code, agent: ${agent}, prompt: "TOKEN-impl Do it. [[say:Done.]]"}
`;

async function measureOne(provider: Provider, agent: string): Promise<CachedCliResult> {
  const outside = mkdtempSync(join(tmpdir(), 'gump-bench-clis-'));
  const rig: BenchRig = {
    outside,
    repository: await makeRepository({ '.gump/workflows/bench.yaml': workflow(agent) }),
    cache: await startCacheService(),
    model: await startModelServer(),
  };
  try {
    return {
      title: `${provider.title} ${pinnedVersions[provider.id]}`,
      ...(await measureIn(rig, provider)),
    };
  } finally {
    await rig.cache.close();
    await rig.model.close();
    await rig.repository.remove();
    execFileSync('chmod', ['-R', 'u+w', outside]);
    rmSync(outside, { recursive: true, force: true });
  }
}

interface BenchRig {
  readonly outside: string;
  readonly repository: Repository;
  readonly cache: CacheService;
  readonly model: ModelServer;
}

async function measureIn(rig: BenchRig, provider: Provider): Promise<Omit<CachedCliResult, 'title'>> {
  const warm = join(rig.outside, 'tools');
  const first = await run(rig, { keep: warm });
  const [entry] = rig.cache.entries().filter(({ key }) => key.startsWith('gump-cli-'));
  if (entry === undefined) throw new Error('The first run stored no CLI.');
  const times = {
    npm: [] as number[],
    present: [] as number[],
    cached: [] as number[],
    installed: [] as number[],
  };
  for (let round = 0; round < rounds; round += 1) {
    times.npm.push(await installBare(provider));
    times.present.push((await run(rig, { tools: warm })).readyMs);
    times.cached.push((await run(rig, {})).readyMs);
    times.installed.push((await run(rig, { isUncached: true })).readyMs);
  }
  const compare = (values: readonly number[]): Comparison => {
    // What the action does besides takes as long if the CLI is present.
    const delays = values.map((ms, round) => ms - (times.present[round] ?? Number.NaN));
    const ratios = delays.map((ms, round) => ms / (times.npm[round] ?? Number.NaN));
    return { ratio: median(ratios), base: median(times.npm), subject: median(delays) };
  };
  return {
    cached: compare(times.cached),
    installed: compare(times.installed),
    megabytes: entry.body.length / 1e6,
    storeMs: first.postMs,
  };
}

interface BenchRun {
  /** From the start of `main` to the start of the first agent. */
  readonly readyMs: number;
  readonly postMs: number;
}

/** A job on a new machine. `tools`: its tool cache; `keep`: where its tool cache is copied afterwards. */
async function run(
  { repository, cache, model }: BenchRig,
  {
    tools,
    keep,
    isUncached,
  }: { readonly tools?: string; readonly keep?: string; readonly isUncached?: boolean },
): Promise<BenchRun> {
  const machine = await createMachine({ actionDirectory: measuredAction, cache });
  try {
    configureHome(machine.home, model.url);
    await machine.checkout(repository);
    const job = await machine.startJob({ runId: String(Math.trunc(performance.now() * 1000)) });
    const startedAt = Date.now();
    const main = await job.runStep({
      inputs: { workflow: 'bench', ...(isUncached ? { 'cache-clis': 'false' } : {}) },
      env: {
        ...registryEnvironment(),
        RUNNER_TOOL_CACHE: tools ?? machine.toolCache,
        ANTHROPIC_BASE_URL: model.url,
        ANTHROPIC_API_KEY: 'sk-ant-no-real-key-0123456789abcdef',
        GOOGLE_GEMINI_BASE_URL: model.url,
        GEMINI_API_KEY: 'AIzaSyNoRealKey-0123456789abcdefghijk',
      },
    });
    if (main.outputs.status !== 'passed') throw new Error(main.masked.slice(-4000));
    const [journal = ''] = globSync(join(machine.temp, 'gump-*/journal.ndjson'));
    const readyMs = agentStart(readFileSync(journal, 'utf8')) - startedAt;
    const ended = performance.now();
    await job.finish();
    const postMs = performance.now() - ended;
    if (keep !== undefined) cpSync(machine.toolCache, keep, { recursive: true, verbatimSymlinks: true });
    return { readyMs, postMs };
  } finally {
    await machine.wipe();
  }
}

function agentStart(journal: string): number {
  for (const line of journal.split('\n')) {
    const [json = ''] = line.split('\t');
    const event = json === '' ? undefined : (JSON.parse(json) as { type?: string; at?: number });
    if (event?.type === 'attempt-started' && event.at !== undefined) return event.at;
  }
  throw new Error('No agent was started.');
}

/** Milliseconds for `npm install` into an empty folder, with an empty npm cache. */
async function installBare({ id, npm }: Provider): Promise<number> {
  const folder = mkdtempSync(join(tmpdir(), 'gump-bench-npm-'));
  try {
    mkdirSync(join(folder, 'home'));
    writeFileSync(join(folder, 'package.json'), '{"private":true}');
    const env = { PATH: process.env.PATH, ...registryEnvironment(), HOME: join(folder, 'home') };
    const started = performance.now();
    await promisify(execFile)('npm', ['install', ...quiet, `${npm?.name}@${pinnedVersions[id]}`], {
      cwd: folder,
      env,
    });
    return performance.now() - started;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

const quiet = ['--no-audit', '--no-fund', '--no-update-notifier', '--no-progress', '--loglevel=error'];

/** A new machine has a new home, so it needs the npm settings for the registry from here. */
function registryEnvironment(): Readonly<Record<string, string>> {
  const network = Object.entries(process.env).filter(
    (entry): entry is [string, string] =>
      entry[1] !== undefined &&
      /^(?:npm_config_(?!cache)\w*|https?_proxy|no_proxy|NODE_EXTRA_CA_CERTS)$/i.test(entry[0]),
  );
  const userconfig = execFileSync('npm', ['config', 'get', 'userconfig'], { encoding: 'utf8' }).trim();
  return { ...Object.fromEntries(network), npm_config_userconfig: userconfig };
}
