/**
 * The start of job attempt 2 with 100 MB of state: from the start of `main` to the start of its first agent. Compared
 * with what any restore must do: download the same cache entries and unpack them with `tar`.
 */
import { execFile } from 'node:child_process';
import { globSync } from 'node:fs';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { cachedName } from '../src/checkpoint/cache-client.js';
import { readBinding } from '../src/checkpoint/seal.js';
import { type CacheService, type StoredEntry, startCacheService } from '../test/rig/cache-service.js';
import type { Machine } from '../test/rig/machine.js';
import { makeRepository, type Repository } from '../test/rig/repository.js';
import { agentScript, sessionFolder } from './agent-script.js';
import { onMachine } from './bench-run.js';
import { type Comparison, compare } from './measure.js';
import type { Group, Measured } from './row.js';

const execute = promisify(execFile);
const rounds = 3;
/** Half of what was measured when the time was first measured (9.3). */
const maxRatio = 4.65;
const passed = ['s1', 's2', 's3', 's4'];
/** Of each step that passed: 10 MB of files and a session of 15 MB. */
const files = { count: 40, bytes: 262_144 };
const sessionBytes = 15_000_000;

const workflow = `name: bench
steps:
${passed.map((name) => `  - {name: ${name}, type: code, agent: claude-haiku, prompt: Step ${name}.}`).join('\n')}
  - {name: last, type: code, agent: claude-haiku, prompt: Step last., gate: [{bash: "test -e done.txt"}], retry: [{exit: 1}]}
`;

export const secondAttempt: Group = { name: 'second', measure: measureSecondAttempt };

async function measureSecondAttempt(): Promise<Measured> {
  const root = await mkdtemp(join(tmpdir(), 'gump-second-attempt-'));
  const repository = await makeRepository({ '.gump/workflows/bench.yaml': workflow, 'README.md': 'bench\n' });
  const cache = await startCacheService();
  try {
    await writeContent(root);
    await runJobAttempt({ root, repository, cache }, 1);
    const chain = await chainOf(root, cache);
    const { subject } = await compare(rounds, () => downloadAndUnpack(root, cache, chain), {
      subject: async () => {
        const before = new Set(cache.entries().map(({ key }) => key));
        const ms = await runJobAttempt({ root, repository, cache }, 2);
        for (const { key } of cache.entries()) if (!before.has(key)) cache.delete(key);
        return ms;
      },
    });
    return {
      rows: [
        {
          measure: 'job attempt 2 with 100 MB of state: to the first agent ÷ download and unpack its entries',
          value: subject.ratio,
          target: maxRatio,
        },
      ],
      details: detailsOf(subject, chain),
    };
  } finally {
    await cache.close();
    await repository.remove();
    await rm(root, { recursive: true, force: true });
  }
}

function detailsOf({ base, subject }: Comparison, chain: readonly StoredEntry[]): string {
  const [start, download] = [subject, base].map((ms) => `${ms.toFixed(0)} ms`);
  const bytes = chain.reduce((sum, { body }) => sum + body.length, 0);
  const entries = `${chain.length} entries (${(bytes / 1e6).toFixed(0)} MB)`;
  return `Job attempt 2: its first agent starts after ${start}. Downloading and unpacking the ${entries} of the newest checkpoint takes ${download}.`;
}

/** The entries of the newest checkpoint. */
async function chainOf(root: string, cache: CacheService): Promise<readonly StoredEntry[]> {
  const entries = cache.entries();
  const newest = entries.at(-1);
  if (newest === undefined) throw new Error('Job attempt 1 stored nothing.');
  await writeFile(join(root, 'newest.tgz'), newest.body);
  await execute('tar', ['-xzf', 'newest.tgz'], { cwd: root });
  const before = readBinding(await readFile(join(root, cachedName)))?.chain ?? [];
  return [...entries.filter(({ key }) => before.some((ref) => ref.key === key)), newest];
}

/** Text that compresses about 3:1, as sessions and sources do. */
function textOf(bytes: number, seed: number): string {
  let state = seed + 1;
  const words: string[] = [];
  for (let length = 0; length < bytes; length += 16) {
    // xorshift32
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    words.push(`${(state >>> 0).toString(36).padStart(7, '0')} the end\n`);
  }
  return words.join('').slice(0, bytes);
}

async function writeContent(root: string): Promise<void> {
  for (const [at, name] of passed.entries()) {
    const folder = join(root, name, 'files');
    await mkdir(folder, { recursive: true });
    for (let file = 0; file < files.count; file += 1)
      await writeFile(join(folder, `${name}-${file}.txt`), textOf(files.bytes, at * files.count + file));
    const lines = textOf(sessionBytes, 1000 + at).split('\n');
    const events = lines.map((text, index) => JSON.stringify({ type: 'user', uuid: `${at}-${index}`, text }));
    await writeFile(join(root, name, 'session.jsonl'), `${events.join('\n').slice(0, sessionBytes)}\n`);
  }
}

/** Copies the content of the step that its prompt names, then acts as the agent of the other benchmarks. */
function scriptFor(root: string): string {
  return agentScript
    .replace('cat >/dev/null\n', `step=$(sed -n 's/.*Step \\([a-z0-9]*\\)\\..*/\\1/p' | head -n 1)\n`)
    .replace('--session-id ]', '--session-id ] && [ "$1" != --resume ]')
    .replace(
      'sleep 0.1\n',
      `[ -d "${root}/$step/files" ] && cp -r "${root}/$step/files/." . && cp "${root}/$step/session.jsonl" "$HOME/${sessionFolder}/$id.jsonl"\n`,
    )
    .replace(/>("\$HOME[^"]*")/, '>>$1');
}

interface Setting {
  readonly root: string;
  readonly repository: Repository;
  readonly cache: CacheService;
}

/** Milliseconds from the start of `main` to the start of the first agent. */
function runJobAttempt({ root, repository, cache }: Setting, jobAttempt: number): Promise<number> {
  return onMachine({ repository, cache, agent: scriptFor(root) }, async (machine) => {
    const job = await machine.startJob({ jobAttempt });
    const started = Date.now();
    const main = await job.runStep({
      inputs: { workflow: 'bench' },
      env: { ANTHROPIC_API_KEY: 'sk-ant-no-real-key-0123456789abcdef' },
    });
    if (main.outputs['failed-step'] !== 'last' || main.outputs.resumed !== String(jobAttempt > 1))
      throw new Error(main.masked);
    const begun = await firstAgentStart(machine);
    await job.finish();
    return begun - started;
  });
}

async function firstAgentStart({ temp }: Machine): Promise<number> {
  const [file = ''] = globSync(join(temp, 'gump-*/journal.ndjson'));
  const events = (await readFile(file, 'utf8'))
    .trimEnd()
    .split('\n')
    // The seal of a line is after a tab.
    .map(
      (line) => JSON.parse(line.split('\t', 1)[0] ?? '') as { readonly type: string; readonly at: number },
    );
  const ofThisJob = events.slice(events.findLastIndex(({ type }) => type === 'job-started'));
  const start = ofThisJob.find(({ type }) => type === 'attempt-started');
  if (start === undefined) throw new Error('The journal has no start of an agent.');
  return start.at;
}

/** Milliseconds to download and unpack all at the same time. */
async function downloadAndUnpack(
  root: string,
  cache: CacheService,
  entries: readonly StoredEntry[],
): Promise<number> {
  const folder = await mkdtemp(join(root, 'unpack-'));
  const started = performance.now();
  await Promise.all(
    entries.map(async (entry, at) => {
      const place = join(folder, String(at));
      await mkdir(place);
      await writeFile(join(place, 'entry.tgz'), await download(cache, entry));
      await execute('tar', ['-xzf', 'entry.tgz'], { cwd: place });
    }),
  );
  const ms = performance.now() - started;
  await rm(folder, { recursive: true });
  return ms;
}

async function download(
  cache: CacheService,
  { repository, scope, key, version }: StoredEntry,
): Promise<Buffer> {
  const token = cache.token({ repository, read: [scope] });
  const service = `${cache.url}twirp/github.actions.results.api.v1.CacheService/GetCacheEntryDownloadURL`;
  const found = await fetch(service, {
    method: 'POST',
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
    body: JSON.stringify({ key, version }),
  });
  const { signed_download_url: url } = (await found.json()) as { readonly signed_download_url: string };
  const body = await fetch(url);
  return Buffer.from(await body.arrayBuffer());
}
