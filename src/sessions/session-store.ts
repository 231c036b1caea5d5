/**
 * One interface to save and restore the sessions of a CLI. It has two implementations: `file-sessions.ts` for
 * CLIs that keep sessions in files of their home folder, and `command-sessions.ts` for CLIs that export and
 * import sessions with their own commands. `home-sessions.ts` chooses one per provider.
 */
import type { SessionMark } from '../journal/event.js';
import type { Provider, Usage } from '../providers/provider.js';
import type { Environment } from '../system/environment.js';
import type { PlacedFile } from './place-file.js';
import type { SessionFile } from './session-mark.js';

export interface SessionRef {
  readonly provider: string;
  /** Names a folder in the store of copies, so check it first with `isSessionId` of its provider. */
  readonly id: string;
}

/** Which session is meant, and where its agent runs. */
export interface SessionLocation {
  readonly provider: Pick<
    Provider,
    'id' | 'title' | 'isSessionId' | 'environment' | 'sessionFiles' | 'sessionCommands'
  >;
  readonly id: string;
  /** The agent's working directory, absolute. */
  readonly directory: string;
  /** The environment of the agent. HOME and the CLI's own variable determine the home folder of the CLI. */
  readonly environment: Environment;
}

/** A session that this run created or restored in the runner user's home. Plain data, because `post` is another process. */
export interface PlacedSession extends SessionRef {
  /** Empty if the CLI keeps its sessions in a database. */
  readonly files: readonly PlacedFile[];
}

/** A copy of a session, for the next checkpoint. */
export interface ExportedSession {
  readonly files: readonly SessionFile[];
  readonly mark: SessionMark;
  /** `false`: the copy can only be restored as it is, so earlier copies of the session are still needed (S13). */
  readonly includesEarlierPoints: boolean;
}

export type SessionExportResult =
  | ({ readonly status: 'exported' } & ExportedSession)
  /** This machine has no such session. */
  | { readonly status: 'none' }
  /** The session exists but cannot be copied. `reason` completes a warning. */
  | { readonly status: 'skipped'; readonly reason: string };

export type SessionImportResult =
  | { readonly status: 'imported' }
  /** The session cannot be rolled back to the mark: it was rewritten since, or is another session (S13). */
  | { readonly status: 'session-ahead'; readonly reason: string }
  /** Nothing was written. `reason` completes a warning. */
  | { readonly status: 'refused'; readonly reason: string };

export interface SessionStore {
  /** Creates an empty session with our id if the CLI needs that; `false`: the CLI must choose the id itself. */
  create(location: SessionLocation): Promise<boolean>;
  /** Copies the session as it is now. An exported session belongs to this run, so `placed` lists it. */
  export(location: SessionLocation): Promise<SessionExportResult>;
  /**
   * Copies the session while its CLI writes to it, up to the end of its last complete line. A signal ends a command of
   * the CLI.
   */
  exportRunning(location: SessionLocation, signal: AbortSignal): Promise<SessionExportResult>;
  /** Whether the session still begins with what was copied up to this mark, so that the copy is a point of it. */
  hasOnlyGrown(location: SessionLocation, mark: SessionMark): Promise<boolean>;
  /** What the session has spent according to the CLI. Numbers that the CLI does not report are absent. */
  readUsage(location: SessionLocation): Promise<Usage>;
  /**
   * Restores a session from its copies: at `mark`, or at the newest copy without one. Writes everything or
   * nothing. Rejects only if the disk fails.
   */
  import(
    location: SessionLocation,
    copies: readonly SessionFile[],
    mark?: SessionMark,
  ): Promise<SessionImportResult>;
  /** Removes a session of this run from the home. A session that no longer exists is no error. */
  remove(location: SessionLocation): Promise<void>;
  /** The sessions of this run that are in the home now. */
  placed(): readonly PlacedSession[];
}

export function sessionRefOf({ provider, id }: SessionLocation): SessionRef {
  return { provider: provider.id, id };
}

export function invalidIdReason({ provider, id }: SessionLocation): string {
  return `${JSON.stringify(id)} is not a session id of ${provider.title}`;
}

export function tooLargeReason(bytes: number, maxBytes: number): string {
  return `the session has ${bytes} bytes, more than the ${maxBytes} that a checkpoint stores`;
}
