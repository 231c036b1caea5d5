/** The engine's ports over the real world. */
import { randomUUID } from 'node:crypto';
import { userInfo } from 'node:os';
import { createCheckpointer } from '../checkpoint/checkpointer.js';
import type { Saver } from '../checkpoint/saver.js';
import type { Ports } from '../engine/ports.js';
import type { Journal } from '../journal/journal.js';
import { systemClock } from '../system/clock.js';
import { processRunner } from '../system/run-process.js';
import { readOutput } from '../workspace/read-output.js';
import { createAgents } from './agents.js';
import { commandSources, createGates } from './gates.js';
import { type HandoverFile, privatePaths } from './handover.js';
import { keepCheckpoint } from './kept-checkpoint.js';
import { createSessions } from './sessions.js';
import type { Backstage } from './stage.js';

export interface PortParts {
  readonly journal: Journal;
  readonly saver: Saver;
  readonly handover: HandoverFile;
}

export function makePorts(backstage: Backstage, parts: PortParts): Ports {
  const { directory } = backstage.request.workspace;
  return {
    journal: parts.journal,
    workspace: backstage.request.workspace,
    agents: agents(backstage, parts),
    gates: gates(backstage),
    sessions: sessions(backstage, parts),
    checkpoints: checkpoints(backstage, parts),
    reporter: backstage.live,
    clock: systemClock,
    newId: randomUUID,
    readOutput: (name) => readOutput(directory, name),
  };
}

function agents({ request, sessions, environmentOf }: Backstage, { handover }: PortParts) {
  const { directory } = request.workspace;
  return createAgents({
    ...request.setting,
    processes: processRunner,
    passEnv: request.setting.inputs.passEnv,
    directory,
    isRoot: userInfo().uid === 0,
    settingsDirectory: privatePaths(request.privateDirectory).settings,
    async beginSession(provider, id) {
      const isBegun = await sessions.begin({ provider, id, directory, environment: environmentOf(provider) });
      handover.update({ placed: sessions.placed() });
      return isBegun;
    },
    onProcess: (pid) => handover.update({ agentPid: pid ?? null }),
    debug: request.setting.log.debug,
  });
}

function gates({ request }: Backstage) {
  return createGates({
    processes: processRunner,
    project: request.project,
    clock: systemClock,
    commands: commandSources(request.setting.inputs),
    directory: request.workspace.directory,
    handed: request.gateEnvironment,
    log: request.setting.log,
  });
}

function sessions(
  { request, live, sessions: store, shelf, environmentOf }: Backstage,
  { handover }: PortParts,
) {
  return createSessions({
    store,
    shelf,
    directory: request.workspace.directory,
    environmentOf,
    onPlaced: () => handover.update({ placed: store.placed() }),
    warn: live.warn,
  });
}

function checkpoints({ request, state, shelf }: Backstage, { saver, handover }: PortParts) {
  const { privateDirectory, signal } = request;
  return createCheckpointer({
    saver,
    secrets: state.secrets,
    workspace: request.workspace,
    shelf,
    journalFile: privatePaths(privateDirectory).journal,
    isOff: state.obstacle !== undefined,
    urgency: {
      signal,
      async keep(checkpoint) {
        await keepCheckpoint(privateDirectory, checkpoint);
        handover.update({ kept: checkpoint.key, usedSequence: saver.usedSequence });
      },
    },
  });
}
