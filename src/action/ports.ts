/** The engine's ports over the real world. */

import { randomUUID } from 'node:crypto';
import { mkdir, rm } from 'node:fs/promises';
import { userInfo } from 'node:os';
import { join } from 'node:path';
import { createCheckpointer } from '../checkpoint/checkpointer.js';
import type { Saver } from '../checkpoint/saver.js';
import type { Ports } from '../engine/ports.js';
import { openProject } from '../gates/project.js';
import type { Journal } from '../journal/journal.js';
import { defined } from '../optional-keys.js';
import { systemClock } from '../system/clock.js';
import { processRunner } from '../system/run-process.js';
import { readOutput } from '../workspace/read-output.js';
import { createAgents } from './agents.js';
import { createContext } from './context.js';
import { commandSources, createGates } from './gates.js';
import { type HandoverFile, privatePaths } from './handover.js';
import { keepCheckpoint } from './kept-checkpoint.js';
import type { Backstage, RunRequest } from './run-context.js';
import { createSessions } from './sessions.js';
import { createSetUp, createUnits } from './units.js';

export interface PortParts {
  readonly journal: Journal;
  readonly saver: Saver;
  readonly handover: HandoverFile;
}

export function makePorts(backstage: Backstage, parts: PortParts): Ports {
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
    units: units(backstage),
    context: createContext({ processes: processRunner, env: backstage.request.gateEnvironment.env }),
    readOutput,
    async bareDirectory(step) {
      const directory = backstage.places.bare(step);
      await rm(directory, { recursive: true, force: true });
      await mkdir(join(directory, '.gump', 'out'), { recursive: true });
      return directory;
    },
  };
}

function agents({ request, sessions, environmentOf }: Backstage, { handover }: PortParts) {
  const running = new Set<number>();
  const tell = () => handover.update({ agentPids: [...running] });
  return createAgents({
    ...request.setting,
    processes: request.clis.processes,
    versionOf: request.clis.versionOf,
    provide: (provider, signal) => request.clis.provide([provider], signal),
    args: request.setting.inputs.agentArgs,
    passEnv: request.setting.inputs.passEnv,
    isRoot: userInfo().uid === 0,
    settingsDirectory: privatePaths(request.privateDirectory).settings,
    async beginSession(provider, id, directory) {
      const isBegun = await sessions.begin({ provider, id, directory, environment: environmentOf(provider) });
      handover.update({ placed: sessions.placed() });
      return isBegun;
    },
    onProcess(pid) {
      running.add(pid);
      tell();
      return () => {
        running.delete(pid);
        tell();
      };
    },
    debug: request.setting.log.debug,
  });
}

function gates({ request }: Backstage) {
  const { gateTimeoutMs } = request.settings;
  return createGates({
    processes: processRunner,
    projectOf: (directory) =>
      directory === request.workspace.directory
        ? request.project
        : openProject(directory, request.gateEnvironment.env.PATH),
    clock: systemClock,
    commands: commandSources(request.setting.inputs, request.settings),
    ...defined({ timeoutMs: gateTimeoutMs }),
    handed: request.gateEnvironment,
    log: request.setting.log,
  });
}

function sessions({ live, sessions: store, shelf, environmentOf }: Backstage, { handover }: PortParts) {
  return createSessions({
    store,
    shelf,
    environmentOf,
    onPlaced: () => handover.update({ placed: store.placed() }),
    warn: live.warn,
  });
}

function units({ request, places, live }: Backstage) {
  return createUnits({ workspace: request.workspace, places, live, setUp: setUpOf(request) });
}

/** The user's command for fresh work trees. */
export function setUpOf({ setting, gateEnvironment }: RunRequest) {
  const { worktreeSetup } = setting.inputs;
  return createSetUp({
    processes: processRunner,
    env: gateEnvironment.env,
    log: setting.log,
    ...defined({ command: worktreeSetup }),
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
