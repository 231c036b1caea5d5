/** Decides which of the files that git would record are left out, and why. Looks at one file at a time. */
import { accessSync, constants, type Stats } from 'node:fs';
import { absolutePath, type BytePath } from './byte-path.js';
import { isExcluded } from './exclude-rules.js';
import { statPath } from './path-status.js';
import type { Repository } from './repository.js';

/**
 * `dropped`: never recorded by rule. `large`, `unreadable`, `special` (pipe, socket), `nested` (a repository of
 * its own: git would record its commit's id and none of its files). `untouched`: ignored at the start and not
 * written since; a step that changes `.gitignore` must not carry the user's `.env` into a commit.
 */
export type LeftOutReason = 'dropped' | 'large' | 'unreadable' | 'special' | 'nested' | 'untouched';

export interface LeftOutFile {
  readonly path: BytePath;
  readonly reason: LeftOutReason;
  /** Changes when the file does. */
  readonly signature: string;
}

/** What lies in one work tree without being recorded. */
export interface LeftOutFiles {
  readonly atStart: readonly LeftOutFile[];
  /** By the snapshot's commit. */
  readonly bySnapshot: Map<string, readonly LeftOutFile[]>;
}

export interface LeftOutRules {
  readonly repository: Repository;
  readonly maximumFileBytes: number;
  /** What was ignored at the start; directories have a `/` at their end. */
  readonly ignoredAtStart: ReadonlySet<BytePath>;
  /** Milliseconds since the epoch. */
  readonly startedAt: number;
}

/** `undefined`: the file is to be recorded (or to be recorded as gone). */
export function checkLeftOut(path: BytePath, rules: LeftOutRules): LeftOutFile | undefined {
  const found = statPath(path, rules.repository.root);
  const reason = reasonFor(path, found, rules);
  if (reason === undefined) return undefined;
  return { path, reason, signature: `${path}\0${found?.size}\0${found?.mtimeMs}` };
}

/** Whether the path was ignored at the start, itself or a directory over it. */
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
  // ctime: unlike mtime it cannot be set back by `cp -p` or `touch -d`.
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
