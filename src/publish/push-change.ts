/** Puts the change of a run on a branch at GitHub, never forced. */
import type { ChangeCommits } from '../workspace/change-commits.js';
import type { TreeChange } from '../workspace/git-tree.js';
import { isCommitOf } from './commit-message.js';
import type { CommitTarget } from './commit-target.js';
import { type MergedChange, mergeChanges, onStartCommit } from './merge-changes.js';
import { clashFailure, missingBranchFailure, movedFailure } from './publish-failure.js';
import { writeCommitAt } from './write-commit.js';

export interface ChangeToPush {
  readonly target: CommitTarget;
  readonly commits: ChangeCommits;
  readonly startCommit: string;
  readonly files: readonly TreeChange[];
  readonly message: string;
  /** By which a commit of this run is found again. */
  readonly identity: { readonly runUrl: string; readonly change: string };
}

export interface PushedChange {
  readonly commit: string;
  /**
   * `found`: an earlier job pushed it. `contained`: the branch had all of it already. `in-base`: the branch that the pull
   * request is for has it, so no branch was created.
   */
  readonly how: 'pushed' | 'found' | 'contained' | 'in-base';
}

/** The branch may move once while this runs. Throws a `FailureError` if the change cannot be merged. */
export async function pushChange(change: ChangeToPush, branch: string): Promise<PushedChange> {
  for (const isSecond of [false, true]) {
    // Also in the second round: the first push may have taken effect, its answer got lost, and somebody pushed on top.
    const found = await findPushed(change, branch);
    if (found !== undefined) return { commit: found, how: isSecond ? 'pushed' : 'found' };
    const head = await change.target.head(branch);
    if (head === undefined) throw missingBranchFailure(branch);
    const merged = await onTopOf(change, head);
    if (merged.conflicts.length > 0) throw clashFailure(branch, merged.conflicts, isSecond);
    if (merged.updates.length === 0) return { commit: head, how: 'contained' };
    const { updates } = merged;
    const request = { base: head, parents: [head], updates, message: change.message };
    const commit = await writeCommitAt(change.target, change.commits, request);
    if ((await change.target.moveBranch(branch, commit)) === 'done') return { commit, how: 'pushed' };
  }
  throw movedFailure(branch);
}

/** An earlier job may have pushed it without being able to record that. */
export function findPushed({ target, identity }: ChangeToPush, branch: string): Promise<string | undefined> {
  return target.findCommit(branch, (message) => isCommitOf(message, identity));
}

/** The change on top of a commit. */
export async function onTopOf(
  { target, commits, startCommit, files }: ChangeToPush,
  commit: string,
): Promise<MergedChange> {
  if (commit === startCommit) return onStartCommit(files);
  return mergeChanges(target, commits, files, await target.treeOf(commit));
}
