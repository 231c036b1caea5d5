/**
 * Stores checkpoints in a directory: on the disk of a self-hosted runner, or for a local run. Each file has its key as
 * its name. Other files in the directory stay.
 */
import { mkdir, readdir, rm } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { type CheckpointKey, compareKeys, parseKey } from './checkpoint-key.js';
import type { CheckpointStore } from './checkpoint-store.js';
import { maxSealedBytes, readStoredFile, writeNewFile } from './new-file.js';
import { findObsolete, type StoredCheckpoint } from './obsolete-files.js';

const takenText = ' already exists';

/** Creates the directory with the first write. `lastError` returns errors of the disk. */
export function createDirectoryStore(path: string): CheckpointStore {
  const directory = resolve(path);
  let lastError: string | undefined;

  async function recordError<T>(work: () => Promise<T>, fallback: T): Promise<T> {
    try {
      lastError = undefined;
      return await work();
    } catch (error) {
      lastError = error instanceof Error ? error.message : String(error);
      return fallback;
    }
  }

  return {
    title: `the directory ${directory}`,
    findNewest: (prefixes) =>
      recordError(async () => firstWithPrefix(prefixes, await list(directory)), undefined),
    read: (key) =>
      recordError(
        async () => (parseKey(key) ? readStoredFile(join(directory, key), maxSealedBytes) : undefined),
        undefined,
      ),
    write: (key, sealed) => recordError(() => writeCheckpoint(directory, key, sealed), false),
    lastError: () => lastError,
    // A disk that cannot be read is the same after a pause.
    lastFailure: () =>
      lastError === undefined
        ? undefined
        : {
            message: lastError,
            retryAfterMs: Number.POSITIVE_INFINITY,
            ...(lastError.endsWith(takenText) ? { isTaken: true } : {}),
          },
  };
}

/** Newest first. */
async function list(directory: string): Promise<readonly StoredCheckpoint[]> {
  const found = await readdir(directory, { withFileTypes: true }).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return [];
    throw error;
  });
  return found
    .filter((entry) => entry.isFile())
    .flatMap(({ name }) => {
      const key = parseKey(name);
      return key === undefined ? [] : [{ name, key }];
    })
    .sort((left, right) => compareKeys(right.key, left.key));
}

function firstWithPrefix(
  prefixes: readonly string[],
  entries: readonly StoredCheckpoint[],
): string | undefined {
  for (const prefix of prefixes) {
    const entry = entries.find(({ name }) => name.startsWith(prefix));
    if (entry !== undefined) return entry.name;
  }
  return undefined;
}

async function writeCheckpoint(directory: string, name: string, sealed: Buffer): Promise<boolean> {
  const key = parseKey(name);
  // The name becomes part of a path, so only names from `formatKey` are allowed.
  if (key === undefined) throw new RangeError(`${JSON.stringify(name)} is not the key of a checkpoint`);
  await mkdir(directory, { recursive: true, mode: 0o700 });
  const isNew = await writeNewFile(join(directory, name), sealed);
  if (!isNew) throw new Error(`${name}${takenText}`);
  // The checkpoint is stored. What cannot be removed, such as a file of another user, is tried again with the next one.
  await removeOld(directory, key).catch(() => undefined);
  return true;
}

async function removeOld(directory: string, key: CheckpointKey): Promise<void> {
  const obsolete = await findObsolete(directory, await list(directory), key, Date.now());
  // `force`, because another job may remove the same file at the same time.
  await Promise.allSettled(obsolete.map((name) => rm(join(directory, name), { force: true })));
}
