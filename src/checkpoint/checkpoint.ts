/** Creates and opens checkpoints: files to one sealed file, and back. Does not use the disk. */
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
  | {
      readonly status: 'opened';
      readonly binding: Binding;
      readonly entries: readonly ArchiveEntry[];
      readonly dataKey: Buffer;
    }
  | {
      readonly status: 'refused';
      readonly reason: RefusalReason;
      readonly detail?: string;
      /** For `no-key-fits`: the variables whose values sealed it, as the file claims. */
      readonly sealedBy?: readonly string[];
    };

/** Packs, compresses and seals. Throws `ArchiveError` for a path that is not allowed in a checkpoint. */
export async function sealCheckpoint(
  entries: readonly ArchiveEntry[],
  binding: Binding,
  secrets: readonly SealSecret[],
): Promise<Buffer> {
  return seal(await packEntries(entries), binding, secrets);
}

/** All files of a checkpoint, or why it is refused. Does not throw for any bytes. */
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
      dataKey: opened.dataKey,
      entries: await unpackEntries(opened.payload, limits),
    };
  } catch (error) {
    if (!(error instanceof ArchiveError)) throw error;
    return { status: 'refused', reason: 'bad-content', detail: error.message };
  }
}
