/** Whether the files that the agents of this run work on are those of a commit of this repository, or of a fork. */
import type { SessionTrust } from '../previous/subject-scope.js';
import { commitsOfEvent, isSameRepository } from '../security/allowed-commits.js';
import { type CommitPlace, placeOfCommit } from '../security/commit-place.js';
import { findPullRequests } from '../security/pull-requests.js';
import { isUntrustedPullRequest, needsCheck, textAt } from '../security/trust.js';
import type { Workspace } from '../workspace/workspace.js';
import type { ActionContext } from './action-context.js';
import { apiOptions, eventOf } from './event-checks.js';

/** `fork` if it is unknown. Most runs need no request to GitHub. */
export async function originOfTree(
  actionContext: ActionContext,
  workspace: StartOfRun,
): Promise<SessionTrust> {
  const { job, inputs } = actionContext;
  const event = eventOf(actionContext);
  if (isUntrustedPullRequest(event)) return 'fork';
  const own = commitsOfEvent(event, job.sha).map(({ commit }) => commit);
  const { startCommit } = workspace;
  if (needsCheck(event)) {
    // Otherwise the run has not started on other files (`event-checks.ts`).
    if (!inputs.allowUntrustedCheckout) return 'repository';
    if (await hasFilesOf(own, workspace)) return 'repository';
    if (!(await hasFilesOf([startCommit], workspace))) return 'fork';
    return originOf(await placeOf(actionContext, startCommit));
  }
  // Files that earlier steps of the job made do not matter: people with write permission wrote these steps.
  const head = textAt(event.payload, 'pull_request', 'head', 'sha');
  if ([...own, head].includes(startCommit)) return 'repository';
  const place = await placeOf(actionContext, startCommit);
  // Neither do their commits.
  if (place === 'unknown') return originOf((await descendsFrom(job.sha, workspace)) ? 'repository' : place);
  return originOf(place);
}

type StartOfRun = Pick<Workspace, 'startCommit' | 'startDifferences' | 'compare'>;

function originOf(place: CommitPlace | undefined): SessionTrust {
  return place === 'repository' ? 'repository' : 'fork';
}

async function hasFilesOf(
  commits: readonly string[],
  workspace: Pick<Workspace, 'startDifferences'>,
): Promise<boolean> {
  for (const commit of commits) if ((await workspace.startDifferences(commit))?.length === 0) return true;
  return false;
}

async function descendsFrom(commit: string, { startCommit, compare }: StartOfRun): Promise<boolean> {
  return (await compare(commit, startCommit))?.mergeBase === commit;
}

/**
 * A workflow can check out any ref, also `refs/pull/N/merge` of a fork, and another repository. `undefined` if GitHub
 * does not answer.
 */
async function placeOf(actionContext: ActionContext, commit: string): Promise<CommitPlace | undefined> {
  const { sha, repository } = actionContext.job;
  const options = apiOptions(actionContext);
  try {
    const pulls = await findPullRequests({ numbers: [], commit }, options);
    const isOwn = pulls.some(({ headRepository = '' }) => isSameRepository(headRepository, repository));
    return isOwn ? 'repository' : await placeOfCommit({ commit, known: sha }, options);
  } catch {
    return undefined;
  }
}
