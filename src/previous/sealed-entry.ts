/**
 * Seals and opens the entries of a subject with the keys and the format of checkpoints. An entry is bound to its scope,
 * its purpose and its run, so one that was renamed, or stored by another run, does not open.
 */
import {
  type ArchiveEntry,
  ArchiveError,
  type ArchiveLimits,
  packEntries,
  unpackEntries,
} from '../checkpoint/archive.js';
import { type Binding, keyOf, refusalText } from '../checkpoint/binding.js';
import { newWriter } from '../checkpoint/checkpoint-key.js';
import { open, readBinding, seal } from '../checkpoint/seal.js';
import type { SealSecret } from '../checkpoint/seal-secrets.js';
import { boundNameOf, type EntryPurpose, type SubjectScope } from './subject-scope.js';

export interface EntryWriter {
  readonly scope: SubjectScope;
  readonly runId: string;
  readonly jobAttempt: number;
  /** What seals. */
  readonly secrets: readonly SealSecret[];
  /** What opens, if that is more. */
  readonly opening?: readonly SealSecret[];
}

/** More than is ever written. The limit protects the memory. */
const limits: ArchiveLimits = { entries: 5_000, bytes: 500_000_000 };

export async function sealEntry(
  entries: readonly ArchiveEntry[],
  purpose: EntryPurpose,
  { scope, runId, jobAttempt, secrets }: EntryWriter,
): Promise<Buffer> {
  const binding: Binding = {
    repositoryId: scope.repositoryId,
    runId,
    stateName: boundNameOf(scope, purpose),
    jobAttempt,
    sequence: 1,
    writer: newWriter(),
    // A run of the same subject may have another ref.
    ref: '',
    trust: scope.trust,
  };
  return seal(await packEntries(entries), binding, secrets);
}

export type EntryReader = Pick<EntryWriter, 'scope' | 'secrets' | 'opening'>;

/** Why the entry is not used, as the end of a sentence, or its files. `runId`: of the run that the store names. */
export async function openEntry(
  sealed: Buffer,
  purpose: EntryPurpose,
  runId: string,
  { scope, secrets, opening = secrets }: EntryReader,
): Promise<readonly ArchiveEntry[] | string> {
  const binding = readBinding(sealed);
  if (binding === undefined) return 'it is no entry of this action';
  const opened = open(sealed, opening, {
    repositoryId: scope.repositoryId,
    runId,
    stateName: boundNameOf(scope, purpose),
    ref: '',
    trust: scope.trust,
    key: keyOf(binding),
  });
  if (opened.status === 'refused') return reasons[opened.reason] ?? refusalText(opened.reason);
  try {
    return await unpackEntries(opened.payload, limits);
  } catch (error) {
    if (error instanceof ArchiveError) return error.message;
    throw error;
  }
}

/** In place of what these reasons mean for a checkpoint. */
const reasons: Readonly<Partial<Record<string, string>>> = {
  'not-a-checkpoint': 'it is no entry of this action',
  'other-state': 'it belongs to another subject, workflow file or job',
  'other-run': 'it belongs to another run than the one that stored it',
  'other-trust': 'it was written for files of another trust class',
};
