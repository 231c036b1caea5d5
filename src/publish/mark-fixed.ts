/**
 * Marks findings that are gone: the comment says so, and its thread is resolved if the token may do that. For the token of
 * a job, GitHub asks for `contents: write` in addition to `pull-requests: write` (`resolveReviewThread`).
 */
import type { GitHubApi } from '../github/github-api.js';
import { isDenied } from './publish-problem.js';
import type { PostedFinding, PostedThread } from './review-plan.js';
import { withFixedFinding } from './review-text.js';
import { undefinedIfGone, writeUntilDone } from './write-once.js';

export interface GoneFindings {
  readonly pull: number;
  readonly gone: readonly PostedFinding[];
  /** The commit without them. */
  readonly commit: string;
}

export interface FixedFindings {
  /** Marked in this run. */
  readonly fixed: number;
  /** Those of them whose threads stay open, because the token may not resolve them. */
  readonly unresolved: number;
  /** Why not all were marked. */
  readonly error?: unknown;
}

/** Never rejects: what is not marked now is marked in a later run. */
export async function markFixed(api: GitHubApi, findings: GoneFindings): Promise<FixedFindings> {
  const counts = { fixed: 0, unresolved: 0 };
  try {
    await markThreads(api, findings, counts);
    await markInReviews(api, findings, counts);
    return counts;
  } catch (error) {
    return { ...counts, error };
  }
}

interface FixedCounts {
  fixed: number;
  unresolved: number;
}

async function markThreads(api: GitHubApi, { gone, commit }: GoneFindings, counts: FixedCounts) {
  let mayResolve = true;
  for (const { mark, body, in: where } of gone) {
    if (where.kind !== 'thread') continue;
    // First the text: without it, a later run would take a resolved thread for one that a person resolved.
    await editComment(api, where, withFixedFinding(body, mark, commit));
    counts.fixed += 1;
    mayResolve &&= await resolveThread(api, where);
    if (!mayResolve) counts.unresolved += 1;
  }
}

async function editComment({ rest, owner, repo }: GitHubApi, { comment }: PostedThread, body: string) {
  const write = () => rest.pulls.updateReviewComment({ owner, repo, comment_id: comment, body });
  await writeUntilDone(write).catch(undefinedIfGone);
}

const resolveMutation =
  'mutation ($thread: ID!) { resolveReviewThread(input: { threadId: $thread }) { thread { isResolved } } }';

/** Returns whether the token may do it. */
async function resolveThread({ graphql }: GitHubApi, { thread }: PostedThread): Promise<boolean> {
  try {
    await writeUntilDone(() => graphql(resolveMutation, { thread }));
    return true;
  } catch (error) {
    if (isDenied(error)) return false;
    throw error;
  }
}

/** One request for each review that has findings in its body. */
async function markInReviews(api: GitHubApi, { pull, gone, commit }: GoneFindings, counts: FixedCounts) {
  const { rest, owner, repo } = api;
  const ids = new Set(gone.flatMap(({ in: where }) => (where.kind === 'review' ? [where.review] : [])));
  for (const id of ids) {
    const place = { owner, repo, pull_number: pull, review_id: id };
    const { body } = (await rest.pulls.getReview(place)).data;
    const marks = gone.filter(({ in: where }) => where.kind === 'review' && where.review === id);
    const edited = marks.reduce((text, { mark }) => withFixedFinding(text, mark, commit), body);
    await writeUntilDone(() => rest.pulls.updateReview({ ...place, body: edited }));
    counts.fixed += marks.length;
  }
}
