/** Removes the worktrees of parallel branches that a process left behind. `post` needs it if `main` was killed. */
import { removeWorktreesBelow } from './linked-worktrees.js';
import { loadRepository } from './private-repository.js';

/** `parent` is the absolute path of the directory that contains the worktrees of all parallel branches of the run. */
export function removeLeftoverWorktrees(privateDirectory: string, parent: string): void {
  const known = loadRepository(privateDirectory);
  if (known !== undefined) removeWorktreesBelow(known.repository.commonDirectory, parent);
}
