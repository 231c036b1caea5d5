/** The sessions of all CLIs of a job in the runner user's home. Each provider uses files or its own commands. */
import type { ProcessRunner } from '../system/process.js';
import { createCommandSessions } from './command-sessions.js';
import { createFileSessions } from './file-sessions.js';
import type { PlacedSession, SessionLocation, SessionStore } from './session-store.js';

export interface HomeSessionsOptions {
  readonly processes: ProcessRunner;
  /** A private directory for the files that session commands read. */
  readonly importDirectory: string;
  /** What an earlier process of the same job placed. */
  readonly alreadyPlaced?: readonly PlacedSession[];
}

export function createHomeSessions(options: HomeSessionsOptions): SessionStore {
  const { processes, importDirectory, alreadyPlaced = [] } = options;
  const files = createFileSessions(alreadyPlaced.filter((session) => session.files.length > 0));
  const commands = createCommandSessions(
    { processes, directory: importDirectory },
    alreadyPlaced.filter((session) => session.files.length === 0),
  );
  const storeOf = ({ provider }: SessionLocation) =>
    provider.sessionCommands === undefined ? files : commands;
  return {
    create: (location) => storeOf(location).create(location),
    export: (location) => storeOf(location).export(location),
    exportRunning: (location, signal) => storeOf(location).exportRunning(location, signal),
    hasOnlyGrown: (location, mark) => storeOf(location).hasOnlyGrown(location, mark),
    readUsage: (location) => storeOf(location).readUsage(location),
    import: (location, copies, mark) => storeOf(location).import(location, copies, mark),
    remove: (location) => storeOf(location).remove(location),
    placed: () => [...files.placed(), ...commands.placed()],
  };
}
