/** Chains of entries, and what they contain. */
import { createHash } from 'node:crypto';
import { defaultArchiveLimits } from '../../src/checkpoint/archive.js';
import { type Binding, keyOf } from '../../src/checkpoint/binding.js';
import { Chain } from '../../src/checkpoint/chain.js';
import { openCheckpoint } from '../../src/checkpoint/checkpoint.js';
import {
  type CheckpointContents,
  fromEntries,
  journalPath,
} from '../../src/checkpoint/checkpoint-contents.js';
import { type OpenedChain, openChain } from '../../src/checkpoint/open-chain.js';
import { binding, credential, expectedOf } from './sample.js';

export const sealingSecrets = [credential('ANTHROPIC_API_KEY', 'sk-ant-no-real-key-0123456789abcdef')];

export interface Stored {
  /** By key, oldest first. */
  readonly entries: Map<string, Buffer>;
  readonly newest?: Binding;
}

export async function openStored(
  { entries, newest }: Stored,
  limits = defaultArchiveLimits,
): Promise<OpenedChain> {
  const expected = expectedOf(newest ?? binding);
  const sealed = entries.get(expected.key) ?? Buffer.alloc(0);
  const opened = await openCheckpoint(sealed, sealingSecrets, expected);
  if (opened.status !== 'opened') return opened;
  return openChain(
    { ...opened, key: expected.key, sealed },
    { expected, limits, read: async (key) => entries.get(key) },
  );
}

export function contentsOf(opened: OpenedChain): CheckpointContents {
  const contents = opened.status === 'opened' ? fromEntries(opened.entries) : undefined;
  if (contents === undefined) throw new Error(JSON.stringify(opened));
  return contents;
}

/** Bytes that look random and are the same for the same seed. */
export function bytesOf(seed: number, length: number): Buffer {
  const blocks = Array.from({ length: Math.ceil(length / 32) }, (_, index) =>
    createHash('sha256').update(`${seed} ${index}`).digest(),
  );
  return Buffer.concat(blocks).subarray(0, length);
}

/** A chain of `count` entries with a journal that grows. */
export async function storeChain(
  count: number,
  bound: Binding = binding,
): Promise<Stored & { readonly chain: Chain; readonly newest: Binding }> {
  const chain = new Chain();
  const entries = new Map<string, Buffer>();
  let newest = bound;
  let content = bytesOf(0, 50_000);
  for (let sequence = 1; sequence <= count; sequence += 1) {
    content = Buffer.concat([content, bytesOf(sequence, 100)]);
    newest = { ...bound, sequence };
    const sha256 = createHash('sha256').update(content).digest('hex');
    const contents = { files: [{ path: journalPath, content, sha256 }], packs: [], commits: [] };
    entries.set(keyOf(newest), await chain.seal(contents, chain.base(), newest, sealingSecrets));
    chain.confirm(keyOf(newest));
  }
  return { entries, newest, chain };
}
