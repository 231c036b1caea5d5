/**
 * Sessions in files of a CLI's home folder: copies them, restores them on another machine, and removes them at
 * the end of the job. The provider lists the files of a session. This module reads and writes nothing else, in
 * both directions, because a checkpoint may be old and agents could write on the machine that made it.
 */
import { join } from 'node:path';
import type { SessionMark } from '../journal/event.js';
import type { Usage } from '../providers/provider.js';
import { sessionHome } from '../providers/session-home.js';
import { readRegularFile } from '../system/regular-file.js';
import { userHome } from '../system/user-home.js';
import { findFiles, pathMatcher, type SessionFileInfo } from './find-files.js';
import { viewHome } from './home-view.js';
import { type PlacedFile, PlaceFileError, placeFile, removePlacedFile } from './place-file.js';
import { openPlacedSessions, type PlacedSessions } from './placed-sessions.js';
import { mainFile, mainFileAt, markOfFiles, type SessionFile, withCompleteLines } from './session-mark.js';
import {
  invalidIdReason,
  type PlacedSession,
  type SessionExportResult,
  type SessionImportResult,
  type SessionLocation,
  type SessionStore,
  sessionRefOf,
  tooLargeReason,
} from './session-store.js';

export interface SessionLimits {
  /** Of all files of one session together. */
  readonly bytes: number;
}

const defaultLimits: SessionLimits = { bytes: 200_000_000 };

/** Starts with the sessions that an earlier process of the same job has placed. */
export function createFileSessions(
  alreadyPlaced: readonly PlacedSession[] = [],
  limits: SessionLimits = defaultLimits,
): SessionStore {
  const placed = openPlacedSessions(alreadyPlaced);
  return {
    // The CLI creates the files itself.
    create: async () => true,
    export: async (location) => noteExported(placed, location, await readSession(location, limits)),
    exportRunning: async (location) =>
      noteExported(placed, location, await readRunningSession(location, limits)),
    async hasOnlyGrown(location, mark) {
      if (location.provider.sessionFiles.isDatabase) return true;
      const now = await readSession(location, limits);
      const main = now.status === 'exported' ? mainFile(now.files) : undefined;
      return main !== undefined && mainFileAt([], main, mark, location.provider.sessionFiles) !== undefined;
    },
    readUsage: (location) => readSessionUsage(location, limits),
    async import(location, copies, mark) {
      const plan = planImport(location, copies, mark);
      return 'status' in plan ? plan : placeFiles(location, plan.files, placed);
    },
    async remove(location) {
      await removeFiles(placed.filesOf(sessionRefOf(location)));
      placed.remove(sessionRefOf(location));
    },
    placed: placed.list,
  };
}

/** An exported session belongs to this run. */
function noteExported(
  placed: PlacedSessions,
  location: SessionLocation,
  exported: SessionExportResult,
): SessionExportResult {
  if (exported.status !== 'exported') return exported;
  const home = homeOf(location);
  placed.add(
    sessionRefOf(location),
    exported.files.map((file) => ({ path: join(home, file.path) })),
  );
  return exported;
}

/**
 * The session while its CLI writes to it. Nothing can stop the CLI for that moment, so a line may be half written, and
 * of a database one file may be newer than the other.
 */
async function readRunningSession(
  location: SessionLocation,
  limits: SessionLimits,
): Promise<SessionExportResult> {
  const { sessionFiles, title } = location.provider;
  const session = await readSession(location, limits);
  if (session.status !== 'exported') return session;
  if (sessionFiles.isDatabase) {
    const again = await readSession(location, limits);
    if (again.status === 'exported' && again.mark.sha256 === session.mark.sha256) return session;
    return { status: 'skipped', reason: `${title} wrote to its database while it was copied` };
  }
  const files = session.files.map(withCompleteLines);
  const mark = markOfFiles(files, sessionFiles);
  return mark === undefined || mark.length === 0 ? { status: 'none' } : { ...session, files, mark };
}

async function readSession(location: SessionLocation, limits: SessionLimits): Promise<SessionExportResult> {
  const { provider, id } = location;
  if (!provider.isSessionId(id)) return { status: 'skipped', reason: invalidIdReason(location) };
  const home = homeOf(location);
  const found = newestOfEach(
    location,
    await findFiles(home, provider.sessionFiles.patterns(id, location.directory)),
  );
  const bytes = found.reduce((sum, file) => sum + file.bytes, 0);
  if (bytes > limits.bytes) {
    return { status: 'skipped', reason: tooLargeReason(bytes, limits.bytes) };
  }
  const files: SessionFile[] = [];
  for (const { path } of found) {
    const content = await readRegularFile(join(home, path), limits.bytes);
    if (content !== undefined) files.push({ path, content });
  }
  const mark = markOfFiles(files, provider.sessionFiles);
  return mark === undefined
    ? { status: 'none' }
    : { status: 'exported', files, mark, includesEarlierPoints: true };
}

async function readSessionUsage(location: SessionLocation, limits: SessionLimits): Promise<Usage> {
  const { sessionFiles } = location.provider;
  if (sessionFiles.readUsage === undefined) return {};
  const session = await readSession(location, limits);
  const main = session.status === 'exported' ? mainFile(session.files) : undefined;
  return main ? sessionFiles.readUsage(main.content) : {};
}

/** Plans which content goes to which path. Refuses before the disk changes. */
function planImport(
  location: SessionLocation,
  copies: readonly SessionFile[],
  mark: SessionMark | undefined,
): { readonly files: readonly SessionFile[] } | SessionImportResult {
  const { provider, id, directory } = location;
  const refused = (reason: string): SessionImportResult => ({ status: 'refused', reason });
  if (!provider.isSessionId(id)) return refused(invalidIdReason(location));
  const main = mainFile(copies);
  if (main === undefined) return refused(`the checkpoint has no file of ${provider.title} session ${id}`);
  const rolledBack =
    mark === undefined ? main.content : mainFileAt(copies, main, mark, provider.sessionFiles);
  if (rolledBack === undefined) {
    const reason = `${provider.title} session ${id} cannot be rolled back to the end of that attempt`;
    return { status: 'session-ahead', reason };
  }
  const isListed = pathMatcher(provider.sessionFiles.patterns(id, directory));
  const planned = copies.map((file) => ({
    path: targetOf(location, file.path),
    content: rewritten(file === main ? rolledBack : file.content, location),
  }));
  const paths = planned.map((file) => file.path);
  const stray = paths.find((path, index) => !isListed(path) || paths.indexOf(path) !== index);
  if (stray !== undefined)
    return refused(`\`${stray}\` is not a valid path for a session file of ${provider.title}`);
  return { files: planned };
}

async function placeFiles(
  location: SessionLocation,
  files: readonly SessionFile[],
  placed: PlacedSessions,
): Promise<SessionImportResult> {
  const home = homeOf(location);
  const done: PlacedFile[] = [];
  try {
    for (const file of files) done.push(await placeFile(home, file.path, file.content, placed.hasFile));
  } catch (error) {
    await removeFiles(done);
    if (error instanceof PlaceFileError) return { status: 'refused', reason: error.message };
    throw error;
  }
  placed.add(sessionRefOf(location), done);
  return { status: 'imported' };
}

/** Removes session files and puts the user's files that were moved aside back. */
async function removeFiles(placed: readonly PlacedFile[]): Promise<void> {
  for (const file of [...placed].reverse()) await removePlacedFile(file);
}

/** The path of a session file on this machine. */
function targetOf(location: SessionLocation, file: string): string {
  const { provider, id, directory } = location;
  return provider.sessionFiles.restorePath(file, id, directory, viewHome(homeOf(location)));
}

function homeOf(location: SessionLocation): string {
  return sessionHome(
    location.provider.sessionFiles.home,
    location.environment,
    location.directory,
    userHome(location.environment),
  );
}

function rewritten(content: Buffer, location: SessionLocation): Buffer {
  return location.provider.sessionFiles.rewrite?.(content, location.directory) ?? content;
}

/**
 * A session may be in two folders if an earlier job ran in another workspace and could not clean up. Both
 * would be restored to the same path, so the file that was written last counts.
 */
function newestOfEach(
  location: SessionLocation,
  files: readonly SessionFileInfo[],
): readonly SessionFileInfo[] {
  const newest = new Map<string, SessionFileInfo>();
  for (const file of files) {
    const target = targetOf(location, file.path);
    const other = newest.get(target);
    if (other === undefined || file.modifiedMs > other.modifiedMs) newest.set(target, file);
  }
  return [...newest.values()];
}
