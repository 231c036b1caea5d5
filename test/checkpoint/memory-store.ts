/** A checkpoint store in memory that behaves like the Actions cache, with errors that a test sets. */
import type { CheckpointStore } from '../../src/checkpoint/checkpoint-store.js';

export interface MemoryStore extends CheckpointStore {
  /** Oldest first. A test may add entries as another job would. */
  readonly entries: Map<string, Buffer>;
  /** The calls in order: `newest`, `read KEY`, `write KEY`. */
  readonly calls: string[];
  /** Called and awaited before each write. `false` refuses the write. */
  onWrite: (key: string) => Promise<boolean>;
  /** Called before each look-up. `false`: the look-up gets no answer. */
  onLookup: () => Promise<boolean>;
}

const takenText = 'the memory has this key';

export function createMemoryStore(
  limits: Pick<CheckpointStore, 'unwritableReason' | 'unreadableReason'> = {},
): MemoryStore {
  const entries = new Map<string, Buffer>();
  const calls: string[] = [];
  let lastError: string | undefined;
  const store: MemoryStore = {
    title: 'memory',
    ...limits,
    entries,
    calls,
    onWrite: async () => true,
    onLookup: async () => true,
    async findNewest(prefixes) {
      calls.push('newest');
      lastError = (await store.onLookup()) ? undefined : 'the memory did not answer';
      if (lastError !== undefined || store.unreadableReason !== undefined) return undefined;
      return newestUnder([...entries.keys()], prefixes);
    },
    async read(key) {
      calls.push(`read ${key}`);
      return store.unreadableReason === undefined ? entries.get(key) : undefined;
    },
    async write(key, sealed) {
      calls.push(`write ${key}`);
      const isReached = store.unwritableReason === undefined && (await store.onWrite(key));
      const isAccepted = isReached && !entries.has(key);
      lastError = isAccepted ? undefined : isReached ? takenText : 'the memory refused it';
      if (isAccepted) entries.set(key, Buffer.from(sealed));
      return isAccepted;
    },
    lastError: () => lastError,
    lastFailure: () =>
      lastError === undefined
        ? undefined
        : { message: lastError, ...(lastError === takenText ? { isTaken: true } : {}) },
  };
  return store;
}

function newestUnder(keys: readonly string[], prefixes: readonly string[]): string | undefined {
  for (const prefix of prefixes) {
    const newest = keys.findLast((key) => key.startsWith(prefix));
    if (newest !== undefined) return newest;
  }
  return undefined;
}
