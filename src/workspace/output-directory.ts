/**
 * `.gump/out`, where agents leave what they were asked for. An agent, or a file in the repository, may have put
 * a link in its place: nothing here follows one.
 */
import { lstat, mkdir, rm, rmdir } from 'node:fs/promises';
import { join } from 'node:path';
import { UserError } from '../failure.js';

/** Removes `.gump/out` of the working directory, whatever it is, and makes it anew, empty. */
export async function emptyOutput(directory: string): Promise<void> {
  const parent = join(directory, '.gump');
  await refuseLink(parent);
  await rm(join(parent, 'out'), { recursive: true, force: true });
  await mkdir(parent, { recursive: true });
  await mkdir(join(parent, 'out'));
}

/** Removes `.gump/out`, and `.gump` when that leaves it empty. */
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
    `${parent} is not a directory: the run puts its files into .gump/out there and follows no link. ` +
      'Remove or rename it.',
  );
}
