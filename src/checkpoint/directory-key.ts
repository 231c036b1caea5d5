/** The key of a state in a directory, for jobs that have no other secret to seal it with. */
import { randomBytes } from 'node:crypto';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { UserError } from '../failure.js';
import { readStoredFile, writeNewFile } from './new-file.js';

const fileName = 'state.key';
const shape = /^[A-Za-z0-9_-]{43}$/;

/**
 * The key that lies beside the state in `directory`, made when missing; readable by its owner alone. Throws
 * `UserError` when something else lies in its place or the disk does not take it.
 */
export async function readOrCreateDirectoryKey(directory: string): Promise<string> {
  const file = join(directory, fileName);
  try {
    await mkdir(directory, { recursive: true, mode: 0o700 });
    // Of two jobs that come at once one makes the file, and both read what it made.
    await writeNewFile(file, Buffer.from(`${randomBytes(32).toString('base64url')}\n`));
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new UserError(`Input state-store: the key of the state cannot be made at ${file}: ${reason}`);
  }
  const key = await readDirectoryKey(directory);
  if (key !== undefined) return key;
  throw new UserError(
    `${file} is not a key that this action made. Remove it to have a new one made; ` +
      'what was sealed with the former one cannot be opened then.',
  );
}

/** The key that lies in `directory`; `undefined` when none was ever made. */
export async function readDirectoryKey(directory: string): Promise<string | undefined> {
  const content = await readStoredFile(join(directory, fileName), 1024);
  const key = content?.toString('utf8').trim();
  return key !== undefined && shape.test(key) ? key : undefined;
}
