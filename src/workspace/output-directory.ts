/**
 * Empties and removes `.gump/out`, where agents write their outputs. An agent or the repository may have put a link
 * there, so nothing here follows a link.
 */
import { lstat, mkdir, rm, rmdir } from 'node:fs/promises';
import { join } from 'node:path';
import { UserError } from '../failure.js';

/** Removes `.gump/out` of the working directory, whatever it is, and creates an empty directory. */
export async function emptyOutput(directory: string): Promise<void> {
  const parent = join(directory, '.gump');
  await refuseLink(parent);
  await rm(join(parent, 'out'), { recursive: true, force: true });
  await mkdir(parent, { recursive: true });
  await mkdir(join(parent, 'out'));
}

/** Removes `.gump/out`, and also `.gump` if it is empty afterwards. */
export async function removeOutput(directory: string): Promise<void> {
  const parent = join(directory, '.gump');
  await refuseLink(parent);
  await rm(join(parent, 'out'), { recursive: true, force: true });
  await rmdir(parent).catch((error: NodeJS.ErrnoException) => {
    if (!['ENOENT', 'ENOTEMPTY', 'EEXIST'].includes(error.code ?? '')) throw error;
  });
}

async function refuseLink(parent: string): Promise<void> {
  const found = await lstat(parent).catch(() => undefined);
  if (found === undefined || found.isDirectory()) return;
  throw new UserError(
    `\`${parent}\` is a file or a link, and the run needs a directory there for \`.gump/out\`. ` +
      'Remove or rename it.',
  );
}
