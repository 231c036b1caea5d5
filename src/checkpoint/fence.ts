/**
 * Decides whether a job may store, based on the newest stored entry. A key of version 2 does not name its writer, so
 * the header of the entry does. The header is not proof: whoever can write the cache can stop a job in any case.
 */
import { type Binding, isKeyOf } from './binding.js';
import { parseKey } from './checkpoint-key.js';
import type { CheckpointStore } from './checkpoint-store.js';
import { readBinding } from './seal.js';

export type FenceResult =
  | { readonly status: 'clear' }
  /** A later job attempt has stored. */
  | { readonly status: 'fenced'; readonly jobAttempt: number }
  /** Another job of this job attempt has stored under this name. */
  | { readonly status: 'conflict' };

export interface Fence {
  /** Records an entry of this job. */
  allow(key: string): void;
  /** Records the newest entry when the job started: those before it are no conflict either. */
  allowUpTo(key: string): void;
  /** `found`: the newest entry, from a look-up with `fencePrefixes`. */
  judge(found: string | undefined): Promise<FenceResult>;
  /** Whether these bytes, found under `key`, are a checkpoint of another job. */
  isForeign(key: string, sealed: Buffer | undefined): boolean;
}

export interface FenceOptions {
  readonly store: Pick<CheckpointStore, 'read'>;
  readonly binding: Pick<Binding, 'repositoryId' | 'jobAttempt' | 'writer'>;
}

export function createFence({ store, binding }: FenceOptions): Fence {
  const allowed = new Set<string>();
  let highestBefore = 0;
  const isForeign: Fence['isForeign'] = (key, sealed) => {
    const found = sealed === undefined ? undefined : readBinding(sealed);
    if (found === undefined || !isKeyOf(found, key)) return false;
    return found.repositoryId === binding.repositoryId && found.writer !== binding.writer;
  };
  return {
    allow: (key) => void allowed.add(key),
    allowUpTo(key) {
      const parsed = parseKey(key);
      if (parsed?.jobAttempt === binding.jobAttempt) highestBefore = Math.max(highestBefore, parsed.sequence);
    },
    isForeign,
    async judge(found) {
      const key = found === undefined ? undefined : parseKey(found);
      if (found === undefined || key === undefined || key.jobAttempt < binding.jobAttempt)
        return { status: 'clear' };
      if (key.jobAttempt > binding.jobAttempt) return { status: 'fenced', jobAttempt: key.jobAttempt };
      if (allowed.has(found) || key.sequence <= highestBefore) return { status: 'clear' };
      // An entry that cannot be read or is no checkpoint is of nobody.
      return { status: isForeign(found, await store.read(found)) ? 'conflict' : 'clear' };
    },
  };
}
