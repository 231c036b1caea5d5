/** Reads pull requests, issues, comments and reviews from GitHub. */
import {
  type GitHubApi,
  type GitHubApiOptions,
  openGitHubApi,
  unansweredError,
} from '../github/github-api.js';
import { statusOf } from '../github/request-error.js';
import { defined } from '../optional-keys.js';
import type { PullFile } from './diff-text.js';
import { type EventTexts, subjectTexts } from './event-texts.js';
import type { Remark } from './remarks.js';

/** Each function rejects with a `UserError` that names what GitHub did not report. */
export interface ConversationReader {
  pull(number: number): Promise<EventTexts>;
  issue(number: number): Promise<EventTexts>;
  /** `undefined`: GitHub refuses the whole diff because it is too large (406). */
  diff(number: number): Promise<string | undefined>;
  /** At most 3,000, as GitHub reports. */
  files(number: number): Promise<readonly PullFile[]>;
  /** Comments on an issue, or on a pull request as a whole. */
  issueComments(number: number): Promise<readonly Remark[]>;
  /** Reviews, and comments on lines. */
  reviews(number: number): Promise<readonly Remark[]>;
}

export function createConversationReader(options: GitHubApiOptions): ConversationReader {
  const pulls = { permission: 'pull-requests: read' };
  const issues = { permission: 'issues: read' };
  const ask = async <T>(
    text: string,
    { permission }: { readonly permission: string },
    request: (api: GitHubApi) => Promise<T>,
  ): Promise<T> => {
    const api = await openGitHubApi(options);
    return request(api).catch((error: unknown) => {
      throw unansweredError({ text, permission }, options.apiUrl, error);
    });
  };
  return {
    pull: (number) =>
      ask(`pull request #${number}`, pulls, async ({ rest, owner, repo }) =>
        subjectTexts((await rest.pulls.get({ owner, repo, pull_number: number })).data),
      ),
    issue: (number) =>
      ask(`issue #${number}`, issues, async ({ rest, owner, repo }) =>
        subjectTexts((await rest.issues.get({ owner, repo, issue_number: number })).data),
      ),
    diff: (number) => ask(`the diff of pull request #${number}`, pulls, (api) => readDiff(api, number)),
    files: (number) =>
      ask(`the files of pull request #${number}`, pulls, ({ rest, paginate, owner, repo }) =>
        paginate(rest.pulls.listFiles, { owner, repo, pull_number: number, per_page: 100 }),
      ),
    issueComments: (number) =>
      ask(`the comments of #${number}`, issues, async ({ rest, paginate, owner, repo }) => {
        const place = { owner, repo, issue_number: number, per_page: 100 };
        return (await paginate(rest.issues.listComments, place)).map(toRemark);
      }),
    reviews: (number) =>
      ask(`the reviews of pull request #${number}`, pulls, (api) => readReviews(api, number)),
  };
}

/** As text: the media type of a diff. */
async function readDiff({ rest, owner, repo }: GitHubApi, number: number): Promise<string | undefined> {
  try {
    const mediaType = { format: 'diff' };
    const answer = await rest.pulls.get({ owner, repo, pull_number: number, mediaType });
    return String(answer.data);
  } catch (error) {
    if (statusOf(error) === 406) return undefined;
    throw error;
  }
}

async function readReviews(
  { rest, paginate, owner, repo }: GitHubApi,
  number: number,
): Promise<readonly Remark[]> {
  const place = { owner, repo, pull_number: number, per_page: 100 };
  const [reviews, comments] = await Promise.all([
    paginate(rest.pulls.listReviews, place),
    paginate(rest.pulls.listReviewComments, place),
  ]);
  const verdicts = reviews.flatMap((review) => {
    // A review that its author has not submitted has no time.
    if (review.submitted_at === undefined || review.state === 'PENDING') return [];
    const verdict = verdictTexts[review.state];
    // Without a text or a decision, it is only the container of its comments.
    if (!review.body.trim() && verdict === undefined) return [];
    return [toRemark({ ...review, created_at: review.submitted_at, verdict: verdict ?? 'reviewed' })];
  });
  return [...verdicts, ...comments.map((comment) => ({ ...toRemark(comment), place: placeOf(comment) }))];
}

const verdictTexts: Readonly<Partial<Record<string, string>>> = {
  APPROVED: 'approved',
  CHANGES_REQUESTED: 'requested changes',
};

interface CommentAnswer {
  readonly user: { readonly login: string; readonly type: string } | null;
  readonly created_at: string;
  readonly body?: string | undefined;
  readonly verdict?: string;
}

function toRemark({ user, created_at, body, verdict }: CommentAnswer): Remark {
  const author = user === null ? undefined : { login: user.login, isBot: user.type === 'Bot' };
  return { at: created_at, body: body ?? '', ...defined({ author, verdict }) };
}

interface PlaceAnswer {
  readonly path: string;
  readonly line?: number | null | undefined;
  readonly original_line?: number | null | undefined;
  readonly start_line?: number | null | undefined;
}

/** A line that is no longer in the diff keeps its number at the time of the comment. */
function placeOf({ path, line, original_line, start_line }: PlaceAnswer): string {
  if (typeof line === 'number')
    return typeof start_line === 'number' ? `${path}:${start_line}-${line}` : `${path}:${line}`;
  return typeof original_line === 'number' ? `${path}:${original_line}, outdated` : path;
}
