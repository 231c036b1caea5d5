/**
 * The checkpoint that a cancelled `main` seals on local disk before it contacts the service. If `main` is killed
 * before the upload is done, `post` takes the state from here, even if the session copies are gone.
 *
 * Without `state-key`, an agent has a key that opens and seals checkpoints: that of its provider. So `post` takes
 * only the file whose hash `main` noted.
 */
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { defaultArchiveLimits } from '../checkpoint/archive.js';
import type { Binding } from '../checkpoint/binding.js';
import { type OpenedCheckpoint, openCheckpoint } from '../checkpoint/checkpoint.js';
import { type CheckpointContents, fromEntries } from '../checkpoint/checkpoint-contents.js';
import type { CheckpointStore } from '../checkpoint/checkpoint-store.js';
import type { SealedCheckpoint } from '../checkpoint/checkpoint-writer.js';
import { openChain } from '../checkpoint/open-chain.js';
import type { SealSecret } from '../checkpoint/seal-secrets.js';
import { hashOf } from '../system/hash-of.js';

/** A checkpoint on local disk. */
export interface LocalCheckpoint {
  readonly key: string;
  readonly sha256: string;
}

export async function saveLocalCheckpoint(
  directory: string,
  { key, sealed }: SealedCheckpoint,
): Promise<LocalCheckpoint> {
  await writeFile(fileOf(directory, key), sealed, { mode: 0o600 });
  return { key, sha256: hashOf(sealed) };
}

/** One that opened. It may build on entries in the store. */
export interface OpenedLocalCheckpoint {
  readonly key: string;
  readonly sealed: Buffer;
  readonly opened: Extract<OpenedCheckpoint, { readonly status: 'opened' }>;
}

/** `undefined` if the file is missing, was changed, or does not open. */
export async function openLocalCheckpoint(
  directory: string,
  { key, sha256: expected }: LocalCheckpoint,
  secrets: readonly SealSecret[],
  binding: Omit<Binding, 'sequence'>,
): Promise<OpenedLocalCheckpoint | undefined> {
  const sealed = await readFile(fileOf(directory, key)).catch(() => undefined);
  if (sealed === undefined || hashOf(sealed) !== expected) return undefined;
  const opened = await openCheckpoint(sealed, secrets, { ...binding, key });
  return opened.status === 'opened' ? { key, sealed, opened } : undefined;
}

/** Its contents, together with what it builds on. `undefined` if the store does not have all of that. */
export async function readLocalContents(
  { key, sealed, opened }: OpenedLocalCheckpoint,
  store: CheckpointStore,
  expected: Omit<Binding, 'sequence'>,
): Promise<CheckpointContents | undefined> {
  if (opened.binding.chain === undefined) return fromEntries(opened.entries);
  const chain = await openChain(
    { ...opened, key, sealed },
    { expected, limits: defaultArchiveLimits, read: (link) => store.read(link) },
  );
  return chain.status === 'opened' ? fromEntries(chain.entries) : undefined;
}

function fileOf(directory: string, key: string): string {
  return join(directory, `${key}.sealed`);
}
