/** Looks up pull requests at GitHub. `allowed-commits.ts` decides which of their commits are allowed. */
import { defined } from '../optional-keys.js';
import type { PullRequestFacts } from './allowed-commits.js';
import { type GitHubApiOptions, openGitHubApi, statusOf, unansweredError } from './github-api.js';

export interface PullRequestQuery {
  readonly numbers: readonly number[];
  /** Pull requests that contain this commit are found as well. */
  readonly commit: string;
}

/** Throws a `UserError` if GitHub does not answer. A pull request or commit that does not exist is left out. */
export async function findPullRequests(
  { numbers, commit }: PullRequestQuery,
  options: GitHubApiOptions,
): Promise<readonly PullRequestFacts[]> {
  const { rest, owner, repo } = await openGitHubApi(options);
  const ask = async <T>(what: string, request: () => Promise<T>): Promise<T | undefined> => {
    try {
      return await request();
    } catch (error) {
      // 422: GitHub has no such commit.
      if ([404, 422].includes(statusOf(error) ?? 0)) return undefined;
      const text = `which commits ${what} has`;
      throw unansweredError({ text, permission: 'pull-requests: read' }, options.apiUrl, error);
    }
  };
  const named = await Promise.all(
    numbers.map((pull_number) =>
      ask(`pull request #${pull_number}`, () => rest.pulls.get({ owner, repo, pull_number })),
    ),
  );
  const pulls = named.flatMap((answer) => (answer === undefined ? [] : [toFacts(answer.data)]));
  if (pulls.some(({ head, merge }) => head === commit || merge === commit)) return pulls;
  const around = await ask(`the pull request of ${commit}`, () =>
    rest.repos.listPullRequestsAssociatedWithCommit({ owner, repo, commit_sha: commit }),
  );
  const known = new Set(pulls.map(({ number }) => number));
  return [...pulls, ...(around?.data ?? []).map(toFacts).filter(({ number }) => !known.has(number))];
}

/** The part of GitHub's answer that is used. Its types say that `repo` cannot be null, but it can. */
interface PullRequestAnswer {
  readonly number: number;
  readonly merge_commit_sha: string | null;
  readonly head: { readonly sha: string; readonly repo: { readonly full_name: string } | null };
}

function toFacts({ number, head, merge_commit_sha }: PullRequestAnswer): PullRequestFacts {
  return {
    number,
    head: head.sha,
    ...defined({ headRepository: head.repo?.full_name, merge: merge_commit_sha ?? undefined }),
  };
}
