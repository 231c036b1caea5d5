/**
 * Merges the trees of parallel branches one after the other, with git's three-way merge
 * (`git merge-tree --write-tree`, git 2.38). Their history has no effect: each tree becomes a child of one commit
 * that contains the common base.
 */
import { type BytePath, splitRecords } from './byte-path.js';
import type { Git } from './git.js';
import type { ConflictingBranches } from './workspace.js';

export interface BranchTree {
  readonly name: string;
  readonly tree: string;
}

export type TreeMergeResult =
  | { readonly status: 'merged'; readonly tree: string }
  | {
      readonly status: 'conflict';
      readonly paths: readonly BytePath[];
      readonly branches: ConflictingBranches;
    };

interface BranchCommit {
  readonly name: string;
  readonly commit: string;
  /** The merge of this branch and all branches before it. */
  readonly mergedCommit: string;
}

/** `git` must be from `openMergeGit`. */
export async function mergeBranchTrees(
  git: Git,
  base: string,
  branches: readonly BranchTree[],
): Promise<TreeMergeResult> {
  const root = await commitTree(git, base);
  const earlier: BranchCommit[] = [];
  let tree = base;
  let mergedCommit = root;
  for (const { name, tree: branchTree } of branches) {
    if (branchTree === base) continue;
    const commit = await commitTree(git, branchTree, root);
    const merged = await mergeCommits(git, mergedCommit, commit);
    if (!merged.isClean) {
      return {
        status: 'conflict',
        paths: merged.paths,
        branches: { earlier: await findConflictingBranch(git, earlier, commit), later: name },
      };
    }
    tree = merged.tree;
    mergedCommit = await commitTree(git, tree, root);
    earlier.push({ name, commit, mergedCommit });
  }
  return { status: 'merged', tree };
}

/**
 * The last earlier branch that cannot be merged with this one. If each of them alone can be merged, the first whose
 * addition causes the conflict.
 */
async function findConflictingBranch(
  git: Git,
  earlier: readonly BranchCommit[],
  commit: string,
): Promise<string> {
  for (const branch of earlier.toReversed()) {
    if (!(await mergeCommits(git, branch.commit, commit)).isClean) return branch.name;
  }
  for (const branch of earlier) {
    if (!(await mergeCommits(git, branch.mergedCommit, commit)).isClean) return branch.name;
  }
  throw new Error('a merge had a conflict, but the same merge succeeded when it was repeated');
}

interface CommitMergeResult {
  readonly isClean: boolean;
  readonly tree: string;
  /** The paths that could not be merged. */
  readonly paths: readonly BytePath[];
}

async function mergeCommits(git: Git, ours: string, theirs: string): Promise<CommitMergeResult> {
  const args = ['merge-tree', '--write-tree', '-z', '--name-only', '--no-messages', ours, theirs];
  const { status, stdout } = await git.run(args, { accept: [0, 1] });
  const [tree = '', ...paths] = splitRecords(stdout);
  const unlabelled = paths.map((path) => withoutLabel(path, [ours, theirs]));
  return { isClean: status === 0, tree, paths: [...new Set(unlabelled)].sort() };
}

/** If a directory and a file have the same name, git lists the file with the commit of its side: `name~commit`. */
function withoutLabel(path: BytePath, labels: readonly string[]): BytePath {
  const end = labels.map((label) => path.lastIndexOf(`~${label}`)).find((at) => at !== -1);
  return end === undefined ? path : path.slice(0, end);
}

async function commitTree(git: Git, tree: string, parent?: string): Promise<string> {
  const parents = parent === undefined ? [] : ['-p', parent];
  const { stdout } = await git.run(['commit-tree', tree, ...parents], { input: 'Parallel branch' });
  return stdout.toString('latin1').trim();
}
