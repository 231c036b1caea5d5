/** Remembers which sessions of this run are in the runner user's home, including those of an earlier process of the job. */
import type { PlacedFile } from './place-file.js';
import type { PlacedSession, SessionRef } from './session-store.js';

export interface PlacedSessions {
  /** Adds a session, or files to it. */
  add(session: SessionRef, files?: readonly PlacedFile[]): void;
  hasFile(path: string): boolean;
  filesOf(session: SessionRef): readonly PlacedFile[];
  remove(session: SessionRef): void;
  list(): readonly PlacedSession[];
}

export function openPlacedSessions(alreadyPlaced: readonly PlacedSession[]): PlacedSessions {
  const sessions = new Map<string, PlacedSession>();
  const hasFile = (path: string) =>
    [...sessions.values()].some(({ files }) => files.some((file) => file.path === path));
  const placed: PlacedSessions = {
    add({ provider, id }, files = []) {
      const before = placed.filesOf({ provider, id });
      // The first entry stays: it knows which file of the user was moved aside.
      const added = files.filter(({ path }) => !hasFile(path));
      sessions.set(keyOf({ provider, id }), { provider, id, files: [...before, ...added] });
    },
    hasFile,
    filesOf: (session) => sessions.get(keyOf(session))?.files ?? [],
    remove: (session) => void sessions.delete(keyOf(session)),
    list: () => [...sessions.values()],
  };
  for (const session of alreadyPlaced) placed.add(session, session.files);
  return placed;
}

function keyOf({ provider, id }: SessionRef): string {
  return `${provider}/${id}`;
}
