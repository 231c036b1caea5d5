/** A checkpoint store in memory that behaves as the Actions cache does, with faults that a test sets. */
import type { CheckpointStore } from '../../src/checkpoint/store.js';

export interface MemoryStore extends CheckpointStore {
  /** Oldest first. A test may put entries there as another job would. */
  readonly entries: Map<string, Buffer>;
  /** What was asked, in order: `newest`, `read KEY`, `write KEY`. */
  readonly calls: string[];
  /** Called before each write; what it returns is waited for, and `false` refuses the write. */
  onWrite: (key: string) => Promise<boolean>;
  /** Called before each look-up; `false`: it goes unanswered. */
  onLookUp: () => Promise<boolean>;
}

export function createMemoryStore(
  limits: Pick<CheckpointStore, 'unwritable' | 'unreadable'> = {},
): MemoryStore {
  const entries = new Map<string, Buffer>();
  const calls: string[] = [];
  let trouble: string | undefined;
  const store: MemoryStore = {
    title: 'memory',
    ...limits,
    entries,
    calls,
    onWrite: async () => true,
    onLookUp: async () => true,
    async newest(prefixes) {
      calls.push('newest');
      trouble = (await store.onLookUp()) ? undefined : 'the memory did not answer';
      if (trouble !== undefined || store.unreadable !== undefined) return undefined;
      return newestUnder([...entries.keys()], prefixes);
    },
    async read(key) {
      calls.push(`read ${key}`);
      return store.unreadable === undefined ? entries.get(key) : undefined;
    },
    async write(key, sealed) {
      calls.push(`write ${key}`);
      const isTaken = store.unwritable === undefined && (await store.onWrite(key)) && !entries.has(key);
      trouble = isTaken ? undefined : 'the memory refused it';
      if (isTaken) entries.set(key, Buffer.from(sealed));
      return isTaken;
    },
    trouble: () => trouble,
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
