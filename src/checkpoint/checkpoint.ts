/** A checkpoint as the action sees it: files in, one sealed file out, and back. Touches no disk. */
import {
  type ArchiveEntry,
  ArchiveError,
  type ArchiveLimits,
  packEntries,
  unpackEntries,
} from './archive.js';
import type { Binding, ExpectedBinding, RefusalReason } from './binding.js';
import { open, seal } from './seal.js';
import type { SealSecret } from './seal-secrets.js';

export type OpenedCheckpoint =
  | { readonly status: 'opened'; readonly binding: Binding; readonly entries: readonly ArchiveEntry[] }
  | { readonly status: 'refused'; readonly reason: RefusalReason; readonly detail?: string };

/** Packs, compresses and seals. Throws `ArchiveError` for a path that no checkpoint may hold. */
export async function sealCheckpoint(
  entries: readonly ArchiveEntry[],
  binding: Binding,
  secrets: readonly SealSecret[],
): Promise<Buffer> {
  return seal(await packEntries(entries), binding, secrets);
}

/** All files of a checkpoint, or why there are none. Never throws, whatever the bytes are. */
export async function openCheckpoint(
  sealed: Buffer,
  secrets: readonly SealSecret[],
  expected: ExpectedBinding,
  limits?: ArchiveLimits,
): Promise<OpenedCheckpoint> {
  const opened = open(sealed, secrets, expected);
  if (opened.status === 'refused') return opened;
  try {
    return {
      status: 'opened',
      binding: opened.binding,
      entries: await unpackEntries(opened.payload, limits),
    };
  } catch (error) {
    if (!(error instanceof ArchiveError)) throw error;
    return { status: 'refused', reason: 'bad-content', detail: error.message };
  }
}
