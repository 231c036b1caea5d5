/** An issue at a GitHub on loopback that becomes a pull request: its events, and what people write about it. */
import { issueBody, reviewBody, reviewCommentBody } from '../rig/github/conversations.js';
import { headOf, pullBody } from '../rig/github/pulls.js';
import { type GitHubServer, startGitHub } from '../rig/github/server.js';
import type { GitHubUser, StoredPull, StoredReview, StoredReviewComment } from '../rig/github/state.js';
import type { WorkflowEvent } from '../rig/machine.js';
import type { Harness } from './harness.js';

export interface IssueText {
  readonly number: number;
  readonly title: string;
  readonly body: string;
}

export interface LineComment {
  readonly path: string;
  readonly line: number;
  readonly body: string;
}

export interface IssueScene {
  readonly github: GitHubServer;
  /** A person with write permission sets a label. */
  label(issue: number, actor: string): WorkflowEvent;
  /** A person requests changes with one comment on a line. Both events of it, as GitHub reports them. */
  reviewLine(pull: StoredPull, author: string, comment: LineComment): Promise<ReviewEvents>;
}

export interface ReviewEvents {
  /** `pull_request_review`. */
  readonly review: WorkflowEvent;
  /** `pull_request_review_comment`. */
  readonly comment: WorkflowEvent;
}

/** `eve`, who may not write, has filed the issues. */
export async function openIssueScene(
  harness: Harness,
  writers: readonly string[],
  issues: readonly IssueText[],
): Promise<IssueScene> {
  const github = await startGitHub({ git: harness.repository, shelf: harness.cache.shelf });
  const { state } = github;
  const author: GitHubUser = { login: 'eve', type: 'User' };
  for (const login of writers) state.permissions[login] = 'write';
  for (const issue of issues) state.issues.push({ ...issue, author, state: 'open', labels: ['gump'] });
  return {
    github,
    label: (number, actor) => ({
      name: 'issues',
      actor,
      payload: { action: 'labeled', label: { name: 'gump' }, issue: issueBody(state, number) },
    }),
    async reviewLine(pull, login, written) {
      const stored = await storeReview(github, pull, { login, type: 'User' }, written);
      const common = {
        actor: login,
        ref: `refs/pull/${pull.number}/merge`,
        sha: await updatePullRefs(github, pull),
      };
      const payload = { pull_request: await pullBody(state, pull) };
      const comment = { action: 'created', comment: reviewCommentBody(state, stored.comment), ...payload };
      const review = { action: 'submitted', review: reviewBody(state, stored.review), ...payload };
      return {
        review: { name: 'pull_request_review', ...common, payload: review },
        comment: { name: 'pull_request_review_comment', ...common, payload: comment },
      };
    },
  };
}

async function storeReview(
  { state }: GitHubServer,
  pull: StoredPull,
  author: GitHubUser,
  { path, line, body }: LineComment,
) {
  const common = { number: pull.number, author, commit: await headOf(state, pull) };
  const facts = { id: state.nextId(), body: '', submittedAt: state.now() };
  const review: StoredReview = { ...common, ...facts, state: 'CHANGES_REQUESTED' };
  const id = state.nextId();
  const place = { path, line, side: 'RIGHT' as const, diffHunk: '@@ -1 +1 @@', thread: `PRRT_${id}` };
  const comment: StoredReviewComment = {
    ...{ ...common, ...place, id, review: review.id, body },
    createdAt: state.now(),
  };
  state.reviews.push(review);
  state.reviewComments.push(comment);
  return { review, comment };
}

/** Makes the refs of a pull request that GitHub has after each push, and returns the merge commit. */
async function updatePullRefs({ state }: GitHubServer, pull: StoredPull): Promise<string> {
  const { git } = state.git;
  const head = await headOf(state, pull);
  const base = await git('rev-parse', `refs/heads/${pull.base}`);
  const tree = await git('merge-tree', '--write-tree', base, head);
  const merge = await git('commit-tree', '-p', base, '-p', head, '-m', `Merge ${head} into ${base}`, tree);
  await git('update-ref', `refs/pull/${pull.number}/head`, head);
  await git('update-ref', `refs/pull/${pull.number}/merge`, merge);
  return merge;
}
