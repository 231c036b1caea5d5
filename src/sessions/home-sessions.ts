/**
 * The sessions of all CLIs of a job: by files or by commands, as the provider has it. Knows what of this run
 * lies in the runner user's home, as plain data, because `post` is another process.
 */
import type { SessionMark } from '../journal/event.js';
import type { Provider, Usage } from '../providers/provider.js';
import type { CommandPlace, CommandSessions } from './command-sessions.js';
import type {
  BroughtBack,
  KeptSession,
  PlacedFile,
  SessionFile,
  SessionPlace,
  SessionStore,
} from './session-store.js';

/** A session of ours in the database of a CLI. */
export interface PlacedSession {
  readonly provider: string;
  readonly id: string;
}

export type Placed = PlacedFile | PlacedSession;

export interface HomePlace extends SessionPlace {
  readonly provider: SessionPlace['provider'] & Pick<Provider, 'id' | 'environment'>;
}

export interface HomeSessions {
  /** Makes a new session known to its CLI where it needs that; false: the CLI has to give the id itself. */
  begin(place: HomePlace): Promise<boolean>;
  keep(place: HomePlace): Promise<KeptSession>;
  spent(place: HomePlace): Promise<Usage>;
  bringBack(place: HomePlace, copies: readonly SessionFile[], mark?: SessionMark): Promise<BroughtBack>;
  /** Everything of this run that lies in home folders now. */
  placed(): readonly Placed[];
}

/** `already`: what an earlier process of the same job has placed; `files` has to know its own part of it. */
export function createHomeSessions(
  files: SessionStore,
  commands: CommandSessions,
  already: readonly Placed[] = [],
): HomeSessions {
  const begun = new Map<string, PlacedSession>();
  const note = (session: PlacedSession) => begun.set(`${session.provider}/${session.id}`, session);
  for (const placed of already) if (!('path' in placed)) note(placed);
  /** The place of a session that goes by commands, noted as ours; `undefined`: it goes by files. */
  const byCommands = (place: HomePlace): CommandPlace | undefined => {
    const { sessionCommands } = place.provider;
    if (sessionCommands === undefined) return undefined;
    note({ provider: place.provider.id, id: place.id });
    return { ...place, provider: { ...place.provider, sessionCommands } };
  };
  return {
    async begin(place) {
      const command = byCommands(place);
      return command === undefined || commands.begin(command);
    },
    async keep(place) {
      const command = byCommands(place);
      return command === undefined ? files.keep(place) : commands.keep(command);
    },
    async spent(place) {
      return place.provider.sessionCommands === undefined ? files.spent(place) : {};
    },
    async bringBack(place, copies, mark) {
      const command = byCommands(place);
      return command === undefined
        ? files.bringBack(place, copies, mark)
        : commands.bringBack(command, copies, mark);
    },
    placed: () => [...files.placed(), ...begun.values()],
  };
}
