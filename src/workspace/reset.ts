/** Resets the worktree to a recorded state with git, which handles filters, line ends, modes and links. */
import { rmdirSync, rmSync } from 'node:fs';
import { absolutePath, type BytePath } from './byte-path.js';
import { checkLeftOut, type LeftOutRules, wasIgnored } from './left-out-files.js';
import type { StagingIndex } from './staging-index.js';

/**
 * `tree` is the complete tree of the state. `keptPaths`: files that are not recorded but were present in this state.
 * Ignored files stay.
 */
export async function resetWorktree(
  stagingIndex: StagingIndex,
  rules: LeftOutRules,
  tree: string,
  keptPaths: ReadonlySet<BytePath>,
): Promise<void> {
  await stagingIndex.checkOutTree(tree, 'overwrite');
  // Files that were never recorded are not in the index, so git does not remove them.
  for (const path of await stagingIndex.untracked()) {
    if (!keptPaths.has(path) && !isNeverRemoved(path, rules)) remove(rules.repository.root, path);
  }
}

/** A file that a rule excludes from snapshots, or that was ignored at the start, belongs to the user. */
function isNeverRemoved(path: BytePath, rules: LeftOutRules): boolean {
  return wasIgnored(path, rules.ignoredAtStart) || checkLeftOut(path, rules)?.reason === 'dropped';
}

/** Also removes the directories above it that are empty afterwards. */
function remove(root: string, path: BytePath): void {
  rmSync(absolutePath(root, path.replace(/\/$/, '')), { recursive: true, force: true });
  let end = path.replace(/\/$/, '').lastIndexOf('/');
  while (end !== -1 && removeEmpty(absolutePath(root, path.slice(0, end))))
    end = path.lastIndexOf('/', end - 1);
}

function removeEmpty(directory: Buffer): boolean {
  try {
    rmdirSync(directory);
    return true;
  } catch {
    return false;
  }
}
