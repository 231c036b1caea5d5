/** Issues, comments and reviews, to read. Pull requests are issues too, as on GitHub. */
import { denied, notFound, ok } from './reply.js';
import type { Route } from './router.js';
import {
  type GitHubState,
  type StoredComment,
  type StoredReview,
  type StoredReviewComment,
  userBody,
} from './state.js';

const repo = '/repos/:owner/:repo';

export function conversationRoutes(state: GitHubState): readonly Route[] {
  const isDenied = (...permissions: readonly string[]) =>
    permissions.every((permission) => state.missingPermissions.has(permission));
  return [
    {
      method: 'GET',
      path: `${repo}/issues/:number`,
      handle({ params }) {
        if (isDenied('issues: read', 'pull-requests: read')) return denied;
        const body = issueBody(state, Number(params.number));
        return body === undefined ? notFound : ok(body);
      },
    },
    {
      method: 'GET',
      path: `${repo}/issues/:number/comments`,
      isList: true,
      handle({ params }) {
        if (isDenied('issues: read', 'pull-requests: read')) return denied;
        if (issueBody(state, Number(params.number)) === undefined) return notFound;
        return ok(ofNumber(state.comments, params.number).map((one) => commentBody(state, one)));
      },
    },
    {
      method: 'GET',
      path: `${repo}/pulls/:number/comments`,
      isList: true,
      handle({ params }) {
        if (isDenied('pull-requests: read')) return denied;
        if (!hasPull(state, params.number)) return notFound;
        return ok(ofNumber(state.reviewComments, params.number).map((one) => reviewCommentBody(state, one)));
      },
    },
    {
      method: 'GET',
      path: `${repo}/pulls/:number/reviews`,
      isList: true,
      handle({ params }) {
        if (isDenied('pull-requests: read')) return denied;
        if (!hasPull(state, params.number)) return notFound;
        return ok(ofNumber(state.reviews, params.number).map((one) => reviewBody(state, one)));
      },
    },
  ];
}

function hasPull(state: GitHubState, number: string | undefined): boolean {
  return state.pulls.some((pull) => String(pull.number) === number);
}

function ofNumber<T extends { readonly number: number }>(
  list: readonly T[],
  number: string | undefined,
): readonly T[] {
  return list.filter((one) => String(one.number) === number);
}

/** An issue, or a pull request as an issue, as the REST API and the payload of an event contain it. */
export function issueBody(state: GitHubState, number: number): object | undefined {
  const pull = state.pulls.find((one) => one.number === number);
  const issue = state.issues.find((one) => one.number === number);
  const found = pull ?? issue;
  if (found === undefined) return undefined;
  const url = `https://github.com/${state.repository}/${pull ? 'pull' : 'issues'}/${number}`;
  return {
    number,
    node_id: `I_${number}`,
    title: found.title,
    body: found.body,
    state: found.state,
    html_url: url,
    user: userBody(found.author),
    labels: (issue?.labels ?? []).map((name) => ({ name })),
    ...(pull === undefined ? {} : { pull_request: { html_url: url } }),
  };
}

/** A comment on an issue or a pull request, as the REST API and the payload of an event contain it. */
export function commentBody({ repository }: GitHubState, comment: StoredComment): object {
  const { id, number, author, body, createdAt, updatedAt } = comment;
  return {
    id,
    node_id: `IC_${id}`,
    user: userBody(author),
    body,
    html_url: `https://github.com/${repository}/issues/${number}#issuecomment-${id}`,
    author_association: 'NONE',
    performed_via_github_app: null,
    created_at: createdAt,
    updated_at: updatedAt,
  };
}

/** A comment on a line of a pull request, as the REST API and the payload of an event contain it. */
export function reviewCommentBody({ repository }: GitHubState, comment: StoredReviewComment): object {
  const { id, number, author, body, path, line, startLine, side, commit, diffHunk, createdAt } = comment;
  return {
    id,
    node_id: `PRRC_${id}`,
    pull_request_review_id: comment.review ?? null,
    user: userBody(author),
    body,
    path,
    line,
    original_line: line ?? 1,
    start_line: startLine ?? null,
    side,
    commit_id: commit,
    original_commit_id: commit,
    diff_hunk: diffHunk,
    ...(comment.inReplyTo === undefined ? {} : { in_reply_to_id: comment.inReplyTo }),
    html_url: `https://github.com/${repository}/pull/${number}#discussion_r${id}`,
    author_association: 'NONE',
    created_at: createdAt,
    updated_at: createdAt,
  };
}

export function reviewBody({ repository }: GitHubState, review: StoredReview): object {
  const { id, number, author, body, state, commit, submittedAt } = review;
  return {
    id,
    node_id: `PRR_${id}`,
    user: userBody(author),
    body,
    state,
    commit_id: commit,
    html_url: `https://github.com/${repository}/pull/${number}#pullrequestreview-${id}`,
    author_association: 'NONE',
    submitted_at: submittedAt,
  };
}
