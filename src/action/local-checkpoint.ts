/**
 * The checkpoint that a cancelled `main` seals on local disk before it contacts the service. If `main` is killed
 * before the upload is done, `post` takes the state from here, even if the session copies are gone.
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

/** `undefined` if the file is missing or does not open. */
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
