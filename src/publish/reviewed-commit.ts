/** The commit of the pull request that was reviewed, and its diff. */
import type { GitHubApi } from '../github/github-api.js';
import { defined } from '../optional-keys.js';
import type { FilePatch } from './diff-lines.js';

export interface ReviewedDiff {
  readonly commit: string;
  readonly files: readonly FilePatch[];
}

/**
 * `candidates`: commits that the run may have reviewed, the most likely first; one that is not part of the pull request
 * does not count. Without any, the head of the pull request counts: its diff came through the API.
 */
export async function readReviewedDiff(
  api: GitHubApi,
  pull: number,
  candidates: readonly string[],
): Promise<ReviewedDiff> {
  const { rest, paginate, owner, repo } = api;
  const place = { owner, repo, pull_number: pull, per_page: 100 };
  const { head, base } = (await rest.pulls.get({ owner, repo, pull_number: pull })).data;
  const commit = await findReviewed(candidates, head.sha, async () => {
    return (await paginate(rest.pulls.listCommits, place)).map(({ sha }) => sha);
  });
  if (commit === head.sha)
    return { commit, files: (await paginate(rest.pulls.listFiles, place)).map(patchOf) };
  // The head has moved, so the lines are those of an earlier diff.
  const basehead = `${base.sha}...${commit}`;
  const { files = [] } = (await rest.repos.compareCommitsWithBasehead({ owner, repo, basehead })).data;
  return { commit, files: files.map(patchOf) };
}

async function findReviewed(
  candidates: readonly string[],
  head: string,
  readCommits: () => Promise<readonly string[]>,
): Promise<string> {
  if (candidates.length === 0 || candidates[0] === head) return head;
  const commits = await readCommits();
  return candidates.find((one) => one === head || commits.includes(one)) ?? head;
}

function patchOf({
  filename,
  patch,
}: {
  readonly filename: string;
  readonly patch?: string | undefined;
}): FilePatch {
  return { path: filename, ...defined({ patch }) };
}
