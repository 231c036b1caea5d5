/**
 * Merges the trees of units by git's own three-way merge (`git merge-tree --write-tree`, git 2.38), one after the
 * other. Their history does not count: all become children of one commit that holds the common base.
 */
import { type BytePath, splitRecords } from './byte-path.js';
import type { Git } from './git.js';

export interface BranchTree {
  readonly name: string;
  readonly tree: string;
}

export type TreeMergeResult =
  | { readonly status: 'merged'; readonly tree: string }
  | {
      readonly status: 'conflict';
      readonly paths: readonly BytePath[];
      readonly units: readonly [later: string, earlier: string];
    };

interface BranchCommit {
  readonly name: string;
  readonly commit: string;
  /** What this change and all before it add up to. */
  readonly mergedCommit: string;
}

/** `git` is one of `openMergeGit`. */
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
        units: [name, await findConflictingBranch(git, earlier, commit)],
      };
    }
    tree = merged.tree;
    mergedCommit = await commitTree(git, tree, root);
    earlier.push({ name, commit, mergedCommit });
  }
  return { status: 'merged', tree };
}

/**
 * The last earlier unit that cannot be merged with this one; where each of them can by itself, the first whose
 * addition made the difference.
 */
async function findConflictingBranch(
  git: Git,
  earlier: readonly BranchCommit[],
  commit: string,
): Promise<string> {
  for (const change of earlier.toReversed()) {
    if (!(await mergeCommits(git, change.commit, commit)).isClean) return change.name;
  }
  for (const change of earlier) {
    if (!(await mergeCommits(git, change.mergedCommit, commit)).isClean) return change.name;
  }
  throw new Error('a merge that failed before went well when it was tried again');
}

interface CommitMergeResult {
  readonly isClean: boolean;
  readonly tree: string;
  /** What could not be merged. */
  readonly paths: readonly BytePath[];
}

async function mergeCommits(git: Git, ours: string, theirs: string): Promise<CommitMergeResult> {
  const args = ['merge-tree', '--write-tree', '-z', '--name-only', '--no-messages', ours, theirs];
  const { status, stdout } = await git.run(args, { accept: [0, 1] });
  const [tree = '', ...paths] = splitRecords(stdout);
  const places = paths.map((path) => withoutLabel(path, [ours, theirs]));
  return { isClean: status === 0, tree, paths: [...new Set(places)].sort() };
}

/** Where a directory and a file want one name, git lists the file with the name of its side: `name~commit`. */
function withoutLabel(path: BytePath, labels: readonly string[]): BytePath {
  const end = labels.map((label) => path.lastIndexOf(`~${label}`)).find((at) => at !== -1);
  return end === undefined ? path : path.slice(0, end);
}

async function commitTree(git: Git, tree: string, parent?: string): Promise<string> {
  const parents = parent === undefined ? [] : ['-p', parent];
  const { stdout } = await git.run(['commit-tree', tree, ...parents], { input: 'unit' });
  return stdout.toString('latin1').trim();
}
