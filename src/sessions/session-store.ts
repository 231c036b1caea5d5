/**
 * Conversations on disk: copies a session out of the home folder of its CLI, brings it back on another
 * machine, and takes it away at the end. Which files a session consists of, the provider says; that nothing
 * else is read or written is seen to here, at both ends: what comes from a checkpoint may be years old, and
 * was written where agents were at work.
 *
 * What was placed is kept as plain data (`placed`), because it is taken away by another process (`post`).
 */
import { homedir } from 'node:os';
import { join } from 'node:path';
import type { SessionMark } from '../journal/event.js';
import type { Provider, Usage } from '../providers/provider.js';
import { sessionHome } from '../providers/session-home.js';
import type { Environment } from '../system/environment.js';
import { readRegularFile } from '../system/regular-file.js';
import { findFiles, pathMatcher, type SessionFileInfo } from './find-files.js';
import { viewHome } from './home-view.js';
import { type PlacedFile, PlaceFileError, placeFile, removePlacedFile } from './place-file.js';
import { mainFile, mainFileAt, markOfFiles, type SessionFile } from './session-mark.js';

export type { PlacedFile, SessionFile };

/** Which conversation is meant, and where its agent runs. */
export interface SessionLocation {
  readonly provider: Pick<Provider, 'title' | 'isSessionId' | 'sessionFiles' | 'sessionCommands'>;
  readonly id: string;
  /** The agent's working directory, absolute. */
  readonly directory: string;
  /** The environment that the agent gets; its HOME and the CLI's own variable say where to look. */
  readonly environment: Environment;
}

export type SessionExportResult =
  | { readonly status: 'kept'; readonly files: readonly SessionFile[]; readonly mark: SessionMark }
  /** No file of this session is there. */
  | { readonly status: 'none' }
  /** It is there but is not kept; `reason` is a sentence for a warning. */
  | { readonly status: 'skipped'; readonly reason: string };

export type SessionImportResult =
  | { readonly status: 'there' }
  /** It cannot be cut back to the mark: it was rewritten since, or is another one (S13). */
  | { readonly status: 'session-ahead'; readonly reason: string }
  /** Nothing was written; `reason` is a sentence for a warning. */
  | { readonly status: 'refused'; readonly reason: string };

export interface SessionStore {
  /** Copies the session as it is now. What it finds was made in this run and goes away with `remove`. */
  export(place: SessionLocation): Promise<SessionExportResult>;
  /** What the session has spent by its own account; absent numbers where it does not say. */
  readUsage(place: SessionLocation): Promise<Usage>;
  /**
   * Writes kept files where this machine's CLI looks for them; with `mark`, as the session was then. A file
   * that is in the way is moved aside. Either all files are there or none. Rejects only for failures of the disk.
   */
  import(
    place: SessionLocation,
    files: readonly SessionFile[],
    mark?: SessionMark,
  ): Promise<SessionImportResult>;
  /** Everything of this run that lies in home folders now, to be handed to `removeSessions`. */
  placed(): readonly PlacedFile[];
}

export interface SessionLimits {
  /** Of all files of one session together. */
  readonly bytes: number;
}

const defaultLimits: SessionLimits = { bytes: 200_000_000 };

/** Takes the session files of a run away and puts back what had been in their way. */
export async function removeSessions(placed: readonly PlacedFile[]): Promise<void> {
  for (const file of [...placed].reverse()) await removePlacedFile(file);
}

/** The real store. It begins with what an earlier process of the same job has placed. */
export function createFileSessions(
  alreadyPlaced: readonly PlacedFile[] = [],
  limits: SessionLimits = defaultLimits,
): SessionStore {
  const placedFiles = new Map(alreadyPlaced.map((file) => [file.path, file]));
  const recordPlaced = (file: PlacedFile) => {
    // The first entry stays: it knows what was in the way before anything of ours was there.
    if (!placedFiles.has(file.path)) placedFiles.set(file.path, file);
  };
  return {
    async export(place) {
      const exported = await readSession(place, limits);
      if (exported.status === 'kept')
        for (const file of exported.files) recordPlaced({ path: join(homeOf(place), file.path) });
      return exported;
    },
    readUsage: (place) => readSessionUsage(place, limits),
    async import(place, files, mark) {
      const plan = planImport(place, files, mark);
      if ('status' in plan) return plan;
      return placeFiles(homeOf(place), plan.files, (path) => placedFiles.has(path), recordPlaced);
    },
    placed: () => [...placedFiles.values()],
  };
}

async function readSession(place: SessionLocation, limits: SessionLimits): Promise<SessionExportResult> {
  const { provider, id } = place;
  if (!provider.isSessionId(id)) return { status: 'skipped', reason: invalidIdReason(place) };
  const home = homeOf(place);
  const found = newestOfEach(
    place,
    await findFiles(home, provider.sessionFiles.patterns(id, place.directory)),
  );
  const bytes = found.reduce((sum, file) => sum + file.bytes, 0);
  if (bytes > limits.bytes) {
    return {
      status: 'skipped',
      reason: `the ${provider.title} session ${id} is too large to keep: ${bytes} bytes`,
    };
  }
  const files: SessionFile[] = [];
  for (const { path } of found) {
    const content = await readRegularFile(join(home, path), limits.bytes);
    if (content !== undefined) files.push({ path, content });
  }
  const mark = markOfFiles(files, provider.sessionFiles);
  return mark === undefined ? { status: 'none' } : { status: 'kept', files, mark };
}

async function readSessionUsage(place: SessionLocation, limits: SessionLimits): Promise<Usage> {
  const { sessionFiles } = place.provider;
  if (sessionFiles.readUsage === undefined) return {};
  const session = await readSession(place, limits);
  const main = session.status === 'kept' ? mainFile(session.files) : undefined;
  return main ? sessionFiles.readUsage(main.content) : {};
}

/** What will be written where: all that can be refused is refused here, before the disk is touched. */
function planImport(
  place: SessionLocation,
  files: readonly SessionFile[],
  mark: SessionMark | undefined,
): { readonly files: readonly SessionFile[] } | SessionImportResult {
  const { provider, id, directory } = place;
  const refused = (reason: string): SessionImportResult => ({ status: 'refused', reason });
  if (!provider.isSessionId(id)) return refused(invalidIdReason(place));
  const main = mainFile(files);
  if (main === undefined) return refused(`no file of the ${provider.title} session ${id} was kept`);
  const cut = mark === undefined ? main.content : mainFileAt(files, main, mark, provider.sessionFiles);
  if (cut === undefined) {
    const reason = `the ${provider.title} session ${id} cannot be put back to where it was after that step`;
    return { status: 'session-ahead', reason };
  }
  const isListed = pathMatcher(provider.sessionFiles.patterns(id, directory));
  const planned = files.map((file) => ({
    path: targetOf(place, file.path),
    content: rewritten(file === main ? cut : file.content, place),
  }));
  const paths = planned.map((file) => file.path);
  const stray = paths.find((path, index) => !isListed(path) || paths.indexOf(path) !== index);
  if (stray !== undefined) return refused(`"${stray}" is not a place for a ${provider.title} session file`);
  return { files: planned };
}

async function placeFiles(
  home: string,
  files: readonly SessionFile[],
  isOurs: (path: string) => boolean,
  recordPlaced: (file: PlacedFile) => void,
): Promise<SessionImportResult> {
  const done: PlacedFile[] = [];
  try {
    for (const file of files) done.push(await placeFile(home, file.path, file.content, isOurs));
  } catch (error) {
    await removeSessions(done);
    if (error instanceof PlaceFileError) return { status: 'refused', reason: error.message };
    throw error;
  }
  done.forEach(recordPlaced);
  return { status: 'there' };
}

/** Where a file of this session has to lie on this machine. */
function targetOf(place: SessionLocation, file: string): string {
  return place.provider.sessionFiles.restorePath(file, place.id, place.directory, viewHome(homeOf(place)));
}

function homeOf(place: SessionLocation): string {
  return sessionHome(place.provider.sessionFiles.home, place.environment, place.directory, homedir());
}

function rewritten(content: Buffer, place: SessionLocation): Buffer {
  return place.provider.sessionFiles.rewrite?.(content, place.directory) ?? content;
}

function invalidIdReason(place: SessionLocation): string {
  return `${JSON.stringify(place.id)} is not a session id of ${place.provider.title}`;
}

/**
 * A session can lie in two folders, when an earlier job had its workspace elsewhere and could not clean up.
 * Both would go to the same place; the one that was written to last is the conversation.
 */
function newestOfEach(place: SessionLocation, files: readonly SessionFileInfo[]): readonly SessionFileInfo[] {
  const newest = new Map<string, SessionFileInfo>();
  for (const file of files) {
    const target = targetOf(place, file.path);
    const other = newest.get(target);
    if (other === undefined || file.modifiedMs > other.modifiedMs) newest.set(target, file);
  }
  return [...newest.values()];
}
