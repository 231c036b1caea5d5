/** Removes the work trees of units that a process left behind: `post` may have to, where `main` was killed. */
import { openGit, openGitShell } from './git.js';
import { removeWorktreesBelow } from './linked-worktrees.js';
import type { WorkspaceOptions } from './open.js';
import { findRepository } from './repository.js';

/** `parent` is the directory, absolute, that all units of the run were opened in. */
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
