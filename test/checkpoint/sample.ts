/** Values that the checkpoint tests share. */

import type { ArchiveEntry } from '../../src/checkpoint/archive.js';
import type { Binding, ExpectedBinding } from '../../src/checkpoint/binding.js';
import { keyOf } from '../../src/checkpoint/binding.js';
import {
  type CheckpointContents,
  journalPath,
  packEntriesOf,
  sessionPath,
} from '../../src/checkpoint/checkpoint-contents.js';
import { formatKey, hashStateName } from '../../src/checkpoint/checkpoint-key.js';
import { seal } from '../../src/checkpoint/seal.js';
import type { SealSecret } from '../../src/checkpoint/seal-secrets.js';
import { defined } from '../../src/optional-keys.js';

export const binding: Binding = {
  repositoryId: '42',
  runId: '1001',
  stateName: 'build',
  jobAttempt: 2,
  sequence: 7,
  writer: '00c0ffee',
  ref: 'refs/pull/5/merge',
  trust: 'trusted',
};

export function expectedOf(bound: Binding): ExpectedBinding {
  const { repositoryId, runId, stateName, ref, trust } = bound;
  return { repositoryId, runId, stateName, ref, trust, key: keyOf(bound) };
}

export const stateKey: SealSecret = {
  kind: 'state-key',
  name: 'state-key',
  value: 'a state key of enough length',
};

export function credential(name: string, value: string): SealSecret {
  return { kind: 'credential', name, value };
}

/** The key of a checkpoint of state `build` in run 1001. With a writer: as version 0.1.0 stored it. */
export function keyAt(jobAttempt: number, sequence: number, writer?: string): string {
  const place = { stateHash: hashStateName('build'), runId: '1001', jobAttempt, sequence };
  return formatKey({ ...place, ...defined({ writer }) });
}

/** A sealed checkpoint of state `build` in run 1001, from another job unless `writer` is that of `binding`. */
export function sealedAt(jobAttempt: number, sequence: number, writer = '0badf00d'): Buffer {
  const content = Buffer.from(`${jobAttempt}/${sequence} of ${writer}`);
  return seal(content, { ...binding, jobAttempt, sequence, writer }, [
    credential('X', 'a secret of a length'),
  ]);
}

/** The entries of a checkpoint of format 1. */
export function toEntries({ journal, packs, sessions }: CheckpointContents): readonly ArchiveEntry[] {
  const files = sessions.map((copy) => ({ path: sessionPath(copy), content: copy.content }));
  return [{ path: journalPath, content: journal }, ...packEntriesOf(packs), ...files];
}
