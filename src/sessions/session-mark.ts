/**
 * Marks the point that a session has reached, and rolls a session back to a mark (S13). Pure.
 *
 * A session is one append-only file, sometimes with more files next to it (notes, sub-agents). The mark covers
 * only the main file, because the other files only grow and do no harm if they are ahead. The mark of a
 * database covers all files, because turns may be in any of them and none can be truncated.
 */
import type { SessionMark } from '../journal/event.js';
import type { SessionFiles } from '../providers/provider.js';
import { hashOf } from '../system/hash-of.js';

/** One file of a session; `path` is relative to the CLI's home folder, with `/`. */
export interface SessionFile {
  readonly path: string;
  readonly content: Buffer;
}

/** Replaces the working directory of every machine, see `canonical`. */
const anyDirectory = '/';

/**
 * The file with the conversation: the one with the fewest folders in its path. If there are several, it is the
 * first by name, because their names begin with a date and the oldest file is complete. `undefined` without files.
 */
export function mainFile(files: readonly SessionFile[]): SessionFile | undefined {
  return [...files].sort((one, other) => depth(one) - depth(other) || (one.path < other.path ? -1 : 1))[0];
}

/** Without a last line that has no end yet. Other files than lists of lines stay as they are. */
export function withCompleteLines({ path, content }: SessionFile): SessionFile {
  return {
    path,
    content: path.endsWith('.jsonl') ? content.subarray(0, content.lastIndexOf('\n') + 1) : content,
  };
}

/** The mark of a session as it is now; `undefined` without files. */
export function markOfFiles(
  files: readonly SessionFile[],
  sessionFiles: SessionFiles,
): SessionMark | undefined {
  const main = mainFile(files);
  if (main === undefined) return undefined;
  return sessionFiles.isDatabase ? markOfAll(files) : markOf(main.content, sessionFiles);
}

/** The main file at `mark`; `undefined` if the session cannot be rolled back to it. */
export function mainFileAt(
  files: readonly SessionFile[],
  main: SessionFile,
  mark: SessionMark,
  sessionFiles: SessionFiles,
): Buffer | undefined {
  if (!sessionFiles.isDatabase) return truncateToMark(main.content, mark, sessionFiles);
  return markOfAll(files).sha256 === mark.sha256 ? main.content : undefined;
}

/** Uses names without folders, because folders differ from machine to machine. */
function markOfAll(files: readonly SessionFile[]): SessionMark {
  const named = files.map(({ path, content }) => ({ name: path.slice(path.lastIndexOf('/') + 1), content }));
  const sorted = named.sort((one, other) => (one.name < other.name ? -1 : 1));
  const all = Buffer.concat(
    sorted.flatMap(({ name, content }) => [Buffer.from(`${name} ${content.length}\n`), content]),
  );
  return { length: all.length, sha256: hashOf(all) };
}

/** The mark of a session's main file as it is now. */
export function markOf(content: Buffer, sessionFiles: SessionFiles): SessionMark {
  const bytes = canonical(content, sessionFiles);
  return { length: bytes.length, sha256: hashOf(bytes) };
}

/** The start of the file up to `mark`; `undefined` if the file is shorter or was rewritten. */
export function truncateToMark(
  content: Buffer,
  mark: SessionMark,
  sessionFiles: SessionFiles,
): Buffer | undefined {
  const bytes = canonical(content, sessionFiles);
  if (bytes.length < mark.length) return undefined;
  const start = bytes.subarray(0, mark.length);
  return hashOf(start) === mark.sha256 ? start : undefined;
}

/**
 * If the CLI writes its working directory into the file, the bytes differ on every machine. A mark must hold on
 * the next machine too, so it is computed as if the agent ran in the same directory everywhere.
 */
function canonical(content: Buffer, sessionFiles: SessionFiles): Buffer {
  return sessionFiles.rewrite?.(content, anyDirectory) ?? content;
}

function depth(file: SessionFile): number {
  return file.path.split('/').length;
}
