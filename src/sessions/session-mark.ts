/**
 * How far a session reached, and putting it back to there (S13). Pure.
 *
 * A session is one append-only file, at times with further files beside it (notes, sub-agents). The mark is
 * over the main file alone: the others only grow, and one that is ahead does no harm.
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

/** The mark of a session's main file as it is now. */
export function markOf(content: Buffer, sessionFiles: SessionFiles): SessionMark {
  const bytes = canonical(content, sessionFiles);
  return { length: bytes.length, sha256: sha256(bytes) };
}

/** The main file as it was when `mark` was taken; `undefined` when it cannot be had from this one. */
export function cutToMark(
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
