/** Stores entries in the state directory, each in a file below `entries/NAME/`. Files that are older than 90 days are removed. */
import { mkdir, readdir, rm } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import type { EntryStore, FailedAccess, NamedEntry } from './entry-store.js';
import { maxSealedBytes, readStoredFile, writeNewFile } from './new-file.js';

export interface DirectoryEntriesOptions {
  /** The directory of the input `state-store`. */
  readonly path: string;
  readonly runId: string;
  readonly jobAttempt: number;
  /** Milliseconds since 1970. Each call returns a later time. */
  now(): number;
}

/** As long as GitHub keeps artifacts at most by default. */
const maxAgeMs = 90 * 24 * 3600 * 1000;
const fileName = /^r(\d+)-a\d+-(\d+)\.sealed$/;

export function createDirectoryEntries(options: DirectoryEntriesOptions): EntryStore {
  const root = resolve(options.path);
  const folderOf = (name: string) => join(root, 'entries', name);
  return {
    title: `the directory ${root}`,
    put: (name, sealed) =>
      orFailure(async () => {
        const folder = folderOf(name);
        await mkdir(folder, { recursive: true, mode: 0o700 });
        const time = options.now();
        const file = join(folder, `r${options.runId}-a${options.jobAttempt}-${time}.sealed`);
        if (!(await writeNewFile(file, sealed))) return failed(`${file} already exists`);
        await removeOld(folder, time).catch(() => undefined);
        return { status: 'stored' } as const;
      }),
    list: (name) =>
      orFailure(async () => {
        const entries = await listEntries(folderOf(name), name);
        return { status: 'listed', entries } as const;
      }),
    async read({ id, name }) {
      if (!fileName.test(id)) return { status: 'missing' };
      const sealed = await readStoredFile(join(folderOf(name), id), maxSealedBytes);
      return sealed === undefined ? { status: 'missing' } : { status: 'read', sealed };
    },
  };
}

/** Newest first. */
async function listEntries(folder: string, name: string): Promise<readonly NamedEntry[]> {
  const files = await readdir(folder).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return [];
    throw error;
  });
  return files
    .flatMap((id) => {
      const [, runId, createdAt] = fileName.exec(id) ?? [];
      if (runId === undefined) return [];
      return [{ id, name, runId, createdAt: Number(createdAt), isExpired: false, isFromFork: false }];
    })
    .sort((one, other) => other.createdAt - one.createdAt);
}

async function removeOld(folder: string, now: number): Promise<void> {
  const old = (await listEntries(folder, '')).filter(({ createdAt }) => now - createdAt > maxAgeMs);
  await Promise.allSettled(old.map(({ id }) => rm(join(folder, id), { force: true })));
}

async function orFailure<T>(work: () => Promise<T>): Promise<T | FailedAccess> {
  try {
    return await work();
  } catch (error) {
    return failed(error instanceof Error ? error.message : String(error));
  }
}

function failed(reason: string): FailedAccess {
  return { status: 'failed', reason };
}
