/**
 * The start of job attempt 2 with 100 MB of state: from the start of `main` to the start of its first agent. Compared
 * with what any restore must do: download the same cache entry and unpack it with `tar`.
 */
import { execFile } from 'node:child_process';
import { globSync } from 'node:fs';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { type CacheService, type StoredEntry, startCacheService } from '../test/rig/cache-service.js';
import { createMachine, type Machine } from '../test/rig/machine.js';
import { makeRepository, type Repository } from '../test/rig/repository.js';
import { agentScript, prepareHome, sessionFolder } from './agent-script.js';
import { type Comparison, compare } from './measure.js';

const execute = promisify(execFile);
const rounds = 3;
const passed = ['s1', 's2', 's3', 's4'];
/** Of each step that passed: 10 MB of files and a session of 15 MB. */
const files = { count: 40, bytes: 262_144 };
const sessionBytes = 15_000_000;

const workflow = `name: bench
steps:
${passed.map((name) => `  - {name: ${name}, type: code, agent: claude-haiku, prompt: Step ${name}.}`).join('\n')}
  - {name: last, type: code, agent: claude-haiku, prompt: Step last., gate: [{bash: "test -e done.txt"}], retry: [{exit: 1}]}
`;

export interface SecondAttemptResult {
  /** Time to the first agent / download and unpacking of the entry. */
  readonly time: Comparison;
  /** Bytes of all stored entries. */
  readonly storedBytes: number;
}

/** Needs a built `dist/`. */
export async function measureSecondAttempt(): Promise<SecondAttemptResult> {
  const root = await mkdtemp(join(tmpdir(), 'gump-second-attempt-'));
  const repository = await makeRepository({ '.gump/workflows/bench.yaml': workflow, 'README.md': 'bench\n' });
  const cache = await startCacheService();
  try {
    await writeContent(root);
    await runJobAttempt({ root, repository, cache }, 1);
    const newest = cache.entries().at(-1);
    if (newest === undefined) throw new Error('Job attempt 1 stored nothing.');
    const storedBytes = cache.entries().reduce((sum, { body }) => sum + body.length, 0);
    const compared = await compare(rounds, () => downloadAndUnpack(root, cache, newest), {
      time: async () => {
        const before = new Set(cache.entries().map(({ key }) => key));
        const ms = await runJobAttempt({ root, repository, cache }, 2);
        for (const { key } of cache.entries()) if (!before.has(key)) cache.delete(key);
        return ms;
      },
    });
    return { ...compared, storedBytes };
  } finally {
    await cache.close();
    await repository.remove();
    await rm(root, { recursive: true, force: true });
  }
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
async function runJobAttempt({ root, repository, cache }: Setting, jobAttempt: number): Promise<number> {
  const machine = await createMachine({ cache });
  try {
    await machine.checkout(repository);
    await machine.install('claude', scriptFor(root));
    await prepareHome(machine.home);
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
  } finally {
    await machine.wipe();
  }
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

async function downloadAndUnpack(
  root: string,
  cache: CacheService,
  { repository, scope, key, version }: StoredEntry,
): Promise<number> {
  const folder = await mkdtemp(join(root, 'unpack-'));
  const token = cache.token({ repository, read: [scope] });
  const started = performance.now();
  const service = `${cache.url}twirp/github.actions.results.api.v1.CacheService/GetCacheEntryDownloadURL`;
  const found = await fetch(service, {
    method: 'POST',
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
    body: JSON.stringify({ key, version }),
  });
  const { signed_download_url: url } = (await found.json()) as { readonly signed_download_url: string };
  const body = await fetch(url);
  await writeFile(join(folder, 'entry.tgz'), Buffer.from(await body.arrayBuffer()));
  await execute('tar', ['-xzf', 'entry.tgz'], { cwd: folder });
  const ms = performance.now() - started;
  await rm(folder, { recursive: true });
  return ms;
}
