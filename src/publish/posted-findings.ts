/** Reads the findings that earlier runs posted on a pull request: threads of comments, and bodies of reviews. */
import type { GitHubApi } from '../github/github-api.js';
import { findingMarksIn } from './publication-marker.js';
import type { PostedFinding } from './review-plan.js';
import { isOwnedBy } from './token-owner.js';

export interface PostedReview {
  readonly id: number;
  readonly url: string;
  readonly body: string;
}

/** The reviews of the token's own user, the oldest first. */
export async function readOwnReviews(
  api: GitHubApi,
  pull: number,
  tokenOwner: string,
): Promise<readonly PostedReview[]> {
  return ownReviews(await readReviews(api, pull), tokenOwner);
}

export interface EarlierFindings {
  /** As `isOwnedBy` compares it. */
  readonly tokenOwner: string;
  readonly posted: readonly PostedFinding[];
}

/** The findings with this key that the token's own user posted. */
export async function readEarlierFindings(
  api: GitHubApi,
  pull: number,
  key: string,
): Promise<EarlierFindings> {
  const [{ tokenOwner, threads }, reviews] = await Promise.all([
    readThreads(api, pull),
    readReviews(api, pull),
  ]);
  const inThreads = findingsInThreads(threads, tokenOwner, key);
  return { tokenOwner, posted: [...inThreads, ...findingsInReviews(ownReviews(reviews, tokenOwner), key)] };
}

type StoredReviews = Awaited<ReturnType<typeof readReviews>>;

function readReviews({ paginate, rest, owner, repo }: GitHubApi, pull: number) {
  return paginate(rest.pulls.listReviews, { owner, repo, pull_number: pull, per_page: 100 });
}

function ownReviews(all: StoredReviews, tokenOwner: string): readonly PostedReview[] {
  return all
    .filter(({ user }) => isOwnedBy(tokenOwner, user))
    .map(({ id, html_url, body }) => ({ id, url: html_url, body: body.replaceAll('\r\n', '\n') }));
}

/** The findings in the bodies of these reviews. */
function findingsInReviews(reviews: readonly PostedReview[], key: string): readonly PostedFinding[] {
  return reviews.flatMap(({ id, body }) =>
    findingMarksIn(body)
      .filter((mark) => mark.key === key)
      .map((mark) => ({ mark, body: itemOf(body, mark.id), in: { kind: 'review', review: id } as const })),
  );
}

/** The line after the mark. */
function itemOf(body: string, id: string): string {
  const lines = body.split('\n');
  return lines[lines.findIndex((line) => line.includes(` ${id} `)) + 1] ?? '';
}

/** Only the first line of the first comment of a thread counts. */
function findingsInThreads(
  threads: readonly ReviewThread[],
  tokenOwner: string,
  key: string,
): readonly PostedFinding[] {
  return threads.flatMap(({ id, isResolved, comments }) => {
    const [comment] = comments.nodes;
    if (comment === undefined || !isOwnedBy(tokenOwner, authorOf(comment))) return [];
    const body = comment.body.replaceAll('\r\n', '\n');
    const [mark] = findingMarksIn(body.split('\n', 1)[0] ?? '');
    const restId = /#discussion_r(\d+)$/.exec(comment.url)?.[1];
    if (mark?.key !== key || restId === undefined) return [];
    return [{ mark, body, in: { kind: 'thread', comment: Number(restId), thread: id, isResolved } as const }];
  });
}

function authorOf({ author }: ThreadComment) {
  return author === null ? null : { login: author.login, type: author.__typename };
}

interface ThreadComment {
  readonly body: string;
  /** With the id of the REST API: `databaseId` has 32 bits, which newer ids exceed. */
  readonly url: string;
  readonly author: { readonly login: string; readonly __typename: string } | null;
}

interface ReviewThread {
  readonly id: string;
  readonly isResolved: boolean;
  readonly comments: { readonly nodes: readonly ThreadComment[] };
}

interface ThreadPage {
  readonly viewer: { readonly login: string };
  readonly repository: {
    readonly pullRequest: {
      readonly reviewThreads: {
        readonly pageInfo: { readonly hasNextPage: boolean; readonly endCursor: string | null };
        readonly nodes: readonly ReviewThread[];
      };
    };
  };
}

/** The REST API does not know whether a thread is resolved. */
const threadsQuery = `query ($owner: String!, $repo: String!, $pull: Int!, $after: String) {
  viewer { login }
  repository(owner: $owner, name: $repo) {
    pullRequest(number: $pull) {
      reviewThreads(first: 100, after: $after) {
        pageInfo { hasNextPage endCursor }
        nodes { id isResolved comments(first: 1) { nodes { body url author { login __typename } } } }
      }
    }
  }
}`;

async function readThreads({ graphql, owner, repo }: GitHubApi, pull: number) {
  const threads: ReviewThread[] = [];
  let after: string | null = null;
  let tokenOwner = '';
  do {
    const page: ThreadPage = await graphql(threadsQuery, { owner, repo, pull, after });
    const { nodes, pageInfo } = page.repository.pullRequest.reviewThreads;
    threads.push(...nodes);
    tokenOwner = page.viewer.login.toLowerCase();
    after = pageInfo.hasNextPage ? pageInfo.endCursor : null;
  } while (after !== null);
  return { tokenOwner, threads };
}
