/** Safely reads a file that other programs may have created: follows no link and never blocks on a pipe. */
import { constants } from 'node:fs';
import { open } from 'node:fs/promises';

/**
 * The content of a regular file; `undefined` if the path is anything else or missing, or the file is larger than
 * `maxBytes`. Rejects if the disk fails.
 */
export async function readRegularFile(path: string, maxBytes: number): Promise<Buffer | undefined> {
  // Without O_NONBLOCK, opening a named pipe would block forever.
  const file = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK).catch(
    () => undefined,
  );
  if (file === undefined) return undefined;
  try {
    const found = await file.stat();
    return found.isFile() && found.size <= maxBytes ? await file.readFile() : undefined;
  } finally {
    await file.close();
  }
}
