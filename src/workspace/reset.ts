/** Makes the work tree what it was at a recorded state, with git's own means: filters, line ends, modes, links. */
import { rmdirSync, rmSync } from 'node:fs';
import { absolutePath, type BytePath } from './byte-path.js';
import { checkLeftOut, type LeftOutRules, wasIgnored } from './left-out-files.js';
import type { StagingIndex } from './staging-index.js';

/**
 * `tree` is the tree of everything at that state. `spared`: files that are not recorded but lay there then. What
 * is ignored stays.
 */
export async function resetWorktree(
  stage: StagingIndex,
  rules: LeftOutRules,
  tree: string,
  keptPaths: ReadonlySet<BytePath>,
): Promise<void> {
  await stage.checkOutTree(tree, 'overwrite');
  // What was never recorded is not in the index, so git leaves it lying.
  for (const path of await stage.untracked()) {
    if (!keptPaths.has(path) && !isNeverRemoved(path, rules)) remove(rules.repository.root, path);
  }
}

/** Never ours to remove: what no snapshot holds by rule, and what the start had ignored. */
function isNeverRemoved(path: BytePath, rules: LeftOutRules): boolean {
  return wasIgnored(path, rules.ignoredAtStart) || checkLeftOut(path, rules)?.reason === 'dropped';
}

/** Also the directories over it that this leaves empty. */
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
