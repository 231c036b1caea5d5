/**
 * One run of a scene through `dist/` that is killed at one point, on machines of the rig, and continued by re-runs
 * until it ends. It counts what must not happen.
 */
import { execFileSync } from 'node:child_process';
import { appendFileSync, existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { readOnlyFile } from '../../src/artifacts/zip-file.js';
import { defaultArchiveLimits } from '../../src/checkpoint/archive.js';
import { openCheckpoint } from '../../src/checkpoint/checkpoint.js';
import { compareKeys, parseKey } from '../../src/checkpoint/checkpoint-key.js';
import { openChain } from '../../src/checkpoint/open-chain.js';
import { readRecordedRun } from '../../src/checkpoint/recorded-run.js';
import { chooseSecrets } from '../../src/checkpoint/seal-secrets.js';
import { foldEvents, hasPassed, type RunState } from '../../src/journal/run-state.js';
import { type CacheService, startCacheService } from '../rig/cache-service.js';
import { createMachine, type Machine, type StageResult } from '../rig/machine.js';
import { makeRepository, type Repository } from '../rig/repository.js';
import { type AgentCall, installStandIn, readCalls } from '../rig/stand-in.js';
import {
  brokenConversation,
  type CrashPull,
  earlierRun,
  killedRun,
  laterRun,
  openPull,
} from './crash-pull.js';
import type { CrashScene } from './scenes.js';

export interface Point {
  readonly stage: 'main' | 'post';
  readonly name: string;
  /** From 1, among the points with this name. */
  readonly number: number;
}

export interface Kill extends Point {
  readonly moment: 'before' | 'after';
  /** `post`: only the process is killed, and the runner starts `post`. `lost`: everything on the machine ends. */
  readonly then: 'post' | 'lost';
}

export interface CrashResult {
  /** In the order in which they were reached in the first job attempt. */
  readonly points: readonly Point[];
  readonly isKilled: boolean;
  /** Status and steps of the report, and the changed files. */
  readonly outcome: Outcome;
  /** What went wrong, one line each. */
  readonly stepsRunTwice: readonly string[];
  readonly sessionsLost: readonly string[];
  readonly agentsLeft: readonly string[];
  readonly attempts: number;
}

const stateKey = 'the state key of the crash tests 0123456789';
const secrets = chooseSecrets({ stateKeys: [stateKey], credentials: [] });
const maxJobAttempts = 5;

interface CrashSetup {
  readonly scene: CrashScene;
  readonly cache: CacheService;
  readonly repository: Repository;
  readonly pull: CrashPull | undefined;
  readonly callsFile: string;
  readonly pointsFile: string;
}

export async function runScene(scene: CrashScene, kill?: Kill): Promise<CrashResult> {
  const folder = await mkdtemp(join(tmpdir(), 'gump-crash-'));
  const cache = await startCacheService();
  const repository = await makeRepository({
    '.gump/workflows/flow.yaml': scene.workflow,
    'README.md': 'sample\n',
    ...scene.files,
  });
  const pull = scene.isOnPull === true ? await openPull(repository, cache) : undefined;
  try {
    const [callsFile, pointsFile] = [join(folder, 'calls.jsonl'), join(folder, 'points')];
    return await runToEnd({ scene, cache, repository, pull, callsFile, pointsFile }, kill);
  } finally {
    pull?.close();
    await Promise.all([cache.close(), repository.remove(), rm(folder, { recursive: true, force: true })]);
  }
}

const endOf = ({ status }: CrashScene): string => status ?? 'passed';

async function runToEnd(setup: CrashSetup, kill: Kill | undefined): Promise<CrashResult> {
  const isContinued = setup.scene.isContinued === true;
  if (isContinued) await runJob(setup, 1, earlierRun);
  const first = await runFirstJob(setup, kill);
  const { stored, sessions } = first;
  const before = (await readCalls(setup.callsFile)).length;
  let { outcome } = first;
  let attempts = 1;
  let isOver = first.isOver;
  while (!isOver && attempts < maxJobAttempts) {
    attempts += 1;
    outcome = await runJob(setup, attempts);
    isOver = outcome.status === endOf(setup.scene);
  }
  const later = (await readCalls(setup.callsFile)).slice(before);
  if (isContinued) await runJob(setup, 1, laterRun);
  const conversation = isContinued
    ? brokenConversation(await readCalls(setup.callsFile), attempts > 1 || !first.isKilled)
    : [];
  return {
    points: readPoints(setup.pointsFile),
    isKilled: first.isKilled,
    outcome: { ...outcome, published: (await setup.pull?.published()) ?? [] },
    stepsRunTwice: later
      .map((call) => stepOf(setup.scene, call))
      .filter((step) => stored.has(step) && setup.scene.repeated?.includes(step) !== true)
      .map((step) => `${step} ran again`),
    sessionsLost: [...lostSessions(setup.scene, sessions, later), ...conversation],
    agentsLeft: first.agentsLeft,
    attempts,
  };
}

interface FirstJob {
  readonly outcome: JobOutcome;
  readonly isKilled: boolean;
  /** A re-run has nothing to continue. */
  readonly isOver: boolean;
  /** Steps whose success is in the newest checkpoint. */
  readonly stored: ReadonlySet<string>;
  /** Step → the session that its next agent must resume. */
  readonly sessions: ReadonlyMap<string, string>;
  readonly agentsLeft: readonly string[];
}

async function runFirstJob(setup: CrashSetup, kill: Kill | undefined): Promise<FirstJob> {
  const machine = await startMachine(setup);
  try {
    const job = await machine.startJob({ jobAttempt: 1, ...setup.pull?.job });
    const main = await job.runStep(stepOptions(setup, watchOptions(setup, machine, kill)));
    const known =
      main.signal === 'SIGKILL' ? knownSessions(setup.scene, machine, await readCalls(setup.callsFile)) : [];
    const isMachineLost = main.signal === 'SIGKILL' && kill?.then === 'lost';
    const [post] = isMachineLost ? [] : await job.finish();
    const isKilled = [main, post].some((stage) => stage?.signal === 'SIGKILL');
    const hasPostEnded = post !== undefined && post.signal === undefined;
    const agentsLeft = hasPostEnded ? await processesLeft(machine) : [];
    const { passed, state, copied } = await readStored(setup);
    const isOver = isKilled
      ? state?.jobEnded?.status === 'success'
      : main.outputs.status === endOf(setup.scene);
    const sessions = new Map([...storedSessions(state, copied), ...(hasPostEnded ? known : [])]);
    for (const step of passed) sessions.delete(step);
    return { outcome: outcomeOf(main), isKilled, isOver, stored: passed, sessions, agentsLeft };
  } finally {
    await machine.wipe();
  }
}

async function runJob(setup: CrashSetup, jobAttempt: number, runId = killedRun): Promise<JobOutcome> {
  const machine = await startMachine(setup);
  try {
    const facts = { runId, jobAttempt, ...setup.pull?.job };
    const { main } = await machine.runStep({ ...facts, ...stepOptions(setup, {}) });
    return outcomeOf(main);
  } finally {
    await machine.wipe();
  }
}

async function startMachine(setup: CrashSetup): Promise<Machine> {
  const machine = await createMachine({ cache: setup.cache, isCompiledOnce: true });
  await machine.checkout(setup.repository, setup.pull?.checkout);
  const standIn = await installStandIn(machine, {
    callsFile: setup.callsFile,
    providers: ['claude', 'codex'],
  });
  await standIn.script(setup.scene.rules);
  return machine;
}

function stepOptions({ scene }: CrashSetup, env: Readonly<Record<string, string>>) {
  return {
    inputs: { workflow: 'flow', 'state-name': 'crash', 'state-key': stateKey, ...scene.inputs },
    env: {
      ANTHROPIC_API_KEY: 'sk-ant-api03-0123456789abcdefghij',
      OPENAI_API_KEY: 'sk-proj-9876543210zyxwvutsrq',
      ...env,
    },
  };
}

/** Loads `watch-writes.cjs` into `dist/`, with its options in a file, because `dist/` empties its environment. */
function watchOptions(
  { pointsFile }: CrashSetup,
  { root, temp, home, workspace, scratch }: Machine,
  kill: Kill | undefined,
): Readonly<Record<string, string>> {
  const places = { temp, home, 'user git': join(workspace, '.git'), workspace, scratch };
  const watcher = fileURLToPath(new URL('./watch-writes.cjs', import.meta.url));
  const file = join(root, 'watch.cjs');
  const options = JSON.stringify({ points: pointsFile, kill, places });
  writeFileSync(file, `require(${JSON.stringify(watcher)}).watchWrites(${options});\n`);
  appendFileSync(pointsFile, '');
  return { NODE_OPTIONS: `--require=${file}` };
}

function readPoints(file: string): readonly Point[] {
  const lines = readFileSync(file, 'utf8')
    .split('\n')
    .filter((line) => line !== '');
  return lines.map((line) => JSON.parse(line) as Point);
}

function stepOf({ pathOf }: CrashScene, { prompt }: AgentCall): string {
  return pathOf?.(prompt) ?? /^\[([^\]]+)\]/m.exec(prompt)?.[1] ?? 'unknown';
}

/** Sessions whose id `main` had in its journal and whose file the CLI had written when `main` was killed. */
function knownSessions(
  scene: CrashScene,
  machine: Machine,
  calls: readonly AgentCall[],
): readonly (readonly [string, string])[] {
  const journal = readdirSync(machine.temp)
    .filter((name) => name.startsWith('gump-'))
    .map((name) => join(machine.temp, name, 'journal.ndjson'))
    .find(existsSync);
  const text = journal === undefined ? '' : readFileSync(journal, 'utf8');
  const files = readdirSync(machine.home, { recursive: true }).map(String);
  return calls.flatMap((call) => {
    const { id } = call.session;
    if (id === undefined || !text.includes(id) || !files.some((file) => file.includes(id))) return [];
    return [[stepOf(scene, call), id] as const];
  });
}

async function processesLeft(machine: Machine): Promise<readonly string[]> {
  for (let round = 0; round < 50; round += 1) {
    if ((await machine.processes()).length === 0) return [];
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  return (await machine.processes()).map((pid) => `process ${pid} still runs`);
}

interface StoredState {
  readonly passed: ReadonlySet<string>;
  readonly state: RunState | undefined;
  /** Ids of the sessions with copies. */
  readonly copied: ReadonlySet<string>;
}

interface StoredFileOfKey {
  readonly key: string;
  sealed(): Buffer;
}

function storedFiles(cache: CacheService): readonly StoredFileOfKey[] {
  const inCache = cache
    .entries()
    .filter(({ state }) => state === 'stored')
    .map(({ key, body }) => ({ key, sealed: () => sealedFile(body) }));
  const inArtifacts = cache.shelf.artifacts.map(({ name, body = Buffer.alloc(0) }) => ({
    key: name,
    sealed: () => readOnlyFile(body, body.length) ?? Buffer.alloc(0),
  }));
  return [...inCache, ...inArtifacts].filter(({ key }) => parseKey(key)?.runId === killedRun);
}

/** The newest checkpoint, read without the action's own search. */
async function readStored({ cache, pull }: CrashSetup): Promise<StoredState> {
  const entries = storedFiles(cache);
  const newest = entries
    .map((entry) => ({ entry, key: parseKey(entry.key) }))
    .sort((one, other) => (one.key && other.key ? compareKeys(one.key, other.key) : 0))
    .at(-1);
  if (newest === undefined) return { passed: new Set(), state: undefined, copied: new Set() };
  const { key } = newest.entry;
  const sealed = newest.entry.sealed();
  const expected = {
    repositoryId: '4242',
    runId: killedRun,
    stateName: 'crash',
    ref: pull?.job.event?.ref ?? 'refs/heads/main',
    trust: 'trusted',
  };
  const opened = await openCheckpoint(sealed, secrets, { ...expected, key });
  if (opened.status !== 'opened') throw new Error(`${key}: ${opened.reason}`);
  const read = async (link: string) => {
    return entries.find((entry) => entry.key === link)?.sealed();
  };
  const end = { ...opened, key, sealed };
  const chain = await openChain(end, { expected, limits: defaultArchiveLimits, read });
  if (chain.status !== 'opened') throw new Error(`${key}: ${chain.reason}`);
  const recorded = readRecordedRun(chain.entries);
  if (recorded.status !== 'read') throw new Error(`${key}: ${recorded.reason}`);
  const state = foldEvents(recorded.events);
  const passed = [...state.steps.values()].filter(hasPassed).map(({ path }) => path);
  return { passed: new Set(passed), state, copied: new Set(recorded.contents.sessions.map(({ id }) => id)) };
}

function sealedFile(body: Buffer): Buffer {
  return execFileSync('tar', ['-xzOf', '-'], { input: body, maxBuffer: 1e9 });
}

/** The sessions of steps that have not passed. */
function storedSessions(
  state: RunState | undefined,
  copied: ReadonlySet<string>,
): readonly (readonly [string, string])[] {
  return [...(state?.steps.values() ?? [])].flatMap((step) => {
    const id = step.attempts.at(-1)?.session?.id;
    return id === undefined || !copied.has(id) || hasPassed(step) ? [] : [[step.path, id] as const];
  });
}

function lostSessions(
  scene: CrashScene,
  sessions: ReadonlyMap<string, string>,
  later: readonly AgentCall[],
): readonly string[] {
  return [...sessions].flatMap(([step, id]) => {
    const next = later.find((call) => stepOf(scene, call) === step);
    // Without a call, its agent had ended and only its gates were missing.
    if (next === undefined || (next.session.mode === 'resume' && next.session.id === id)) return [];
    return [`${step} had session ${id} and got ${next.session.mode} ${next.session.id}`];
  });
}

/** What must be the same in the end, whatever happened in between. */
export interface Outcome {
  readonly status: string | undefined;
  readonly steps: readonly string[];
  /** The added lines of the patch. */
  readonly files: readonly string[];
  /** On the pull request of the scene. */
  readonly published: readonly string[];
}

type JobOutcome = Omit<Outcome, 'published'>;

/** Before the machine is wiped. */
function outcomeOf({ report, outputs }: StageResult): JobOutcome {
  const patch =
    outputs.patch !== undefined && existsSync(outputs.patch) ? readFileSync(outputs.patch, 'utf8') : '';
  return {
    status: outputs.status,
    steps: report?.steps.map(({ path, status }) => `${path}: ${status}`) ?? [],
    files: patch.split('\n').filter((line) => /^(?:\+|diff)/.test(line)),
  };
}
