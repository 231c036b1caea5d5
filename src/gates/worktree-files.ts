/** The files of a worktree that git does not ignore, with those that are not added yet. */

import { defined } from '../optional-keys.js';
import type { ProcessRunner } from '../system/process.js';

export interface WorktreeListing {
  readonly processes: ProcessRunner;
  /** Paths are relative to this directory. Files outside of it are not listed. */
  readonly directory: string;
  readonly env: Readonly<Record<string, string>>;
  readonly signal?: AbortSignal;
}

/** Includes files that were deleted but are still in the index. Empty if git fails. */
export async function listWorktreeFiles(listing: WorktreeListing): Promise<readonly string[]> {
  const files: string[] = [];
  await listing.processes.run({
    file: 'git',
    args: ['-c', 'core.quotePath=false', 'ls-files', '--cached', '--others', '--exclude-standard'],
    directory: listing.directory,
    env: listing.env,
    onLine: (line, stream) => {
      if (stream === 'stdout') files.push(line);
    },
    ...defined({ signal: listing.signal }),
  });
  return files;
}
