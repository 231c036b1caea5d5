/**
 * The engine's world in memory: a tree of files, agents that are functions, gates that look at the tree. It
 * keeps what outlives a machine (snapshots, sessions of the last checkpoint) apart from what does not.
 */

import type { AgentTurn, Merge, Ports, Unit, UnitResult } from '../../src/engine/ports.js';
import { runPlan } from '../../src/engine/run.js';
import type { ErrorContext } from '../../src/engine/run-context.js';
import { UserError } from '../../src/failure.js';
import type { JournalEvent } from '../../src/journal/event.js';
import { fold, newestSnapshot, type RunState } from '../../src/journal/state.js';
import { defined } from '../../src/optional-keys.js';
import type { Plan } from '../../src/plan/plan.js';
import type { AgentEvent, Permission, Provider, TurnOutcome, Usage } from '../../src/providers/provider.js';
import type { Gate } from '../../src/workflow/workflow.js';
import type { Snapshot } from '../../src/workspace/workspace.js';

export type Files = ReadonlyMap<string, string>;

/** What a scripted agent does with one prompt; it may change `files`. */
export type Play = (
  turn: AgentTurn & { readonly agent: string; readonly earlier: readonly string[] },
  files: Map<string, string>,
) => Said | Promise<Said>;

export interface Said {
  readonly failure?: TurnOutcome['failure'];
  readonly usage?: Usage;
  readonly output?: string;
  /** How long it took: 1 ms unless told. */
  readonly durationMs?: number;
  /** Events before the end; the session id of a new session is told by itself. */
  readonly events?: readonly AgentEvent[];
  /** The machine is lost while the agent works. */
  readonly crash?: boolean;
}

export interface Call {
  readonly agent: string;
  readonly mode: 'start' | 'resume';
  readonly id: string;
  readonly prompt: string;
}

export class MachineLost extends Error {}

export interface World {
  readonly calls: Call[];
  readonly warnings: string[];
  /** How long was waited each time; no time passes in earnest. */
  readonly sleeps: number[];
  readonly events: JournalEvent[];
  /** Journal lengths at which a checkpoint was stored. */
  readonly stored: number[];
  readonly files: Map<string, string>;
  /** What was said in the log by us. */
  readonly said: string[];
  /** Lanes of the units that were opened, in order. */
  readonly opened: string[];
  /** Steps of which it was said that an earlier job had passed them. */
  readonly takenOver: string[];
  /** What each process of an agent has spent so far, as the log is told. */
  readonly progress: (() => Promise<Usage>)[];
  run(plan: Plan, options?: RunWorld): Promise<RunState>;
}

export interface RunWorld {
  readonly jobAttempt?: number;
  readonly state?: RunState;
  readonly signal?: AbortSignal;
  readonly onLostSession?: 'new' | 'fail';
  readonly permissions?: Permission;
  readonly unavailable?: ReadonlyMap<string, 'session-lost' | 'session-ahead'>;
  readonly maxParallel?: number;
  readonly actor?: string;
  readonly errorContext?: ErrorContext;
  readonly endsBy?: number;
}

export interface WorldOptions {
  readonly play: Play;
  readonly gate?: (gate: Gate, files: Files) => boolean;
  /** What commands of `context` print; a text that begins with `!` says why one does not. */
  readonly prints?: (command: string) => string;
  /** Installs the CLI of an agent; what it resolves with is waited for, and it may throw. */
  provides?(agent: string, signal: AbortSignal): unknown;
  /** Whether a unit's work tree can be made ready. */
  readonly opens?: (lane: string) => boolean;
  /** `claude` takes ids chosen by us, `codex` gives its own. */
  readonly sessionIds?: (agent: string) => 'chosen' | 'given';
  /** What a session's own file says it has spent by now. */
  readonly spent?: (id: string) => Usage | undefined;
  /** Happens while the engine waits; what it resolves with is waited for. */
  whileAsleep?(): unknown;
  /** What an earlier world leaves behind. */
  readonly after?: World;
  /** Whose conversations come back: those of `after` unless told; `none`: they are lost. */
  readonly sessions?: World | 'none';
}

const trees = new Map<string, Files>();

export function createWorld(options: WorldOptions): World {
  const { play, gate = () => true, after } = options;
  const events: JournalEvent[] = [...(after?.events ?? [])];
  const sessions = sessionsOf(options.sessions === 'none' ? undefined : (options.sessions ?? after));
  const files = new Map(after === undefined ? [] : treeOf(newestSnapshot(fold(events))));
  const directories = new Map([['/work', files]]);
  const world: World = {
    calls: [],
    warnings: [],
    sleeps: [],
    events,
    stored: [],
    files,
    said: [],
    opened: [],
    takenOver: [],
    progress: [],
    run,
  };
  knownSessions.set(world, sessions);
  let ids = (after?.calls.length ?? 0) * 100;
  const outputs = new Map<string, string | undefined>();
  let tick = 0;

  function run(plan: Plan, told: RunWorld = {}): Promise<RunState> {
    const ports = makePorts();
    return runPlan({
      plan,
      ports,
      signal: told.signal ?? new AbortController().signal,
      jobAttempt: told.jobAttempt ?? 1,
      onLostSession: told.onLostSession ?? 'new',
      ...defined({ permissions: told.permissions }),
      actor: told.actor ?? 'someone',
      maxParallel: told.maxParallel ?? 2,
      state: told.state ?? fold(events),
      unavailable: told.unavailable ?? new Map(),
      ...defined({ errorContext: told.errorContext, endsBy: told.endsBy }),
    });
  }

  function makePorts(): Ports {
    return {
      journal: {
        append(event) {
          tick += 1;
          const stamped = { ...event, at: tick } as JournalEvent;
          events.push(stamped);
          return stamped;
        },
        close: () => undefined,
      },
      workspace: fakeWorkspace(files, plainStart),
      agents: {
        find: findAgent,
        async provide(provider, signal) {
          await options.provides?.(provider.title, signal);
        },
        run: speak,
        endStrays: async () => undefined,
      },
      gates: {
        run: async ({ gates, directory }) =>
          gates.map((one) => gateResult(one, gate(one, filesIn(directory)))),
      },
      sessions: {
        keep: async (_provider, id) => markOf(sessions.get(id)),
        spent: async (_provider, id) => options.spent?.(id),
      },
      checkpoints: { prepare: () => undefined, store: async (state) => void world.stored.push(state.events) },
      reporter,
      units: { open: openUnit, merge },
      context: {
        file: async (directory, path) => filesIn(directory).get(path),
        async command(_directory, command) {
          const text = options.prints?.(command) ?? '';
          return text.startsWith('!') ? { fault: text.slice(1) } : { output: text };
        },
      },
      async bareDirectory(step) {
        directories.set(`/bare/${step}`, new Map());
        return `/bare/${step}`;
      },
      clock: {
        now: () => tick,
        async sleep(ms, signal) {
          signal.throwIfAborted();
          // Whoever is at work gets as far as it can in no time, and may end the sleep by that.
          await new Promise((resolve) => setImmediate(resolve));
          signal.throwIfAborted();
          world.sleeps.push(ms);
          tick += ms;
          await Promise.race([options.whileAsleep?.(), aborted(signal)]);
          signal.throwIfAborted();
        },
      },
      newId: () => `chosen-${++ids}`,
      readOutput: (directory) => outputs.get(directory),
    };
  }

  const reporter: Ports['reporter'] = {
    say: (line) => void world.said.push(line),
    warn: (message) => void world.warnings.push(message),
    takenOver: ({ path }) => void world.takenOver.push(path),
    attemptStarts: () => undefined,
    roundStarts: () => undefined,
    agentDid: () => undefined,
    agentWorks(progress) {
      world.progress.push(progress);
      return () => undefined;
    },
    attemptEnds: () => undefined,
  };

  function filesIn(directory: string): Map<string, string> {
    const found = directories.get(directory);
    if (found === undefined) throw new Error(`Nothing is open at ${directory}.`);
    return found;
  }

  async function openUnit(lane: string, from: Snapshot): Promise<Unit> {
    if (options.opens?.(lane) === false) throw new UserError(`${lane} cannot be made ready`);
    world.opened.push(lane);
    const directory = `/units/${lane}`;
    const own = new Map(treeOf(from));
    directories.set(directory, own);
    const workspace = { ...fakeWorkspace(own, plainStart), root: directory, directory };
    return { workspace, reporter, close: async () => void directories.delete(directory) };
  }

  function findAgent(agent: string) {
    const id = agent.split('-')[0] ?? agent;
    const sessionIds = options.sessionIds?.(agent) ?? 'chosen';
    const isSessionId = (text: string) => /^(?:chosen|given)-\d+$/.test(text);
    return { provider: { id, sessionIds, isSessionId, title: agent } as unknown as Provider, model: agent };
  }

  async function speak(turn: AgentTurn) {
    const mode = turn.session.mode;
    const id = turn.session.id ?? `given-${++ids}`;
    const earlier = sessions.get(id) ?? [];
    const agent = turn.model ?? '';
    world.calls.push({ agent, mode, id, prompt: turn.prompt });
    if (mode === 'resume' && !sessions.has(id))
      return ended({ failure: { kind: 'session-lost', message: 'no such session' } }, id);
    turn.onEvent({ type: 'session', id }, undefined);
    sessions.set(id, [...earlier, turn.prompt]);
    outputs.delete(turn.directory);
    const said = await play({ ...turn, agent, earlier }, filesIn(turn.directory));
    if (said.crash === true) throw new MachineLost();
    tick += said.durationMs ?? 0;
    outputs.set(turn.directory, said.output);
    for (const event of said.events ?? []) turn.onEvent(event, undefined);
    return ended(said, id);
  }

  return world;
}

function aborted(signal: AbortSignal): Promise<unknown> {
  return new Promise((resolve) => signal.addEventListener('abort', resolve));
}

const knownSessions = new WeakMap<World, Map<string, readonly string[]>>();

/** The conversations as the last checkpoint would bring them back. */
function sessionsOf(world: World | undefined): Map<string, readonly string[]> {
  return new Map(world === undefined ? [] : knownSessions.get(world));
}

function ended(said: Said, session: string) {
  const { failure, usage = {}, durationMs = 1 } = said;
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

const plainStart: Snapshot = { base: 'start', commit: 'start' };
trees.set('start', new Map());
let commits = 0;

function treeOf(snapshot: Snapshot | undefined): Files {
  return trees.get(snapshot?.commit ?? 'start') ?? new Map();
}

function fakeWorkspace(files: Map<string, string>, start: Snapshot): Ports['workspace'] {
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
    start,
    async record() {
      const changed = differences(last, files).length > 0;
      last = new Map(files);
      commits += 1;
      const commit = `commit-${commits}`;
      trees.set(commit, last);
      return { base: 'start', commit, leftOut: [], changed };
    },
    async disown() {
      last = new Map(files);
    },
    changes: async (from, to) => differences(treeOf(from), treeOf(to)),
    patch: async (from, to) =>
      differences(treeOf(from), treeOf(to))
        .map((one) => `${one.kind} ${one.path}`)
        .join('\n'),
    reset: async (snapshot) => replace(treeOf(snapshot)),
    pack: async () => Buffer.alloc(0),
    has: async () => true,
    unpack: async () => undefined,
    apply: async () => [],
    guard: async () => async () => undefined,
    ignored: async () => [],
    covers: async () => false,
    emptyOutput: async () => undefined,
    removeOutput: async () => undefined,
    units: fakeUnits(start),
  };
}

/** Merges whole files: two units that changed one file clash. */
function fakeUnits(start: Snapshot): Ports['workspace']['units'] {
  return {
    requireGit: async () => undefined,
    open: async (directory, from) => ({
      workspace: { ...fakeWorkspace(new Map(treeOf(from)), start), root: directory, directory },
      close: async () => undefined,
    }),
    async merge(base, units) {
      const merged = new Map(treeOf(base));
      const owners = new Map<string, string>();
      for (const { name, snapshot } of units) {
        const tree = treeOf(snapshot);
        for (const { path } of differences(treeOf(base), tree)) {
          const earlier = owners.get(path);
          if (earlier !== undefined) return { status: 'conflict', files: [path], units: [name, earlier] };
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

/** File by file: two units that leave other contents at one path clash. */
async function merge(base: Snapshot, units: readonly UnitResult[]): Promise<Merge> {
  const before = treeOf(base);
  const merged = new Map(before);
  const owners = new Map<string, string>();
  for (const { name, snapshot } of units) {
    for (const { path } of differences(before, treeOf(snapshot))) {
      const content = treeOf(snapshot).get(path);
      const owner = owners.get(path);
      const isTaken = owner !== undefined && merged.get(path) !== content;
      // A unit that began on top of the other's change has that in its own.
      if (isTaken && !content?.includes(merged.get(path) ?? ''))
        return { status: 'conflict', files: [path], units: [owner, name] };
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
