/** Opens the pull request of a run, or updates the one that an earlier run for the same subject opened. */

import type { FoundPullRequest, PullRequestTarget } from './pull-request-target.js';
import { isOwnText, type PullRequestText } from './pull-request-text.js';

/** More closed pull requests of one issue mean that something is wrong. */
const maxNumber = 50;

/**
 * The branch to use: the first whose pull request is open, or that never had one. Of a pull request that was closed or
 * merged, people have decided, so the next one gets a new branch.
 */
export async function chooseBranch(
  target: Pick<PullRequestTarget, 'list'>,
  nameOf: (number: number) => string,
): Promise<{ readonly branch: string; readonly open?: FoundPullRequest }> {
  for (let number = 1; ; number += 1) {
    const branch = nameOf(number);
    const pulls = await target.list(branch);
    const open = pulls.find(({ isOpen }) => isOpen);
    if (open !== undefined) return { branch, open };
    if (pulls.length === 0 || number === maxNumber) return { branch };
  }
}

/** `open`: the pull request from the branch, if there is one. Its text stays if a person has edited it. */
export async function openOrUpdate(
  target: PullRequestTarget,
  { branch, base, text }: { readonly branch: string; readonly base: string; readonly text: PullRequestText },
  open: FoundPullRequest | undefined,
): Promise<{ readonly pull: FoundPullRequest; readonly isNew: boolean }> {
  const pull = open ?? (await target.create({ branch, base, ...text }));
  const isNew = open === undefined && pull.title === text.title && pull.body === text.body;
  const isSame = pull.title === text.title && pull.body === text.body;
  if (!isSame && isOwnText(pull)) await target.update(pull.number, text);
  return { pull, isNew };
}
