/**
 * How far a session reached, and putting it back to there (S13). Pure.
 *
 * A session is one append-only file, at times with further files beside it (notes, sub-agents). The mark is
 * over the main file alone: the others only grow, and one that is ahead does no harm. Of a database it is over
 * all files: turns may lie in any of them, and none can be cut.
 */
import { createHash } from 'node:crypto';
import type { SessionMark } from '../journal/event.js';
import type { SessionFiles } from '../providers/provider.js';

/** One file of a session; `path` is relative to the CLI's home folder, with `/`. */
export interface SessionFile {
  readonly path: string;
  readonly content: Buffer;
}

/** Stands for the working directory of every machine, see `canonical`. */
const anyDirectory = '/';

/**
 * The file that the conversation itself is in: the one that lies least deep, of several the first by name
 * (names that differ begin with a date, and the oldest has the whole). `undefined` for no files.
 */
export function mainFile(files: readonly SessionFile[]): SessionFile | undefined {
  return [...files].sort((one, other) => depth(one) - depth(other) || (one.path < other.path ? -1 : 1))[0];
}

/** The mark of a session as it is now; `undefined` for no files. */
export function markOfFiles(
  files: readonly SessionFile[],
  sessionFiles: SessionFiles,
): SessionMark | undefined {
  const main = mainFile(files);
  if (main === undefined) return undefined;
  return sessionFiles.isDatabase ? markOfAll(files) : markOf(main.content, sessionFiles);
}

/** The main file as it was when `mark` was taken; `undefined` when the session cannot be put back to there. */
export function mainFileAt(
  files: readonly SessionFile[],
  main: SessionFile,
  mark: SessionMark,
  sessionFiles: SessionFiles,
): Buffer | undefined {
  if (!sessionFiles.isDatabase) return truncateToMark(main.content, mark, sessionFiles);
  return markOfAll(files).sha256 === mark.sha256 ? main.content : undefined;
}

/** Folders differ from machine to machine; names do not. */
function markOfAll(files: readonly SessionFile[]): SessionMark {
  const named = files.map(({ path, content }) => ({ name: path.slice(path.lastIndexOf('/') + 1), content }));
  const sorted = named.sort((one, other) => (one.name < other.name ? -1 : 1));
  const all = Buffer.concat(
    sorted.flatMap(({ name, content }) => [Buffer.from(`${name} ${content.length}\n`), content]),
  );
  return { length: all.length, sha256: sha256(all) };
}

/** The mark of a session's main file as it is now. */
export function markOf(content: Buffer, sessionFiles: SessionFiles): SessionMark {
  const bytes = canonical(content, sessionFiles);
  return { length: bytes.length, sha256: sha256(bytes) };
}

/** The main file as it was when `mark` was taken; `undefined` when it cannot be had from this one. */
export function truncateToMark(
  content: Buffer,
  mark: SessionMark,
  sessionFiles: SessionFiles,
): Buffer | undefined {
  const bytes = canonical(content, sessionFiles);
  if (bytes.length < mark.length) return undefined;
  const start = bytes.subarray(0, mark.length);
  return sha256(start) === mark.sha256 ? start : undefined;
}

/**
 * A file in which the CLI notes its working directory has other bytes on every machine; a mark taken on one
 * has to hold on the next. So it is taken as if the agent ran in one and the same directory everywhere.
 */
function canonical(content: Buffer, sessionFiles: SessionFiles): Buffer {
  return sessionFiles.rewrite?.(content, anyDirectory) ?? content;
}

function sha256(bytes: Buffer): string {
  return createHash('sha256').update(bytes).digest('hex');
}

function depth(file: SessionFile): number {
  return file.path.split('/').length;
}
