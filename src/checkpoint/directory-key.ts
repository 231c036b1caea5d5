/** The key of a state in a directory, for jobs without another secret to seal it. */
import { randomBytes } from 'node:crypto';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { UserError } from '../failure.js';
import { readStoredFile, writeNewFile } from './new-file.js';

const fileName = 'state.key';
const shape = /^[A-Za-z0-9_-]{43}$/;

/**
 * The key next to the state in `directory`. Created if missing; only the owner can read it. Throws `UserError` if the
 * file is not a key or cannot be written.
 */
export async function readOrCreateDirectoryKey(directory: string): Promise<string> {
  const file = join(directory, fileName);
  try {
    await mkdir(directory, { recursive: true, mode: 0o700 });
    // If two jobs start at the same time, one creates the file and both read it.
    await writeNewFile(file, Buffer.from(`${randomBytes(32).toString('base64url')}\n`));
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new UserError(
      `Input \`state-store\`: the state key \`${file}\` cannot be created: ${reason}. Set a directory that the runner can write to.`,
    );
  }
  const key = await readDirectoryKey(directory);
  if (key !== undefined) return key;
  throw new UserError(
    `\`${file}\` is not a key that this action created. A new key cannot open checkpoints that another key sealed. ` +
      'Remove the file to create a new key.',
  );
}

/** The key in `directory`. `undefined` if there is none. */
export async function readDirectoryKey(directory: string): Promise<string | undefined> {
  const content = await readStoredFile(join(directory, fileName), 1024);
  const key = content?.toString('utf8').trim();
  return key !== undefined && shape.test(key) ? key : undefined;
}
