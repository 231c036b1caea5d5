/**
 * Stores entries in the Actions cache, where there are no artifacts (Enterprise Server, nektos/act). The cache finds only
 * the entry that was written last, and only in the scopes of the branch: a run that was started by a comment does not find what a run
 * for the pull request stored. Entries that nobody uses are removed after seven days.
 */
import { failureOf } from './ask-store.js';
import type { CheckpointStore } from './checkpoint-store.js';
import type { EntryStore, FailedAccess, NamedEntry } from './entry-store.js';

export interface CachedEntriesOptions {
  readonly cache: CheckpointStore;
  readonly runId: string;
  readonly jobAttempt: number;
  /** Milliseconds since 1970. Each call returns a later time. */
  now(): number;
}

export function createCachedEntries({ cache, runId, jobAttempt, now }: CachedEntriesOptions): EntryStore {
  const { title, unwritableReason, unreadableReason } = cache;
  return {
    title,
    ...(unwritableReason === undefined ? {} : { unwritableReason }),
    ...(unreadableReason === undefined ? {} : { unreadableReason }),
    async put(name, sealed) {
      if (unwritableReason !== undefined) return failed(unwritableReason);
      const key = `${prefixOf(name)}${runId}-a${jobAttempt}-${now()}-`;
      return (await cache.write(key, sealed)) ? { status: 'stored' } : failed(reasonOf(cache));
    },
    async list(name) {
      if (unreadableReason !== undefined) return failed(unreadableReason);
      const key = await cache.findNewest([prefixOf(name)]);
      if (key === undefined && failureOf(cache) !== undefined) return failed(reasonOf(cache));
      const entry = key === undefined ? undefined : entryOf(name, key);
      return { status: 'listed', entries: entry === undefined ? [] : [entry] };
    },
    async read({ id }) {
      if (unreadableReason !== undefined) return failed(unreadableReason);
      const sealed = await cache.read(id);
      if (sealed !== undefined) return { status: 'read', sealed };
      const failure = failureOf(cache);
      return failure === undefined || failure.isAnswer ? { status: 'missing' } : failed(failure.message);
    },
  };
}

/** Nothing that begins like this is a checkpoint. */
function prefixOf(name: string): string {
  return `gump-entry-v1-${name}-r`;
}

function entryOf(name: string, key: string): NamedEntry | undefined {
  const [, runId, createdAt] = /^(\d+)-a\d+-(\d+)-$/.exec(key.slice(prefixOf(name).length)) ?? [];
  if (runId === undefined) return undefined;
  return { id: key, name, runId, createdAt: Number(createdAt), isExpired: false, isFromFork: false };
}

function reasonOf(cache: CheckpointStore): string {
  return failureOf(cache)?.message ?? `${cache.title} did not accept it`;
}

function failed(reason: string): FailedAccess {
  return { status: 'failed', reason };
}
