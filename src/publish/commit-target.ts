/** The repository at GitHub as a place for commits. `git-data.ts` implements it with the Git Data API. */
import type { BytePath } from '../workspace/byte-path.js';
import type { TreeEntry } from '../workspace/git-tree.js';

/** An entry of a new tree. */
export type NewTreeEntry = { readonly path: string } & (
  | { readonly mode: string; readonly content: string }
  | { readonly mode: string; readonly sha: string }
  /** Removes the path, which must exist. */
  | { readonly sha: null }
);

export interface NewCommit {
  readonly tree: string;
  readonly parents: readonly string[];
  readonly message: string;
}

/** How a branch or commit relates to another one. */
export interface CommitRelation {
  /** Commits that only the second one has. */
  readonly ahead: number;
  /** Commits that only the first one has. */
  readonly behind: number;
  /** The messages of the commits that only the second one has; at most 250. */
  readonly messages: readonly string[];
  /** The newest commit that both have. */
  readonly mergeBase: string;
}

/**
 * Ids are those of git. Methods that write may be called again after a lost answer: blobs, trees and commits are
 * invisible until a branch names them, and a branch that is already there is left.
 */
export interface CommitTarget {
  /** The commit of a branch. `undefined` if there is no such branch. */
  head(branch: string): Promise<string | undefined>;
  /** The newest of the last 100 commits of a branch with such a message. */
  findCommit(branch: string, isWanted: (message: string) => boolean): Promise<string | undefined>;
  /** `undefined` if GitHub does not have one of them. */
  relation(from: string, to: string): Promise<CommitRelation | undefined>;
  treeOf(commit: string): Promise<string>;
  /** The entries of one directory. Trees have the mode `040000`. */
  entries(tree: string): Promise<ReadonlyMap<BytePath, TreeEntry>>;
  blob(id: string): Promise<Buffer>;
  addBlob(content: Buffer): Promise<string>;
  addTree(base: string, entries: readonly NewTreeEntry[]): Promise<string>;
  addCommit(commit: NewCommit): Promise<string>;
  /** `exists`: another job has created it meanwhile. */
  createBranch(branch: string, commit: string): Promise<'created' | 'exists'>;
  /** Never forced. `moved`: the branch has commits that the commit does not contain. */
  moveBranch(branch: string, commit: string): Promise<'done' | 'moved'>;
}
