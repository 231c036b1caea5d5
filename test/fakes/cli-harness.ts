/**
 * Runs the engine with the real providers (command lines, readers, sessions) and stand-in CLIs in this process. The
 * workspace and the time are those of `engine-harness.ts`. Gates check a real directory.
 */
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  realpathSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import { agentEnvironment, createAgents } from '../../src/action/agents.js';
import { createForeignCode, createRunMarks } from '../../src/action/foreign-code.js';
import { openHomeSessions } from '../../src/action/open-sessions.js';
import { createSessionPort } from '../../src/action/session-port.js';
import { sessionsOf } from '../../src/checkpoint/checkpoint-builder.js';
import type { Transcripts } from '../../src/engine/engine-ports.js';
import type { NewEvent } from '../../src/journal/event.js';
import { foldEvents, lastAttemptOfSession, type RunState } from '../../src/journal/run-state.js';
import { defined } from '../../src/optional-keys.js';
import type { Plan } from '../../src/plan/plan.js';
import { decideReuse } from '../../src/plan/reuse.js';
import type { Provider } from '../../src/providers/provider.js';
import { providers } from '../../src/providers/provider-registry.js';
import { openSessionCopies, type SessionCopies } from '../../src/sessions/session-copies.js';
import type { ProcessRunner } from '../../src/system/process.js';
import type { Gate } from '../../src/workflow/workflow.js';
import { readOutput } from '../../src/workspace/read-output.js';
import { type AgentCall, type AgentRule, readCalls } from '../rig/stand-in.js';
import { cleanUpAfterTest } from './clean-ups.js';
import { createEngineHarness, type EngineHarness } from './engine-harness.js';
import { createStandInRunner } from './stand-in-runner.js';

export interface CliHarness {
  readonly harness: EngineHarness;
  readonly home: string;
  /** The working directory of the agents. */
  readonly directory: string;
  /** The calls of this harness and of all harnesses before it, in order. */
  calls(): Promise<readonly AgentCall[]>;
  /** Runs the plan as a job attempt that continues the state of the harness before. */
  run(plan: Plan, options?: CliRun): Promise<RunState>;
}

export interface CliRun {
  /** Default: 1. */
  readonly jobAttempt?: number;
  /** Cancels the job as soon as an agent hangs. */
  readonly isCancelledByHang?: boolean;
  /** The time at the start. Default: now, because the stand-ins print times of the real clock. */
  readonly now?: number;
  /** The status of the job, recorded after the run. */
  readonly jobStatus?: 'success' | 'failure';
}

export interface CliHarnessOptions {
  readonly rules: readonly AgentRule[];
  /** Default: every gate passes. */
  gate?(gate: Gate, harness: Pick<CliHarness, 'home' | 'directory'>): boolean;
  /** Gets the conversations. */
  readonly transcripts?: Transcripts;
  /** Time advances only while an agent hangs. */
  readonly isTimedByHang?: boolean;
  /** The harness of the job attempt before. This one gets only what a checkpoint contains. */
  readonly after?: CliHarness;
}

const credentials = {
  ANTHROPIC_API_KEY: 'sk-ant-api03-CANARY-0123456789abcdefghij',
  OPENAI_API_KEY: 'sk-proj-CANARY-9876543210zyxwvutsrq',
  GEMINI_API_KEY: 'dummy-gemini-key',
  CURSOR_API_KEY: 'dummy-cursor-key',
};

const roots = new WeakMap<CliHarness, string>();
const callsFiles = new WeakMap<CliHarness, string>();

export function createCliHarness(options: CliHarnessOptions): CliHarness {
  const { rules, after } = options;
  const root = makeRoot(after);
  const folders = { home: join(root, 'home'), directory: join(root, 'work') };
  const callsFile = (after && callsFiles.get(after)) ?? join(root, 'calls.jsonl');
  writeFileSync(join(folders.home, '.fake-agent', 'calls-path'), callsFile);
  const hanging = watchHanging();
  const processes = createStandInRunner({ rules, callsFile, onHang: hanging.set });
  const parts = makeParts(root, folders.home, processes, () => harness.now());
  const harness: EngineHarness = createEngineHarness({
    runAgent: () => ({}),
    directory: folders.directory,
    passesGate: (gate) => options.gate?.(gate, folders) ?? true,
    ...(options.isTimedByHang ? { onSleep: hanging.begun } : {}),
    ...(after === undefined ? {} : { previous: after.harness }),
    ports: {
      agents: parts.agents,
      sessions: createSessionPort({ ...parts, onPlaced: () => undefined, warn: failOnWarning }),
      readOutput,
      ...defined({ transcripts: options.transcripts }),
    },
  });
  const append = (event: NewEvent, at: number) => harness.events.push({ ...event, at });
  const cliHarness: CliHarness = {
    ...folders,
    harness,
    calls: () => readCalls(callsFile),
    async run(plan, { jobAttempt = 1, isCancelledByHang, jobStatus, now = Date.now() } = {}) {
      dropChangedSteps(harness, plan, jobAttempt);
      const unavailable = await restoreSessions(harness, folders.directory, parts);
      append({ ...jobStarted, jobAttempt }, now);
      const cancel = new AbortController();
      if (isCancelledByHang) void hanging.begun().then(() => cancel.abort());
      const state = await harness.run(plan, { jobAttempt, unavailable, now, signal: cancel.signal });
      if (jobStatus !== undefined)
        append({ type: 'job-ended', jobAttempt, job: 'job', status: jobStatus }, harness.now());
      return state;
    },
  };
  roots.set(cliHarness, root);
  callsFiles.set(cliHarness, callsFile);
  return cliHarness;
}

const jobStarted = {
  type: 'job-started',
  version: 2,
  job: 'job',
  workflow: 'test',
  startCommit: 'start',
  startTree: 'tree',
} as const;

function failOnWarning(message: string): never {
  throw new Error(message);
}

/** Creates another machine with other paths and only the session copies of the one before. */
function makeRoot(after: CliHarness | undefined): string {
  const root = realpathSync(mkdtempSync(join(tmpdir(), 'gump-cli-harness-')));
  cleanUpAfterTest(() => rmSync(root, { recursive: true, force: true }));
  for (const folder of ['home/.fake-agent', 'work', 'session-copies'])
    mkdirSync(join(root, folder), { recursive: true });
  const before = after && roots.get(after);
  if (before !== undefined)
    cpSync(join(before, 'session-copies'), join(root, 'session-copies'), { recursive: true });
  return root;
}

function makeParts(root: string, home: string, processes: ProcessRunner, now: () => number) {
  const environment = { HOME: home, PATH: '/usr/bin:/bin', ...credentials };
  const passEnv: readonly string[] = [];
  const environmentOf = (provider: Provider) =>
    agentEnvironment(provider, { environment, providers, passEnv });
  const store = openHomeSessions(join(root, 'private'), processes);
  const agents = createAgents({
    providers,
    processes,
    foreignCode: createForeignCode({ watches: [], marks: createRunMarks(), warn: failOnWarning }),
    environment,
    passEnv,
    args: {},
    findReplaced: async () => undefined,
    versionOf: () => undefined,
    isRoot: userInfo().uid === 0,
    settingsDirectory: join(root, 'settings'),
    ensureInstalled: async () => undefined,
    createSession: (provider, id, directory) =>
      store.create({ provider, id, directory, environment: environmentOf(provider) }),
    onProcess: () => () => undefined,
    debug: () => undefined,
    now,
  });
  return {
    agents,
    store,
    environmentOf,
    sessionCopies: openCopies(join(root, 'session-copies')),
  };
}

/** The index is a file in the folder, because the next machine gets only that. */
function openCopies(directory: string): SessionCopies {
  const file = join(directory, 'index.json');
  return openSessionCopies({
    directory,
    index: existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')) : {},
    onChange: (index) => writeFileSync(file, JSON.stringify(index)),
  });
}

function dropChangedSteps({ events }: EngineHarness, plan: Plan, jobAttempt: number): void {
  const facts = { plan, state: foldEvents(events), job: 'job', jobAttempt, startDifferences: new Map() };
  const { dropped, reason = '' } = decideReuse(facts);
  if (dropped.length > 0) events.push({ type: 'steps-dropped', steps: dropped, reason, at: 0 });
}

/** Restores sessions as `resume.ts` does (S13). Returns the ids that cannot be resumed. */
async function restoreSessions(
  harness: EngineHarness,
  directory: string,
  { store, sessionCopies, environmentOf }: ReturnType<typeof makeParts>,
) {
  const state = foldEvents(harness.events);
  const unavailable = new Map<string, 'session-lost' | 'session-ahead'>();
  for (const { provider: name, id } of sessionsOf(state)) {
    const provider = providers.find((one) => one.id === name);
    const copies = await sessionCopies.read({ provider: name, id });
    if (provider === undefined || copies.length === 0) {
      unavailable.set(id, 'session-lost');
      continue;
    }
    const place = { provider, id, directory, environment: environmentOf(provider) };
    const { status } = await store.import(place, copies, lastAttemptOfSession(state, id)?.mark);
    if (status === 'session-ahead') unavailable.set(id, status);
    else if (status === 'refused') unavailable.set(id, 'session-lost');
  }
  return unavailable;
}

function watchHanging() {
  let isHanging = false;
  let wake = (): void => undefined;
  return {
    set(hangs: boolean) {
      isHanging = hangs;
      if (hangs) wake();
    },
    begun: () =>
      new Promise<void>((resolve) => {
        wake = resolve;
        if (isHanging) resolve();
      }),
  };
}
