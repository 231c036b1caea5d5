/**
 * Notices whether a program was replaced. Agents are the same user as the action, so they can write to every program of
 * this user, and to folders on PATH.
 */
import { createHash } from 'node:crypto';
import { type BigIntStats, closeSync, openSync, readSync, realpathSync, statSync } from 'node:fs';
import { defined } from '../optional-keys.js';

export interface FileIdentity {
  /** As it is started. */
  readonly path: string;
  /** Without links. */
  readonly realPath: string;
  /** Device, inode, size and times. */
  readonly stamp: string;
  /** SHA-256 of the content; absent for a large file. */
  readonly hash?: string;
}

/** Hashing the 200 MB of a native CLI would delay the start by up to a second. Its stamp must be enough. */
const maxHashedBytes = 20_000_000;

/** Notes what the program at `path` is now. Throws if it cannot be read. */
export function identify(path: string): FileIdentity {
  const realPath = realpathSync(path);
  const hash = statSync(realPath).size > maxHashedBytes ? undefined : hashFile(realPath);
  return { path, realPath, stamp: stampOf(realPath), ...defined({ hash }) };
}

/**
 * Whether `path` still leads to the same content. Compares the stamp first, because a CLI has up to 200 MB and is
 * checked before every start. The time of the last status change is part of the stamp, and a program cannot set it. Only
 * a file with another stamp is read.
 */
export function isUnchanged(noted: FileIdentity): boolean {
  try {
    if (realpathSync(noted.path) !== noted.realPath) return false;
    if (stampOf(noted.realPath) === noted.stamp) return true;
    return noted.hash !== undefined && hashFile(noted.realPath) === noted.hash;
  } catch {
    return false;
  }
}

/** Device, inode, size, times and mode. */
export function stampOf(path: string): string {
  const { dev, ino, size, mtimeNs, ctimeNs, mode }: BigIntStats = statSync(path, { bigint: true });
  return [dev, ino, size, mtimeNs, ctimeNs, mode].join(' ');
}

function hashFile(path: string): string {
  const hash = createHash('sha256');
  const buffer = Buffer.allocUnsafe(1 << 20);
  const file = openSync(path, 'r');
  try {
    for (let length = readSync(file, buffer); length > 0; length = readSync(file, buffer))
      hash.update(buffer.subarray(0, length));
  } finally {
    closeSync(file);
  }
  return hash.digest('hex');
}
