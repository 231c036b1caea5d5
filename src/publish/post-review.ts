/**
 * Posts the findings of a run as one review, and marks those of earlier runs that are gone. It reads first what earlier
 * runs posted, so that no finding is posted twice, in this run or in any other.
 */
import type { GitHubApi } from '../github/github-api.js';
import { statusOf } from '../github/request-error.js';
import type { Finding } from '../outputs/findings.js';
import { type DiffLines, diffLines } from './diff-lines.js';
import { type IdentifiedFinding, identifyFindings, type ReadCode } from './finding-identity.js';
import { type FixedFindings, markFixed } from './mark-fixed.js';
import { readEarlierFindings, readOwnReviews } from './posted-findings.js';
import { hasReviewMarker, shortHash } from './publication-marker.js';
import { type PlacedFinding, planReview, type ReviewPlan } from './review-plan.js';
import { findingComment, type ReviewTexts, reviewBody } from './review-text.js';
import { readReviewedDiff } from './reviewed-commit.js';
import { writeOnce } from './write-once.js';

export interface ReviewRequest {
  readonly pull: number;
  /** `placeKey` with the step. */
  readonly key: string;
  readonly texts: ReviewTexts;
  readonly findings: readonly Finding[];
  /** The verdict is negative without any finding. */
  readonly isIncomplete: boolean;
  /** Commits that the run may have reviewed, the most likely first. */
  readonly candidates: readonly string[];
  /** The commit of the checkout. */
  readonly checkout: string;
  readonly readCode: ReadCode;
  /** Whether a review with this content was posted before, as the journal knows. */
  wasPosted(content: string): boolean;
  onIntent(content: string): void;
  onPosted(content: string, url: string): void;
}

export interface ReviewOutcome extends FixedFindings {
  /** The page of the review. Absent: there was nothing new to say. */
  readonly url?: string;
  readonly inline: number;
  readonly inBody: number;
  /** Posted by an earlier run, and still found. */
  readonly known: number;
}

/** Throws the error of the request that failed. What was posted before it stays. */
export async function postReview(api: GitHubApi, request: ReviewRequest): Promise<ReviewOutcome> {
  const { pull, key } = request;
  const [diff, { tokenOwner, posted: earlier }] = await Promise.all([
    readReviewedDiff(api, pull, request.candidates),
    readEarlierFindings(api, pull, key),
  ]);
  const lines = diffLines(diff.files);
  const plan = planReview({
    findings: identifyFindings(request.findings, request.readCode),
    lines,
    isSameCommit: diff.commit === request.checkout,
    posted: earlier,
    isIncomplete: request.isIncomplete,
  });
  const posted = await postNew(api, { request, plan, lines, commit: diff.commit, tokenOwner });
  const fixed = await markFixed(api, { pull, gone: plan.gone, commit: diff.commit });
  return { ...posted, ...fixed, known: plan.known };
}

interface NewFindings {
  readonly request: ReviewRequest;
  readonly plan: ReviewPlan;
  readonly lines: DiffLines;
  readonly commit: string;
  readonly tokenOwner: string;
}

type PostedNew = Pick<ReviewOutcome, 'url' | 'inline' | 'inBody'>;

async function postNew(api: GitHubApi, fresh: NewFindings): Promise<PostedNew> {
  const { inline, inBody } = fresh.plan;
  const { request, commit } = fresh;
  const ids = [...inline, ...inBody].map(({ id }) => id).sort();
  const content = shortHash([request.pull, commit, ids]);
  if (ids.length === 0 || request.wasPosted(content)) return { inline: 0, inBody: 0 };
  request.onIntent(content);
  const send = async (comments: readonly PlacedFinding[], outside: readonly IdentifiedFinding[]) => {
    const url = await sendReview(api, fresh, content, { comments, outside });
    request.onPosted(content, url);
    return { url, inline: comments.length, inBody: outside.length };
  };
  return send(inline, inBody).catch((error: unknown) => {
    // A line is not part of the diff, for example after a force-push. GitHub does not name it.
    if (statusOf(error) !== 422 || inline.length === 0) throw error;
    return send([], [...inline, ...inBody]);
  });
}

interface ReviewParts {
  readonly comments: readonly PlacedFinding[];
  readonly outside: readonly IdentifiedFinding[];
}

/** One request for the whole review, because each comment of its own counts for the secondary rate limit. */
async function sendReview(
  api: GitHubApi,
  { request, lines, commit, tokenOwner }: NewFindings,
  content: string,
  { comments, outside }: ReviewParts,
): Promise<string> {
  const { rest, owner, repo } = api;
  const { key, pull } = request;
  const identity = { key, content };
  const count = comments.length + outside.length;
  const review = {
    owner,
    repo,
    pull_number: pull,
    commit_id: commit,
    event: 'COMMENT',
    body: reviewBody(identity, request.texts, { count, outside }),
    comments: comments.map((one) => ({ ...placeOf(one), body: findingComment(key, one, lines) })),
  } as const;
  return writeOnce(
    async () => (await rest.pulls.createReview(review)).data.html_url,
    async () => {
      const reviews = await readOwnReviews(api, pull, tokenOwner);
      return reviews.find(({ body }) => hasReviewMarker(body, key, content))?.url;
    },
  );
}

function placeOf({ place: { path, line, startLine } }: PlacedFinding) {
  const start = startLine === undefined ? {} : ({ start_line: startLine, start_side: 'RIGHT' } as const);
  return { path, line, side: 'RIGHT', ...start } as const;
}
