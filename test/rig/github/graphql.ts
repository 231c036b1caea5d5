/** The GraphQL requests of the action, recognized by their fields. */
import { reviewCommentBody } from './conversations.js';
import { type Answer, ok } from './reply.js';
import type { Route, RouteCall } from './router.js';
import type { GitHubState, GitHubUser, StoredReviewComment } from './state.js';

export function graphqlRoutes(state: GitHubState): readonly Route[] {
  return [{ method: 'POST', path: '/graphql', handle: (call) => answerQuery(state, call) }];
}

interface Variables {
  readonly pull?: number;
  readonly after?: string | null;
  readonly thread?: string;
}

function answerQuery(state: GitHubState, { body }: RouteCall): Answer {
  const query = String(body?.query ?? '');
  const variables = (body?.variables ?? {}) as Variables;
  if (!query.includes('repository') && query.includes('viewer'))
    return ok({ data: { viewer: { login: state.tokenUser.login } } });
  if (query.includes('resolveReviewThread')) return resolve(state, variables.thread ?? '');
  if (query.includes('reviewThreads')) return threads(state, variables);
  return refused('UNKNOWN', `the test server does not know the query ${query}`);
}

/** A refusal of the GraphQL API has status 200. */
function refused(type: string, message: string): Answer {
  return ok({ data: null, errors: [{ type, message }] });
}

/** The token of a job also needs `contents: write` for it. */
function resolve(state: GitHubState, thread: string): Answer {
  const isDenied = ['contents: write', 'pull-requests: write'].some((name) =>
    state.missingPermissions.has(name),
  );
  if (isDenied) return refused('FORBIDDEN', 'Resource not accessible by integration');
  if (!state.reviewComments.some((one) => one.thread === thread))
    return refused('NOT_FOUND', 'Could not resolve to a node');
  state.resolvedThreads.add(thread);
  return ok({ data: { resolveReviewThread: { thread: { isResolved: true } } } });
}

/** Pages of at most 2 threads, so that a test needs few of them. */
const pageSize = 2;

function threads(state: GitHubState, { pull, after }: Variables): Answer {
  if (state.missingPermissions.has('pull-requests: read'))
    return refused('FORBIDDEN', 'Resource not accessible by integration');
  const own = state.reviewComments.filter(({ number }) => number === pull);
  const ids = [...new Set(own.map(({ thread }) => thread))];
  const start = after ? Number(after) : 0;
  const end = start + pageSize;
  const nodes = ids.slice(start, end).map((id) => ({
    id,
    isResolved: state.resolvedThreads.has(id),
    comments: {
      nodes: own
        .filter(({ thread }) => thread === id)
        .slice(0, 1)
        .map((one) => node(state, one)),
    },
  }));
  const pageInfo = { hasNextPage: end < ids.length, endCursor: nodes.length === 0 ? null : String(end) };
  return ok({
    data: {
      viewer: { login: state.tokenUser.login },
      repository: { pullRequest: { reviewThreads: { pageInfo, nodes } } },
    },
  });
}

function node(state: GitHubState, comment: StoredReviewComment) {
  return { body: comment.body, url: urlOf(state, comment), author: actor(comment.author) };
}

function urlOf(state: GitHubState, comment: StoredReviewComment): string {
  const { html_url } = reviewCommentBody(state, comment) as { readonly html_url: string };
  return html_url;
}

/** GraphQL leaves out the suffix of a bot. */
function actor({ login, type }: GitHubUser) {
  return { login: login.replace(/\[bot\]$/, ''), __typename: type };
}
