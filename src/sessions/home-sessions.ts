/**
 * The sessions of all CLIs of a job: by files or by commands, as the provider has it. Knows what of this run
 * lies in the runner user's home, as plain data, because `post` is another process.
 */
import type { SessionMark } from '../journal/event.js';
import type { Provider, Usage } from '../providers/provider.js';
import type { CommandSessionLocation, CommandSessions } from './command-sessions.js';
import type {
  PlacedFile,
  SessionExportResult,
  SessionFile,
  SessionImportResult,
  SessionLocation,
  SessionStore,
} from './session-store.js';

/** A session of ours in the database of a CLI. */
export interface PlacedSession {
  readonly provider: string;
  readonly id: string;
}

export type Placed = PlacedFile | PlacedSession;

export interface HomeSessionLocation extends SessionLocation {
  readonly provider: SessionLocation['provider'] & Pick<Provider, 'id' | 'environment'>;
}

export interface HomeSessions {
  /** Makes a new session known to its CLI where it needs that; false: the CLI has to give the id itself. */
  create(place: HomeSessionLocation): Promise<boolean>;
  export(place: HomeSessionLocation): Promise<SessionExportResult>;
  readUsage(place: HomeSessionLocation): Promise<Usage>;
  import(
    place: HomeSessionLocation,
    copies: readonly SessionFile[],
    mark?: SessionMark,
  ): Promise<SessionImportResult>;
  /** Everything of this run that lies in home folders now. */
  placed(): readonly Placed[];
}

/** `already`: what an earlier process of the same job has placed; `files` has to know its own part of it. */
export function createHomeSessions(
  files: SessionStore,
  commands: CommandSessions,
  alreadyPlaced: readonly Placed[] = [],
): HomeSessions {
  const placedSessions = new Map<string, PlacedSession>();
  const recordPlaced = (session: PlacedSession) =>
    placedSessions.set(`${session.provider}/${session.id}`, session);
  for (const placed of alreadyPlaced) if (!('path' in placed)) recordPlaced(placed);
  /** The place of a session that goes by commands, noted as ours; `undefined`: it goes by files. */
  const commandLocation = (place: HomeSessionLocation): CommandSessionLocation | undefined => {
    const { sessionCommands } = place.provider;
    if (sessionCommands === undefined) return undefined;
    recordPlaced({ provider: place.provider.id, id: place.id });
    return { ...place, provider: { ...place.provider, sessionCommands } };
  };
  return {
    async create(place) {
      const command = commandLocation(place);
      return command === undefined || commands.create(command);
    },
    async export(place) {
      const command = commandLocation(place);
      return command === undefined ? files.export(place) : commands.export(command);
    },
    async readUsage(place) {
      return place.provider.sessionCommands === undefined ? files.readUsage(place) : {};
    },
    async import(place, copies, mark) {
      const command = commandLocation(place);
      return command === undefined
        ? files.import(place, copies, mark)
        : commands.import(command, copies, mark);
    },
    placed: () => [...files.placed(), ...placedSessions.values()],
  };
}
