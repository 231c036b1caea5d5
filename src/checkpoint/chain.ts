/**
 * The chain of entries that the next checkpoint can build on. Only entries that are known to be stored are in it: a
 * save that failed, or that still runs, is none.
 *
 * CHAIN1 A new entry builds on the first entries of the chain (`chain-policy.ts`) and is the last one once it is stored.
 * CHAIN2 The chain remembers for each of its entries what the state was up to there, so that an increment can be made
 *        against any of them without reading them again.
 */
import { hashOf } from '../system/hash-of.js';
import { packEntries } from './archive.js';
import { type Binding, type EntryRef, keyOf } from './binding.js';
import { toArchive } from './chain-manifest.js';
import { type ChainLink, type ChainPlan, planEntry, planIncrement } from './chain-policy.js';
import { makeIncrement, type StateFile } from './make-increment.js';
import { newDataKey, seal } from './seal.js';
import type { SealSecret } from './seal-secrets.js';
import type { StoredFiles } from './stored-file.js';

export interface ChainEntry extends ChainLink, EntryRef {
  readonly dataKey: Buffer;
  /** The files that this entry and those before it contain. */
  readonly files: StoredFiles;
  /** The snapshot commits whose objects are in this entry. */
  readonly commits: readonly string[];
}

/** What an earlier job has stored. */
export interface StoredChain {
  readonly entries: readonly ChainEntry[];
  /** All that the run has stored, also entries that are no longer in the chain. */
  readonly storedBytes: number;
}

/** What a new entry builds on. */
export interface ChainBase extends StoredChain {
  readonly plan: ChainPlan;
  readonly files: StoredFiles;
  readonly commits: readonly string[];
}

export interface EntryContents {
  readonly files: readonly StateFile[];
  /** The objects of `commits` that the base does not contain, in the order in which they must be unpacked. */
  readonly packs: readonly Buffer[];
  readonly commits: readonly string[];
}

/** What is stored if the next save succeeds. */
interface PendingEntry {
  readonly base: ChainBase;
  readonly entry: ChainEntry;
}

export interface EntryKind {
  /** The entry adds so little that it must not be a whole state. */
  readonly isOnlyIncrement?: boolean;
}

/** One whose save runs, one that is sealed meanwhile, and one that failed and may be stored after all. */
const maxPending = 3;

export class Chain {
  private readonly pending = new Map<string, PendingEntry>();
  /** Called at the first use, because it computes the chunks of all files, and only once, because it holds them. */
  private readStored: (() => StoredChain) | undefined;
  private stored: StoredChain = { entries: [], storedBytes: 0 };

  constructor(restored?: () => StoredChain) {
    this.readStored = restored;
  }

  /** What the next entry builds on. The same until an entry is stored. */
  base({ isOnlyIncrement = false }: EntryKind = {}): ChainBase {
    const { entries, storedBytes } = this.current();
    const plan = isOnlyIncrement ? planIncrement(entries) : planEntry(entries, storedBytes);
    const used = entries.slice(0, plan.base);
    return {
      plan,
      storedBytes,
      entries: used,
      files: used.at(-1)?.files ?? new Map(),
      commits: used.flatMap(({ commits }) => commits),
    };
  }

  /** Seals an entry on `base`. It becomes part of the chain with `confirm`. */
  async seal(
    contents: EntryContents,
    base: ChainBase,
    binding: Binding,
    secrets: readonly SealSecret[],
  ): Promise<Buffer> {
    const { plan, entries, storedBytes } = base;
    const dataKey = newDataKey();
    const { stored, data, files, removed } = makeIncrement(contents.files, base.files, entries.length);
    const known = new Set(base.commits);
    const commits = contents.commits.filter((commit) => !known.has(commit));
    const manifest = {
      version: 1,
      level: plan.level,
      storedBefore: storedBytes,
      dataKeys: entries.map((entry) => entry.dataKey.toString('base64')),
      files,
      removed,
      commits,
    } as const;
    const payload = await packEntries(toArchive({ manifest, data, packs: contents.packs }));
    const chain = entries.map(({ key, sha256 }) => ({ key, sha256 }));
    const sealed = seal(payload, { ...binding, chain }, secrets, dataKey);
    const key = keyOf({ ...binding, chain });
    const sha256 = hashOf(sealed);
    const entry = { key, sha256, bytes: sealed.length, level: plan.level, dataKey, files: stored, commits };
    this.pending.set(key, { base, entry });
    for (const oldest of this.pending.keys()) if (this.pending.size > maxPending) this.pending.delete(oldest);
    return sealed;
  }

  /** The entry with this key is stored. */
  confirm(key: string): void {
    const confirmed = this.pending.get(key);
    if (confirmed === undefined) return;
    const { base, entry } = confirmed;
    // A later entry may be sealed already, if the job was cancelled during the save.
    for (const earlier of this.pending.keys()) {
      this.pending.delete(earlier);
      if (earlier === key) break;
    }
    this.stored = {
      entries: [...base.entries, entry],
      storedBytes: this.current().storedBytes + entry.bytes,
    };
  }

  /** The keys of all entries of the chain that ends with `key`. */
  keysOf(key: string): readonly string[] {
    const { entries } = this.current();
    return entries.at(-1)?.key === key ? entries.map((entry) => entry.key) : [key];
  }

  /** All that the run has stored, in bytes. */
  get storedBytes(): number {
    return this.current().storedBytes;
  }

  private current(): StoredChain {
    const read = this.readStored;
    this.readStored = undefined;
    if (read !== undefined) this.stored = read();
    return this.stored;
  }
}
