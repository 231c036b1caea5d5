/** `apply: pull-request`: a branch of the action, and a pull request from it. */
import { chooseBranch, openOrUpdate } from '../publish/open-pull-request.js';
import { ownBranch } from '../publish/publish-branch.js';
import { type FoundPullRequest, openPullRequestTarget } from '../publish/pull-request-target.js';
import { pullRequestText } from '../publish/pull-request-text.js';
import { pushOwnBranch } from '../publish/push-own-branch.js';
import { systemClock } from '../system/clock.js';
import { type Publication, renderInputs } from './publication.js';
import { openPublishApi } from './publish-place.js';
import { recordPush } from './publish-push.js';
import type { PublishTarget } from './publish-target.js';

type PullRequestGoal = Extract<PublishTarget, { readonly apply: 'pull-request' }>;

export async function publishPullRequest(publication: Publication, goal: PullRequestGoal): Promise<void> {
  const { request, run, state } = publication;
  const { log } = request.actionContext;
  const earlier = state.published.findLast(
    (one) => one.kind === 'pull-request' && one.content === run.change,
  );
  if (earlier !== undefined) {
    log.info(
      `Job attempt ${earlier.jobAttempt} opened or updated ${earlier.url}. Nothing is published again.`,
    );
    return;
  }
  const target = openPullRequestTarget(await openPublishApi(request.actionContext), systemClock);
  const { branch, open } = await findBranch(publication, target, goal);
  const how = await recordPush(publication, branch, (change) => pushOwnBranch(change, branch, goal.base));
  if (how !== 'in-base') await recordPullRequest(publication, { target, branch, base: goal.base, open });
}

/** A branch that this run has pushed to already is used again, also if its pull request could not be opened. */
async function findBranch(
  { run, state }: Publication,
  target: ReturnType<typeof openPullRequestTarget>,
  { key }: PullRequestGoal,
): Promise<{ readonly branch: string; readonly open: FoundPullRequest | undefined }> {
  const pushed = state.published.findLast(({ kind, branch }) => kind === 'push' && branch !== undefined);
  if (pushed?.branch !== undefined) {
    const open = (await target.list(pushed.branch)).find(({ isOpen }) => isOpen);
    return { branch: pushed.branch, open };
  }
  const { branch, open } = await chooseBranch(target, (number) => ownBranch(run.workflow, key, number));
  return { branch, open };
}

async function recordPullRequest(
  publication: Publication,
  {
    target,
    branch,
    base,
    open,
  }: {
    readonly target: ReturnType<typeof openPullRequestTarget>;
    readonly branch: string;
    readonly base: string;
    readonly open: FoundPullRequest | undefined;
  },
): Promise<void> {
  const { request, run, record, onKind } = publication;
  const { inputs, log, redact } = request.actionContext;
  onKind('pull-request', branch);
  const [title, body] = await renderInputs(publication, [inputs.prTitle, inputs.prBody]);
  const made = pullRequestText(run, { ...(title ? { title } : {}), ...(body ? { body } : {}) }, redact);
  record.intend('pull-request', run.change, branch);
  const { pull, isNew } = await openOrUpdate(target, { branch, base, text: made }, open);
  record.done('pull-request', run.change, { branch, pullRequest: pull.number, url: pull.url });
  log.info(`${isNew ? 'Opened' : 'Updated'} pull request #${pull.number}: ${pull.url}`);
}
