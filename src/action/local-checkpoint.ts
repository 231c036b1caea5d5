/**
 * The checkpoint that a cancelled `main` seals and keeps before it asks anything of the service: when it is
 * killed before the upload is done, `post` has the state from here, whatever became of the copies.
 */
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Binding } from '../checkpoint/binding.js';
import { openCheckpoint } from '../checkpoint/checkpoint.js';
import { type CheckpointContents, fromEntries } from '../checkpoint/checkpoint-contents.js';
import type { SealedCheckpoint } from '../checkpoint/checkpoint-writer.js';
import type { SealSecret } from '../checkpoint/seal-secrets.js';

export async function saveLocalCheckpoint(
  directory: string,
  { key, sealed }: SealedCheckpoint,
): Promise<void> {
  await writeFile(fileOf(directory, key), sealed, { mode: 0o600 });
}

/** `undefined`: it is not there, or does not open. */
export async function openLocalCheckpoint(
  directory: string,
  key: string,
  secrets: readonly SealSecret[],
  binding: Omit<Binding, 'sequence'>,
): Promise<CheckpointContents | undefined> {
  const sealed = await readFile(fileOf(directory, key)).catch(() => undefined);
  if (sealed === undefined) return undefined;
  const opened = await openCheckpoint(sealed, secrets, { ...binding, key });
  return opened.status === 'opened' ? fromEntries(opened.entries) : undefined;
}

function fileOf(directory: string, key: string): string {
  return join(directory, `${key}.sealed`);
}
