/** Packs snapshots that an earlier process of this job recorded. `post` needs it if `main` was killed. */
import { openGitShell } from './git.js';
import type { WorkspaceOptions } from './open.js';
import { packSnapshots } from './pack.js';
import { openPrivateGit } from './private-git.js';
import { loadRepository } from './private-repository.js';
import type { Snapshot } from './workspace.js';

export interface RepackOptions extends Omit<WorkspaceOptions, 'maximumFileBytes'> {
  /** The commit from which the run started. HEAD may have moved since. */
  readonly startCommit: string;
}

/** Like `Workspace.pack`, with the objects in the private directory of the earlier process. */
export async function repackSnapshots(
  options: RepackOptions,
  snapshots: readonly Snapshot[],
  packed: readonly string[] = [],
): Promise<Buffer> {
  const { directory, privateDirectory, env, startCommit } = options;
  const shell = openGitShell(privateDirectory, env);
  const { own } = loadRepository(privateDirectory) ?? {};
  if (own === undefined) throw new Error('the job has recorded no snapshots');
  // A pack needs no worktree.
  const git = openPrivateGit({ shell, repository: { root: directory }, own, privateDirectory });
  return packSnapshots(git, { startCommit, isPartial: own.isPartial }, snapshots, packed);
}
