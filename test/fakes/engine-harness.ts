/**
 * All ports of the engine in memory: a tree of files, agents that are functions, gates that look at the tree. What
 * survives a lost machine (snapshots, sessions of the last checkpoint) is separate from what does not.
 */

import { randomUUID } from 'node:crypto';
import type { AgentTurn, EnginePorts, ParallelBranch } from '../../src/engine/engine-ports.js';
import type { ErrorContext } from '../../src/engine/engine-run.js';
import { runPlan } from '../../src/engine/run-plan.js';
import { type Failure, FailureError, UserError } from '../../src/failure.js';
import type { JournalEvent } from '../../src/journal/event.js';
import { foldEvents, newestSnapshot, type RunState } from '../../src/journal/run-state.js';
import { defined } from '../../src/optional-keys.js';
import type { Plan } from '../../src/plan/plan.js';
import type { AgentEvent, Permission, Provider, TurnOutcome, Usage } from '../../src/providers/provider.js';
import type { Gate } from '../../src/workflow/workflow.js';
import type { BranchMergeResult, BranchResult, Snapshot } from '../../src/workspace/workspace.js';

export type Files = ReadonlyMap<string, string>;

/** What a fake agent does with one prompt. It may change `files`. */
export type FakeAgent = (
  turn: AgentTurn & { readonly agent: string; readonly earlier: readonly string[] },
  files: Map<string, string>,
) => FakeTurnResult | Promise<FakeTurnResult>;

export interface FakeTurnResult {
  readonly failure?: TurnOutcome['failure'];
  readonly usage?: Usage;
  readonly output?: string;
  /** The duration; 1 ms by default. */
  readonly durationMs?: number;
  /** Events before the end. The id of a new session is reported automatically. */
  readonly events?: readonly AgentEvent[];
  /** The machine is lost while the agent runs. */
  readonly crash?: boolean;
}

export interface FakeAgentCall {
  readonly agent: string;
  readonly mode: 'start' | 'resume';
  readonly sessionId: string;
  readonly prompt: string;
}

export class MachineLost extends Error {}

export interface EngineHarness {
  readonly calls: FakeAgentCall[];
  readonly warnings: string[];
  /** The duration of each wait. The tests do not really wait. */
  readonly sleeps: number[];
  readonly events: JournalEvent[];
  /** Journal lengths at which a checkpoint was stored. */
  readonly storedJournalLengths: number[];
  readonly files: Map<string, string>;
  /** The log lines of the action itself. */
  readonly logLines: string[];
  /** The prefixes of the parallel branches that were opened, in order. */
  readonly openedBranches: string[];
  /** The steps that were reported as reused. */
  readonly reusedSteps: string[];
  /** The usage of each agent process so far, as passed to the log. */
  readonly usageReaders: (() => Promise<Usage>)[];
  /** The time of the engine, in milliseconds. */
  now(): number;
  run(plan: Plan, options?: HarnessRunOptions): Promise<RunState>;
}

export interface HarnessRunOptions {
  readonly jobAttempt?: number;
  readonly state?: RunState;
  readonly signal?: AbortSignal;
  readonly onLostSession?: 'new' | 'fail';
  readonly permissions?: Permission;
  readonly unavailable?: ReadonlyMap<string, 'session-lost' | 'session-ahead'>;
  readonly maxParallel?: number;
  readonly actor?: string;
  readonly errorContext?: ErrorContext;
  readonly deadline?: number;
  readonly checkpointIntervalMs?: number;
  /** The time at the start; 0 by default. */
  readonly now?: number;
}

export interface EngineHarnessOptions {
  readonly runAgent: FakeAgent;
  readonly passesGate?: (gate: Gate, files: Files) => boolean;
  /** What a gate did that no gate may do. */
  readonly gateFailure?: (gate: Gate) => Failure | undefined;
  /** What a `context` command did that none may do. */
  readonly contextFailure?: (command: string) => Failure | undefined;
  /** The output of `context` commands; a text that begins with `!` is the reason why there is none. */
  readonly contextOutput?: (command: string) => string;
  /** The values of names of the event; a text that begins with `!` is the reason why there is none. */
  readonly event?: (name: string) => string | undefined;
  /** Installs the CLI of an agent. May return a promise, and may throw. */
  provideCli?(agent: string, signal: AbortSignal): unknown;
  /** Whether the worktree of a parallel branch can be set up; a failure if the setup did what it may not do. */
  readonly canOpenBranch?: (branchPrefix: string) => boolean | Failure;
  /** Whether the action chooses session ids (as for `claude`) or the CLI does (`codex`). */
  readonly sessionIds?: (agent: string) => 'chosen' | 'given';
  /** The usage in a session's own file. */
  readonly sessionUsage?: (id: string) => Usage | undefined;
  /** Whether a session only grew while it was copied from a running agent. */
  isSessionKept?(): boolean | Promise<boolean>;
  /** The size of each checkpoint while agents are at work. */
  readonly intervalBytes?: number;
  /** Called while the engine waits. May return a promise. */
  onSleep?(): unknown;
  /** The harness of the earlier job whose state is restored. */
  readonly previous?: EngineHarness;
  /** The harness whose sessions are restored: `previous` by default; `none`: the sessions are lost. */
  readonly sessions?: EngineHarness | 'none';
  /** The working directory of agents that run as programs; `/work` by default. */
  readonly directory?: string;
  /** Replaces `runAgent` and the sessions in memory. */
  readonly ports?: Partial<
    Pick<EnginePorts, 'agents' | 'sessions' | 'readOutput' | 'transcripts' | 'previous'>
  >;
}

const trees = new Map<string, Files>();

export function createEngineHarness(options: EngineHarnessOptions): EngineHarness {
  const { runAgent, passesGate = () => true, previous } = options;
  const events: JournalEvent[] = [...(previous?.events ?? [])];
  const sessions = copySessions(options.sessions === 'none' ? undefined : (options.sessions ?? previous));
  const files = new Map(previous === undefined ? [] : treeOf(newestSnapshot(foldEvents(events))));
  const root = options.directory ?? '/work';
  const directories = new Map([[root, files]]);
  const harness: EngineHarness = {
    calls: [],
    warnings: [],
    sleeps: [],
    events,
    storedJournalLengths: [],
    files,
    logLines: [],
    openedBranches: [],
    reusedSteps: [],
    usageReaders: [],
    now: () => tick,
    run,
  };
  sessionsByHarness.set(harness, sessions);
  let ids = (previous?.calls.length ?? 0) * 100;
  const outputs = new Map<string, string | undefined>();
  let tick = 0;

  function run(plan: Plan, runOptions: HarnessRunOptions = {}): Promise<RunState> {
    const ports = makePorts();
    tick = runOptions.now ?? tick;
    return runPlan({
      plan,
      ports,
      signal: runOptions.signal ?? new AbortController().signal,
      jobAttempt: runOptions.jobAttempt ?? 1,
      onLostSession: runOptions.onLostSession ?? 'new',
      ...defined({ permissions: runOptions.permissions }),
      actor: runOptions.actor ?? 'someone',
      maxParallel: runOptions.maxParallel ?? 2,
      state: runOptions.state ?? foldEvents(events),
      unavailableSessions: runOptions.unavailable ?? new Map(),
      ...defined({
        errorContext: runOptions.errorContext,
        deadline: runOptions.deadline,
        checkpointIntervalMs: runOptions.checkpointIntervalMs,
      }),
    });
  }

  function makePorts(): EnginePorts {
    return {
      journal: {
        append(event) {
          tick += 1;
          const stamped = { ...event, at: tick } as JournalEvent;
          events.push(stamped);
          return stamped;
        },
      },
      workspace: { ...fakeWorkspace(files, emptySnapshot), root, directory: root },
      agents: {
        find: findAgent,
        async ensureInstalled(provider, signal) {
          await options.provideCli?.(provider.title, signal);
        },
        run: runTurn,
      },
      gates: {
        run: async ({ gates, directory }) => ({
          results: gates.map((one) => gateResult(one, passesGate(one, filesIn(directory)))),
          ...defined({ failure: gates.map((one) => options.gateFailure?.(one)).find(Boolean) }),
        }),
      },
      sessions: {
        export: async (_provider, id) => markOf(sessions.get(id)),
        async copyRunning(_provider, id) {
          const mark = markOf(sessions.get(id));
          return mark && { mark, keep: async () => options.isSessionKept?.() ?? true };
        },
        isStored: async () => true,
        readUsage: async (_provider, id) => options.sessionUsage?.(id),
      },
      checkpoints: {
        prepare: () => undefined,
        async store(state, interval) {
          const bytes = options.intervalBytes ?? 1000;
          interval?.onSealed(bytes);
          if (interval !== undefined && bytes > interval.maxBytes) return;
          harness.storedJournalLengths.push(state.eventCount);
        },
      },
      reporter,
      branches: { open: openBranch, merge: mergeFiles },
      context: {
        readFile: async (directory, path) => filesIn(directory).get(path),
        async runCommand(_directory, command) {
          const failure = options.contextFailure?.(command);
          if (failure !== undefined) return { failure };
          const text = options.contextOutput?.(command) ?? '';
          return text.startsWith('!') ? { problem: text.slice(1) } : { output: text };
        },
      },
      event: {
        async read(names) {
          const known = names.map((name) => [name, options.event?.(name)] as const);
          return {
            values: new Map(
              known.flatMap(([name, value]) => (value?.startsWith('!') ? [] : [[name, value ?? '']])),
            ),
            problems: new Map(
              known.flatMap(([name, value]) => (value?.startsWith('!') ? [[name, value.slice(1)]] : [])),
            ),
          };
        },
      },
      async createBareDirectory(step) {
        directories.set(`/bare/${step}`, new Map());
        return `/bare/${step}`;
      },
      clock: {
        now: () => tick,
        async sleep(ms, signal) {
          signal.throwIfAborted();
          // Lets running agents make progress first, which may end the sleep.
          await new Promise((resolve) => setImmediate(resolve));
          signal.throwIfAborted();
          harness.sleeps.push(ms);
          await Promise.race([options.onSleep?.(), waitForAbort(signal)]);
          signal.throwIfAborted();
          tick += ms;
        },
      },
      newId: () => (options.ports?.agents === undefined ? `chosen-${++ids}` : randomUUID()),
      readOutput: (directory) => outputs.get(directory),
      countLines: (_root, path) => files.get(path)?.replace(/\n$/, '').split('\n').length,
      ...options.ports,
    };
  }

  const reporter: EnginePorts['reporter'] = {
    log: (line) => void harness.logLines.push(line),
    warn: (message) => void harness.warnings.push(message),
    stepReused: ({ path }) => void harness.reusedSteps.push(path),
    attemptStarts: () => undefined,
    roundStarts: () => undefined,
    onAgentEvent: () => undefined,
    showProgress(progress) {
      harness.usageReaders.push(progress);
      return () => undefined;
    },
    attemptEnds: () => undefined,
  };

  function filesIn(directory: string): Map<string, string> {
    const found = directories.get(directory);
    if (found === undefined) throw new Error(`Nothing is open at ${directory}.`);
    return found;
  }

  async function openBranch(branch: string, from: Snapshot): Promise<ParallelBranch> {
    const canOpen = options.canOpenBranch?.(branch) ?? true;
    if (canOpen === false) throw new UserError(`${branch} cannot be made ready`);
    if (canOpen !== true) throw new FailureError(canOpen);
    harness.openedBranches.push(branch);
    const directory = `/branches/${branch}`;
    const own = new Map(treeOf(from));
    directories.set(directory, own);
    const workspace = { ...fakeWorkspace(own, emptySnapshot), root: directory, directory };
    return { workspace, reporter, close: async () => void directories.delete(directory) };
  }

  function findAgent(agent: string) {
    const id = agent.split('-')[0] ?? agent;
    const sessionIds = options.sessionIds?.(agent) ?? 'chosen';
    const isSessionId = (text: string) => /^(?:chosen|given)-\d+$/.test(text);
    return { provider: { id, sessionIds, isSessionId, title: agent } as unknown as Provider, model: agent };
  }

  async function runTurn(turn: AgentTurn) {
    const mode = turn.session.mode;
    const id = turn.session.id ?? `given-${++ids}`;
    const earlier = sessions.get(id) ?? [];
    const agent = turn.model ?? '';
    harness.calls.push({ agent, mode, sessionId: id, prompt: turn.prompt });
    if (mode === 'resume' && !sessions.has(id))
      return turnOutcome({ failure: { kind: 'session-lost', message: 'no such session' } }, id);
    turn.onEvent({ type: 'session', id }, undefined);
    sessions.set(id, [...earlier, turn.prompt]);
    outputs.delete(turn.directory);
    const result = await runAgent({ ...turn, agent, earlier }, filesIn(turn.directory));
    if (result.crash === true) throw new MachineLost();
    tick += result.durationMs ?? 0;
    outputs.set(turn.directory, result.output);
    for (const event of result.events ?? []) turn.onEvent(event, undefined);
    return turnOutcome(result, id);
  }

  return harness;
}

function waitForAbort(signal: AbortSignal): Promise<unknown> {
  return new Promise((resolve) => signal.addEventListener('abort', resolve));
}

const sessionsByHarness = new WeakMap<EngineHarness, Map<string, readonly string[]>>();

/** The sessions as the last checkpoint would restore them. */
function copySessions(harness: EngineHarness | undefined): Map<string, readonly string[]> {
  return new Map(harness === undefined ? [] : sessionsByHarness.get(harness));
}

function turnOutcome(result: FakeTurnResult, session: string) {
  const { failure, usage = {}, durationMs = 1 } = result;
  const base = { session, text: '', usage, durationMs };
  return failure === undefined
    ? { status: 'done' as const, ...base }
    : { status: 'failed' as const, ...base, failure };
}

function markOf(turns: readonly string[] | undefined) {
  return turns === undefined ? undefined : { length: turns.length, sha256: turns.join('|') };
}

function gateResult(gate: Gate, passed: boolean) {
  const output = passed ? '' : `${gate.name} says no`;
  return {
    name: gate.name,
    type: gate.type,
    status: passed ? ('passed' as const) : ('failed' as const),
    output,
    durationMs: 1,
  };
}

const emptySnapshot: Snapshot = { base: 'start', commit: 'start' };
trees.set('start', new Map());
let commits = 0;

function treeOf(snapshot: Snapshot | undefined): Files {
  return trees.get(snapshot?.commit ?? 'start') ?? new Map();
}

function fakeWorkspace(files: Map<string, string>, start: Snapshot): EnginePorts['workspace'] {
  let last: Files = new Map(files);
  const replace = (tree: Files) => {
    files.clear();
    for (const [path, content] of tree) files.set(path, content);
    last = new Map(tree);
  };
  return {
    root: '/work',
    directory: '/work',
    startCommit: 'start',
    startTree: 'tree',
    startSnapshot: start,
    async record() {
      const changed = differences(last, files).length > 0;
      last = new Map(files);
      commits += 1;
      const commit = `commit-${commits}`;
      trees.set(commit, last);
      return { base: 'start', commit, leftOut: [], unstored: [], notKept: [], changed };
    },
    async disown() {
      last = new Map(files);
    },
    async takeUnrecorded() {
      const found = differences(last, files);
      last = new Map(files);
      return found;
    },
    changes: async (from, to) => differences(treeOf(from), treeOf(to)),
    patch: async (from, to) =>
      differences(treeOf(from), treeOf(to))
        .map((one) => `${one.kind} ${one.path}`)
        .join('\n'),
    compare: async () => undefined,
    diffOfCommits: async () => undefined,
    reset: async (snapshot) => replace(treeOf(snapshot)),
    pack: async () => Buffer.alloc(0),
    hasSnapshots: async () => true,
    findStartDifferences: async () => [],
    checkoutSettings: [],
    startDifferences: async () => [],
    unpack: async () => undefined,
    apply: async () => [],
    saveGitState: async () => async () => undefined,
    listIgnoredNames: async () => [],
    isRecordedDirectory: async () => false,
    async recordRunning() {
      const tree = new Map(files);
      const known = [...trees].find(([, other]) => differences(other, tree).length === 0)?.[0];
      if (known !== undefined) return { base: 'start', commit: known };
      commits += 1;
      trees.set(`commit-${commits}`, tree);
      return { base: 'start', commit: `commit-${commits}` };
    },
    setAsideSettings: async () => ({ paths: [], putBack: async () => undefined }),
    emptyOutput: async () => undefined,
    removeOutput: async () => undefined,
    branchWorktrees: fakeBranches(start),
    watch: { restore: async () => [] },
  };
}

/** Merges whole files: two parallel branches that changed the same file conflict. */
function fakeBranches(start: Snapshot): EnginePorts['workspace']['branchWorktrees'] {
  return {
    requireMergeSupport: async () => undefined,
    open: async (directory, from) => ({
      workspace: { ...fakeWorkspace(new Map(treeOf(from)), start), root: directory, directory },
      close: async () => undefined,
    }),
    async merge(base, branches) {
      const merged = new Map(treeOf(base));
      const owners = new Map<string, string>();
      for (const { name, snapshot } of branches) {
        const tree = treeOf(snapshot);
        for (const { path } of differences(treeOf(base), tree)) {
          const earlier = owners.get(path);
          if (earlier !== undefined)
            return { status: 'conflict', files: [path], branches: { earlier, later: name } };
          owners.set(path, name);
          const content = tree.get(path);
          if (content === undefined) merged.delete(path);
          else merged.set(path, content);
        }
      }
      commits += 1;
      const snapshot = { base: 'start', commit: `commit-${commits}` };
      trees.set(snapshot.commit, merged);
      return { status: 'merged', snapshot };
    },
  };
}

/** Merges whole files: two parallel branches with different contents at one path conflict. */
async function mergeFiles(base: Snapshot, branches: readonly BranchResult[]): Promise<BranchMergeResult> {
  const before = treeOf(base);
  const merged = new Map(before);
  const owners = new Map<string, string>();
  for (const { name, snapshot } of branches) {
    for (const { path } of differences(before, treeOf(snapshot))) {
      const content = treeOf(snapshot).get(path);
      const owner = owners.get(path);
      const isTaken = owner !== undefined && merged.get(path) !== content;
      // A branch that started on top of the other's change contains that change.
      if (isTaken && !content?.includes(merged.get(path) ?? ''))
        return { status: 'conflict', files: [path], branches: { earlier: owner, later: name } };
      owners.set(path, name);
      if (content === undefined) merged.delete(path);
      else merged.set(path, content);
    }
  }
  commits += 1;
  trees.set(`commit-${commits}`, merged);
  return { status: 'merged', snapshot: { base: 'start', commit: `commit-${commits}` } };
}

function differences(from: Files, to: Files) {
  const paths = [...new Set([...from.keys(), ...to.keys()])]
    .filter((path) => from.get(path) !== to.get(path))
    .sort();
  return paths.map((path) => ({
    path,
    kind: !from.has(path) ? ('added' as const) : to.has(path) ? ('modified' as const) : ('deleted' as const),
  }));
}
