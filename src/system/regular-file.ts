/** Reading a file that others may have put there: never through a link, and never from what would not end. */
import { constants } from 'node:fs';
import { open } from 'node:fs/promises';

/**
 * The bytes of an ordinary file; `undefined` when it is none (any more), or larger than `maxBytes`. Rejects
 * when the disk does not give them.
 */
export async function readRegularFile(path: string, maxBytes: number): Promise<Buffer | undefined> {
  // Without O_NONBLOCK a named pipe at this place would hold us for ever.
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
