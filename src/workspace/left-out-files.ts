/** Decides which of the files that git would record are left out, and why. Checks one file at a time. */
import { accessSync, constants, type Stats } from 'node:fs';
import { absolutePath, type BytePath } from './byte-path.js';
import { isExcluded } from './exclude-rules.js';
import { statPath } from './path-status.js';
import type { Repository } from './repository.js';

/**
 * `dropped`: excluded by a rule. `large`, `unreadable`, `special` (pipe, socket). `nested`: a repository inside
 * this one, of which git would record only the commit id. `untouched`: ignored at the start and not written since.
 * Without it, a step that changes `.gitignore` would put the user's `.env` into a commit.
 */
export type LeftOutReason = 'dropped' | 'large' | 'unreadable' | 'special' | 'nested' | 'untouched';

export interface LeftOutFile {
  readonly path: BytePath;
  readonly reason: LeftOutReason;
  /** A text that changes when the file changes. */
  readonly signature: string;
}

/** The files of one worktree that are left out. */
export interface LeftOutFiles {
  readonly atStart: readonly LeftOutFile[];
  /** By the snapshot's commit. */
  readonly bySnapshot: Map<string, readonly LeftOutFile[]>;
}

export interface LeftOutRules {
  readonly repository: Repository;
  readonly maximumFileBytes: number;
  /** The paths that were ignored at the start. Directories have a `/` at the end. */
  readonly ignoredAtStart: ReadonlySet<BytePath>;
  /** Milliseconds since the epoch. */
  readonly startedAt: number;
}

/** `undefined` if the file must be recorded (or its deletion). */
export function checkLeftOut(path: BytePath, rules: LeftOutRules): LeftOutFile | undefined {
  const found = statPath(path, rules.repository.root);
  const reason = reasonFor(path, found, rules);
  if (reason === undefined) return undefined;
  return { path, reason, signature: `${path}\0${found?.size}\0${found?.mtimeMs}` };
}

/** Whether the path or a directory above it was ignored at the start. */
export function wasIgnored(path: BytePath, ignored: ReadonlySet<BytePath>): boolean {
  if (ignored.size === 0) return false;
  if (ignored.has(path)) return true;
  for (let at = path.indexOf('/'); at !== -1; at = path.indexOf('/', at + 1)) {
    if (ignored.has(path.slice(0, at + 1))) return true;
  }
  return false;
}

function reasonFor(path: BytePath, found: Stats | undefined, rules: LeftOutRules): LeftOutReason | undefined {
  if (isExcluded(path.replace(/\/$/, ''), rules.repository.prefix)) return 'dropped';
  if (found === undefined) return undefined;
  // ctime, because `cp -p` and `touch -d` can set mtime to an earlier time.
  if (found.ctimeMs < rules.startedAt && wasIgnored(path, rules.ignoredAtStart)) return 'untouched';
  if (path.endsWith('/')) return 'nested';
  if (found.isDirectory() || found.isSymbolicLink()) return undefined;
  if (!found.isFile()) return 'special';
  if (found.size > rules.maximumFileBytes) return 'large';
  return isReadable(path, rules.repository.root) ? undefined : 'unreadable';
}

function isReadable(path: BytePath, root: string): boolean {
  try {
    accessSync(absolutePath(root, path), constants.R_OK);
    return true;
  } catch {
    return false;
  }
}
