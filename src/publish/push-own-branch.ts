/** The branch of the pull request that the action opens: created, or one commit longer. */
import { isOwnCommit } from './commit-message.js';
import { clashFailure, missingBranchFailure } from './publish-failure.js';
import { type ChangeToPush, findPushed, onTopOf, type PushedChange, pushChange } from './push-change.js';
import { writeCommitAt } from './write-commit.js';

/** Creates the branch if it does not exist. `base`: the branch that the pull request is for. */
export async function pushOwnBranch(
  change: ChangeToPush,
  branch: string,
  base: string,
): Promise<PushedChange> {
  const { target, startCommit } = change;
  const isStartInBase = (await target.relation(base, startCommit))?.ahead === 0;
  if ((await target.head(branch)) === undefined) {
    const created = await createOwnBranch(change, branch, base, isStartInBase);
    if (created !== undefined) return created;
  }
  const found = await findPushed(change, branch);
  if (found !== undefined) return { commit: found, how: 'found' };
  const replaced = isStartInBase ? await replaceOwnWork(change, branch, base) : undefined;
  return replaced ?? pushChange(change, branch);
}

/**
 * On top of the start commit, so that nothing has to be merged; if that is not a commit of the base, on top of the
 * base. `undefined` if another job has created the branch meanwhile.
 */
async function createOwnBranch(
  change: ChangeToPush,
  branch: string,
  base: string,
  isStartInBase: boolean,
): Promise<PushedChange | undefined> {
  const { target, commits, startCommit, message } = change;
  const parent = isStartInBase ? startCommit : await target.head(base);
  if (parent === undefined) throw missingBranchFailure(base);
  const { updates, conflicts } = await onTopOf(change, parent);
  if (conflicts.length > 0) throw clashFailure(base, conflicts, false);
  if (updates.length === 0) return { commit: parent, how: 'in-base' };
  const commit = await writeCommitAt(target, commits, { base: parent, parents: [parent], updates, message });
  const created = await target.createBranch(branch, commit);
  return created === 'created' ? { commit, how: 'pushed' } : undefined;
}

/**
 * The branch has only commits of the action, from an earlier run for the same issue: the new result takes the place of
 * the old one, in one commit on top of both the branch and the start commit. Nothing of a person can get lost.
 * `undefined` if people have worked on the branch, if it moves meanwhile, or if the new result cannot be merged with
 * what the branch has of its base.
 */
async function replaceOwnWork(
  change: ChangeToPush,
  branch: string,
  base: string,
): Promise<PushedChange | undefined> {
  const { target, commits, startCommit, message } = change;
  const head = await target.head(branch);
  const since = await target.relation(base, branch);
  const isOwn = since !== undefined && since.ahead > 0 && since.ahead === since.messages.length;
  if (head === undefined || !isOwn || !since.messages.every(isOwnCommit)) return undefined;
  const isStartInBranch = (await target.relation(head, startCommit))?.ahead === 0;
  const isStartNewer = (await target.relation(startCommit, since.mergeBase))?.ahead === 0;
  if (!isStartNewer && !isStartInBranch) return undefined;
  // A run that started earlier, and ended or was re-run later, does not have the newer commits of the base.
  const below = isStartNewer ? startCommit : since.mergeBase;
  const { updates, conflicts } = await onTopOf(change, below);
  if (conflicts.length > 0 || updates.length === 0) return undefined;
  const parents = isStartInBranch ? [head] : [head, startCommit];
  const commit = await writeCommitAt(target, commits, { base: below, parents, updates, message });
  return (await target.moveBranch(branch, commit)) === 'done' ? { commit, how: 'pushed' } : undefined;
}
