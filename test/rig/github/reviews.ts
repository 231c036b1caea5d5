/** Reviews of pull requests: GitHub accepts comments only on lines that its diff shows. */
import { reviewBody, reviewCommentBody } from './conversations.js';
import { isPull, numberOf, textOf, tooLong } from './issues.js';
import { lineOfPatch } from './patch-lines.js';
import { filesBetween, type PatchedFile } from './pull-diff.js';
import { headOf } from './pulls.js';
import { type Answer, denied, notFound, ok, problem } from './reply.js';
import type { Route, RouteCall } from './router.js';
import type { GitHubState, StoredPull, StoredReview, StoredReviewComment } from './state.js';

const repo = '/repos/:owner/:repo';

export function reviewRoutes(state: GitHubState): readonly Route[] {
  const find = (call: RouteCall) => state.pulls.find(({ number }) => number === numberOf(call));
  const mayNotWrite = () => state.missingPermissions.has('pull-requests: write');
  const reviewOf = ({ params }: RouteCall) => state.reviews.find(({ id }) => String(id) === params.review);
  return [
    {
      method: 'GET',
      path: `${repo}/pulls/:number/commits`,
      isList: true,
      async handle(call) {
        const pull = find(call);
        return pull === undefined ? notFound : ok((await commitsOf(state, pull)).map((sha) => ({ sha })));
      },
    },
    {
      method: 'POST',
      path: `${repo}/pulls/:number/reviews`,
      async handle(call) {
        const pull = find(call);
        if (pull === undefined) return notFound;
        return mayNotWrite() ? denied : createReview(state, pull, call);
      },
    },
    {
      method: 'GET',
      path: `${repo}/pulls/:number/reviews/:review`,
      handle(call) {
        const review = reviewOf(call);
        return review === undefined ? notFound : ok(reviewBody(state, review));
      },
    },
    {
      method: 'PUT',
      path: `${repo}/pulls/:number/reviews/:review`,
      handle(call) {
        const review = reviewOf(call);
        if (review === undefined) return notFound;
        if (mayNotWrite()) return denied;
        review.body = textOf(call);
        return tooLong(review.body) ?? ok(reviewBody(state, review));
      },
    },
    {
      method: 'PATCH',
      path: `${repo}/pulls/comments/:id`,
      handle(call) {
        const comment = state.reviewComments.find(({ id }) => String(id) === call.params.id);
        if (comment === undefined) return notFound;
        if (mayNotWrite()) return denied;
        comment.body = textOf(call);
        return tooLong(comment.body) ?? ok(reviewCommentBody(state, comment));
      },
    },
    {
      method: 'POST',
      path: `${repo}/pulls/:number/comments/:id/replies`,
      handle(call) {
        const comment = state.reviewComments.find(({ id }) => String(id) === call.params.id);
        if (comment === undefined || !isPull(state, numberOf(call))) return notFound;
        return ok(reviewCommentBody(state, reply(state, comment, state.tokenUser, textOf(call))), 201);
      },
    },
  ];
}

/** Adds a reply to the thread of a comment. */
export function reply(
  state: GitHubState,
  comment: StoredReviewComment,
  author: StoredReviewComment['author'],
  body: string,
): StoredReviewComment {
  const { review: _review, ...rest } = comment;
  const added = { ...rest, id: state.nextId(), author, body, inReplyTo: comment.id, createdAt: state.now() };
  state.reviewComments.push(added);
  return added;
}

async function commitsOf(state: GitHubState, pull: StoredPull): Promise<readonly string[]> {
  const list = await state.git.git(
    'rev-list',
    '--reverse',
    await headOf(state, pull),
    `^refs/heads/${pull.base}`,
  );
  return list.split('\n').filter((line) => line !== '');
}

interface WantedComment {
  readonly path: string;
  readonly body: string;
  readonly line?: number;
  readonly start_line?: number;
  readonly side?: 'LEFT' | 'RIGHT';
}

async function createReview(state: GitHubState, pull: StoredPull, call: RouteCall): Promise<Answer> {
  const { event, commit_id: wanted, comments = [] } = call.body ?? {};
  const commit = typeof wanted === 'string' ? wanted : await headOf(state, pull);
  if (event !== 'COMMENT') return problem(422, 'the action only comments');
  if (!(await commitsOf(state, pull)).includes(commit))
    return unprocessable('commit_id is not part of the pull request');
  const body = textOf(call);
  if (body === '') return unprocessable('Body is required');
  const files = await filesBetween(state, `refs/heads/${pull.base}`, commit);
  const placed: (Omit<StoredReviewComment, 'review'> | string)[] = [];
  for (const comment of comments as readonly WantedComment[])
    placed.push(placeComment(state, pull, commit, files, comment));
  const refused = placed.find((one) => typeof one === 'string');
  if (typeof refused === 'string') return unprocessable(refused);
  const longest = [body, ...(comments as readonly WantedComment[]).map((one) => one.body)].map(tooLong);
  const long = longest.find((one) => one !== undefined);
  if (long !== undefined) return long;
  const review: StoredReview = {
    id: state.nextId(),
    number: pull.number,
    author: state.tokenUser,
    body,
    state: 'COMMENTED',
    commit,
    submittedAt: state.now(),
  };
  state.reviews.push(review);
  for (const one of placed)
    if (typeof one !== 'string') state.reviewComments.push({ ...one, review: review.id });
  return ok(reviewBody(state, review));
}

function unprocessable(text: string): Answer {
  return problem(422, 'Unprocessable Entity', { errors: [text] });
}

/** The comment, or why it cannot be there. */
function placeComment(
  state: GitHubState,
  pull: StoredPull,
  commit: string,
  files: readonly PatchedFile[],
  { path, line = 0, start_line: startLine, side = 'RIGHT', body }: WantedComment,
): Omit<StoredReviewComment, 'review'> | string {
  const file = files.find(({ filename }) => filename === path);
  if (file === undefined) return 'Pull request review thread path is invalid';
  const last = lineOfPatch(file.patch ?? '', line);
  if (last === undefined) return 'Pull request review thread line must be part of the diff';
  const first = startLine === undefined ? last : lineOfPatch(file.patch ?? '', startLine);
  if (first?.hunk !== last.hunk)
    return 'Pull request review thread start line must be part of the same hunk as the line.';
  const id = state.nextId();
  return {
    id,
    number: pull.number,
    author: state.tokenUser,
    body,
    path,
    line,
    ...(startLine === undefined ? {} : { startLine }),
    side,
    commit,
    diffHunk: last.hunk,
    thread: `PRRT_${id}`,
    createdAt: state.now(),
  };
}
