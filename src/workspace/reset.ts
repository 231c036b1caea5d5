/** Makes the work tree what it was at a recorded state, with git's own means: filters, line ends, modes, links. */
import { rmdirSync, rmSync } from 'node:fs';
import { type BytePath, inRoot } from './byte-path.js';
import { type LeftOutRules, leftOut, wasIgnored } from './leftovers.js';
import type { Stage } from './stage.js';

/**
 * `tree` is the tree of everything at that state. `spared`: files that are not recorded but lay there then. What
 * is ignored stays.
 */
export async function resetTo(
  stage: Stage,
  rules: LeftOutRules,
  tree: string,
  spared: ReadonlySet<BytePath>,
): Promise<void> {
  await stage.checkOut(tree, 'overwrite');
  // What was never recorded is not in the index, so git leaves it lying.
  for (const path of await stage.untracked()) {
    if (!spared.has(path) && !staysAnyway(path, rules)) remove(rules.repository.root, path);
  }
}

/** Never ours to remove: what no snapshot holds by rule, and what the start had ignored. */
function staysAnyway(path: BytePath, rules: LeftOutRules): boolean {
  return wasIgnored(path, rules.ignoredAtStart) || leftOut(path, rules)?.reason === 'dropped';
}

/** Also the directories over it that this leaves empty. */
function remove(root: string, path: BytePath): void {
  rmSync(inRoot(root, path.replace(/\/$/, '')), { recursive: true, force: true });
  let end = path.replace(/\/$/, '').lastIndexOf('/');
  while (end !== -1 && removeEmpty(inRoot(root, path.slice(0, end)))) end = path.lastIndexOf('/', end - 1);
}

function removeEmpty(directory: Buffer): boolean {
  try {
    rmdirSync(directory);
    return true;
  } catch {
    return false;
  }
}
