/** Removes the worktrees of parallel branches that a process left behind. `post` needs it if `main` was killed. */
import { openGit, openGitShell } from './git.js';
import { removeWorktreesBelow } from './linked-worktrees.js';
import type { WorkspaceOptions } from './open.js';
import { findRepository } from './repository.js';

/** `parent` is the absolute path of the directory that contains the worktrees of all parallel branches of the run. */
export async function removeLeftoverWorktrees(
  { directory, privateDirectory, env }: Omit<WorkspaceOptions, 'maximumFileBytes'>,
  parent: string,
): Promise<void> {
  const shell = openGitShell(privateDirectory, env);
  const git = openGit({ shell, scratch: privateDirectory, directory });
  const { commonDirectory } = await findRepository(git, directory);
  await shell.close();
  removeWorktreesBelow(commonDirectory, parent);
}
