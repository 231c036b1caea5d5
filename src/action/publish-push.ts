/** `apply: push`: a commit on the head branch of the pull request, or on the branch of the run. */
import { openGitData } from '../publish/git-data.js';
import { type ChangeToPush, type PushedChange, pushChange } from '../publish/push-change.js';
import { systemClock } from '../system/clock.js';
import { messageOfCommit, type Publication } from './publication.js';
import { openPublishApi, repositoryUrl } from './publish-place.js';
import type { PublishTarget } from './publish-target.js';

export async function publishPush(
  publication: Publication,
  { branch }: Extract<PublishTarget, { readonly apply: 'push' }>,
): Promise<void> {
  await recordPush(publication, branch, (change) => pushChange(change, branch));
}

/** Pushes unless an earlier job of the run has pushed the same change there. Resolves with how that ended. */
export async function recordPush(
  publication: Publication,
  branch: string,
  push: (change: ChangeToPush) => Promise<PushedChange>,
): Promise<PushedChange['how']> {
  const { request, run, files, state, record, onKind } = publication;
  const { actionContext, workspace } = request;
  const { log } = actionContext;
  onKind('push', branch);
  const earlier = state.published.findLast(
    (one) => one.kind === 'push' && one.branch === branch && one.content === run.change,
  );
  if (earlier?.commit !== undefined) {
    log.info(
      `Job attempt ${earlier.jobAttempt} pushed ${earlier.commit} to \`${branch}\`. Nothing is pushed again.`,
    );
    return 'found';
  }
  record.intend('push', run.change, branch);
  const pushed = await push({
    target: openGitData(await openPublishApi(actionContext), systemClock),
    commits: workspace.commits,
    startCommit: workspace.startCommit,
    files,
    message: await messageOfCommit(publication),
    identity: run,
  });
  const { commit, how } = pushed;
  log.info(pushText(pushed, branch));
  if (how === 'in-base') return how;
  const url = `${repositoryUrl(actionContext)}/commit/${commit}`;
  record.done('push', run.change, { branch, commit, url });
  return how;
}

function pushText({ commit, how }: PushedChange, branch: string): string {
  if (how === 'found') return `An earlier job pushed ${commit} to \`${branch}\`. Nothing is pushed again.`;
  if (how === 'in-base')
    return `The base has these changes already, at ${commit}, so there is nothing to open.`;
  if (how === 'contained')
    return `Branch \`${branch}\` has these changes already, at ${commit}. Nothing is pushed.`;
  return `Pushed ${commit} to \`${branch}\``;
}
