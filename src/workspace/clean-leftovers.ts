/** What `post` cleans up in the repository if `main` was killed. It asks no git, because an agent may have damaged it. */
import { removeWorktreesBelow } from './linked-worktrees.js';
import { loadRepository } from './private-repository.js';
import { restoreLeftover } from './set-aside.js';

/** Removes the worktrees of parallel branches. `parent` is the absolute path of the directory that contains all of them. */
export function removeLeftoverWorktrees(privateDirectory: string, parent: string): void {
  const known = loadRepository(privateDirectory);
  if (known !== undefined) removeWorktreesBelow(known.repository.commonDirectory, parent);
}

/** Puts the settings files back that were set aside while an agent ran. The agent must have ended. */
export function restoreSetAsideSettings(privateDirectory: string): void {
  const known = loadRepository(privateDirectory);
  if (known !== undefined) restoreLeftover(known.repository, false);
}
