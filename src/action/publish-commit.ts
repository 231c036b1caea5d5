/** `apply: commit`: one commit on the checked-out branch. */
import { defined } from '../optional-keys.js';
import { systemClock } from '../system/clock.js';
import { messageOfCommit, type Publication } from './publication.js';

/** The account of the token of a job, by its id (GitHub documentation, "Commits by GitHub Actions"). */
const identity = 'github-actions[bot] <41898282+github-actions[bot]@users.noreply.github.com>';

/** In every job attempt, because the commit is in the checkout of that job only. */
export async function publishCommit(publication: Publication): Promise<void> {
  const { request, run, files, record } = publication;
  const { actionContext, workspace } = request;
  const { commits } = workspace;
  record.intend('commit', run.change, commits.branch);
  const message = await messageOfCommit(publication);
  const commit = await commits.commit({ files, message, identity, now: systemClock.now() });
  record.done('commit', run.change, { commit, ...defined({ branch: commits.branch }) });
  if (commits.branch === undefined)
    actionContext.log.notice(
      `HEAD is detached, so commit ${commit} is on no branch. HEAD of the checkout points to it. To put it on a branch, use \`apply: push\`, or check out a branch with \`ref:\`.`,
    );
}
