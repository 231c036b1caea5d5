/** An entry store in memory, with the faults that a test sets. */
import type { EntryStore, NamedEntry } from '../../src/checkpoint/entry-store.js';

export interface MemoryEntries {
  /** What runs have stored, oldest first. A test may change it. */
  readonly entries: MemoryEntry[];
  /** What every call answers. Absent: what is stored. */
  fault?: { readonly status: 'denied' | 'failed'; readonly reason: string };
  /** The store as a job of this run sees it. */
  open(runId: string): EntryStore;
}

export interface MemoryEntry extends NamedEntry {
  readonly sealed: Buffer;
}

export function createMemoryEntries(): MemoryEntries {
  const memory: MemoryEntries = {
    entries: [],
    open: (runId) => ({
      title: 'memory',
      put: async (name, sealed) => {
        if (memory.fault) return memory.fault;
        const number = memory.entries.length + 1;
        const entry = {
          id: String(number),
          name,
          runId,
          createdAt: number * 1000,
          sealed: Buffer.from(sealed),
        };
        memory.entries.push({ ...entry, isExpired: false, isFromFork: false });
        return { status: 'stored' };
      },
      list: async (name) => {
        if (memory.fault) return memory.fault;
        const found = memory.entries.filter((entry) => entry.name === name);
        return { status: 'listed', entries: found.map(({ sealed: _sealed, ...entry }) => entry).reverse() };
      },
      read: async ({ id }) => {
        if (memory.fault) return memory.fault;
        const entry = memory.entries.find((one) => one.id === id);
        if (entry === undefined) return { status: 'missing' };
        return entry.isExpired ? { status: 'expired' } : { status: 'read', sealed: entry.sealed };
      },
    }),
  };
  return memory;
}
