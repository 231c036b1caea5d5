/** The real implementations of the engine's ports. */

import { randomUUID } from 'node:crypto';
import { mkdir, rm } from 'node:fs/promises';
import { join, relative } from 'node:path';
import type { Chain } from '../checkpoint/chain.js';
import { createCheckpointBuilder } from '../checkpoint/checkpoint-builder.js';
import type { CheckpointWriter } from '../checkpoint/checkpoint-writer.js';
import type { EnginePorts } from '../engine/engine-ports.js';
import type { PreviousRuns } from '../engine/previous-run.js';
import { withEarlierVariables } from '../event/earlier-variables.js';
import { openProject } from '../gates/project.js';
import type { JournalFile } from '../journal/journal.js';
import { defined } from '../optional-keys.js';
import { previousUseOf } from '../plan/previous-use.js';
import { systemClock } from '../system/clock.js';
import { processRunner } from '../system/run-process.js';
import { countLines } from '../workspace/count-lines.js';
import { readOutput } from '../workspace/read-output.js';
import type { Workspace } from '../workspace/workspace.js';
import { createAgents } from './agents.js';
import { createBranchWorktrees, createWorktreeSetup } from './branch-worktrees.js';
import { createContextSource } from './context-source.js';
import { commandSources, createGateRunner } from './gate-runner.js';
import { saveLocalCheckpoint } from './local-checkpoint.js';
import { type PostStateFile, privatePaths } from './post-state.js';
import type { RunContext, RunPorts } from './run-context.js';
import { createSessionPort } from './session-port.js';
import { createTranscripts } from './transcript-files.js';

export interface PortDependencies {
  readonly journal: JournalFile;
  readonly checkpointWriter: CheckpointWriter;
  readonly chain: Chain;
  readonly postState: PostStateFile;
  readonly previous?: PreviousRuns;
}

export function createPorts(runContext: RunContext, dependencies: PortDependencies): RunPorts {
  return {
    journal: dependencies.journal,
    workspace: runContext.request.workspace,
    agents: buildAgentPort(runContext, dependencies),
    gates: buildGatePort(runContext, dependencies.previous),
    sessions: buildSessionPort(runContext, dependencies),
    checkpoints: buildCheckpointPort(runContext, dependencies),
    reporter: runContext.live,
    ...transcriptPort(runContext),
    clock: systemClock,
    ...defined({ previous: dependencies.previous }),
    newId: randomUUID,
    branches: buildBranchPort(runContext),
    context: createContextSource({
      processes: processRunner,
      foreignCode: runContext.foreignCode,
      env: runContext.request.gateEnvironment.env,
      readVariables: commandVariables(runContext, dependencies.previous),
    }),
    event: runContext.eventOfRun.values,
    readOutput,
    countLines,
    async createBareDirectory(step) {
      const directory = runContext.agentDirectories.bareDirectory(step);
      await rm(directory, { recursive: true, force: true });
      await mkdir(join(directory, '.gump', 'out'), { recursive: true });
      return directory;
    },
  };
}

function buildAgentPort(
  { request, sessions, foreignCode, environmentOf, stateStorage }: RunContext,
  { postState }: PortDependencies,
) {
  const running = new Set<number>();
  const saveRunning = () => postState.update({ agentPids: [...running] });
  return createAgents({
    ...request.actionContext,
    processes: request.clis.processes,
    foreignCode,
    versionOf: request.clis.versionOf,
    findReplaced: request.clis.findReplaced,
    ensureInstalled: (provider, signal) => request.clis.ensureInstalled([provider], signal),
    args: request.actionContext.inputs.agentArgs,
    passEnv: request.actionContext.inputs.passEnv,
    sealedBy: stateStorage.secrets.flatMap(({ kind, name }) => (kind === 'credential' ? [name] : [])),
    isRoot: process.getuid?.() === 0,
    settingsDirectory: privatePaths(request.privateDirectory).settings,
    async createSession(provider, id, directory) {
      const isBegun = await sessions.create({
        provider,
        id,
        directory,
        environment: environmentOf(provider),
      });
      postState.update({ placed: sessions.placed() });
      return isBegun;
    },
    onProcess(pid) {
      running.add(pid);
      saveRunning();
      return () => {
        running.delete(pid);
        saveRunning();
      };
    },
    debug: request.actionContext.log.debug,
    now: systemClock.now,
    whenReady: request.actionContext.log.whenDrained,
  });
}

/** What commands get as variables. */
function commandVariables({ request, eventOfRun }: RunContext, previous: PreviousRuns | undefined) {
  const names = previousUseOf(request.plan)?.names ?? new Set<string>();
  return withEarlierVariables(eventOfRun.readVariables, previous, names);
}

/** Also used before the run, for the gates of reused steps. */
export function buildGatePort(runContext: RunContext, previous?: PreviousRuns) {
  const { request, foreignCode } = runContext;
  const { gateTimeoutMs } = request.settings;
  return createGateRunner({
    processes: processRunner,
    foreignCode,
    projectOf: (directory) =>
      directory === request.workspace.directory
        ? request.project
        : openProject(directory, request.gateEnvironment.env.PATH),
    clock: systemClock,
    commands: commandSources(request.actionContext.inputs, request.settings),
    ...defined({ timeoutMs: gateTimeoutMs }),
    prefix: prefixOf(request.workspace),
    filteredEnvironment: request.gateEnvironment,
    readVariables: commandVariables(runContext, previous),
    log: request.actionContext.log,
  });
}

function transcriptPort({ request, live }: RunContext): Pick<EnginePorts, 'transcripts'> {
  const { inputs, redact } = request.actionContext;
  if (!inputs.transcripts) return {};
  const directory = privatePaths(request.privateDirectory).results;
  return { transcripts: createTranscripts({ directory, redact, warn: live.warn }) };
}

function prefixOf({ root, directory }: Workspace): string {
  return directory === root ? '' : `${relative(root, directory)}/`;
}

function buildSessionPort(
  { live, sessions: store, sessionCopies, environmentOf }: RunContext,
  { postState }: PortDependencies,
) {
  return createSessionPort({
    store,
    sessionCopies,
    environmentOf,
    onPlaced: () => postState.update({ placed: store.placed() }),
    warn: live.warn,
  });
}

function buildBranchPort(runContext: RunContext) {
  const { request, agentDirectories, live } = runContext;
  return createBranchWorktrees({
    workspace: request.workspace,
    agentDirectories,
    live,
    setUp: buildWorktreeSetup(runContext),
  });
}

/** Runs the user's command for fresh worktrees (input `worktree-setup`). */
export function buildWorktreeSetup({ request, foreignCode }: RunContext) {
  const { actionContext, gateEnvironment } = request;
  const { worktreeSetup } = actionContext.inputs;
  return createWorktreeSetup({
    processes: processRunner,
    foreignCode,
    env: gateEnvironment.env,
    log: actionContext.log,
    ...defined({ command: worktreeSetup }),
  });
}

function buildCheckpointPort(
  { request, stateStorage, sessionCopies }: RunContext,
  { journal, checkpointWriter, chain, postState }: PortDependencies,
) {
  const { privateDirectory, signal } = request;
  return createCheckpointBuilder({
    checkpointWriter,
    chain,
    secrets: stateStorage.secrets,
    workspace: request.workspace,
    sessionCopies,
    journal: journal.content,
    isDisabled: stateStorage.unavailableReason !== undefined,
    onCancel: {
      signal,
      async saveLocally(checkpoint) {
        postState.update({ kept: await saveLocalCheckpoint(privateDirectory, checkpoint) });
      },
    },
  });
}
