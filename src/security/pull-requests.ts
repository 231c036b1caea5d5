/** Looks up pull requests and commits at GitHub. `allowed-commits.ts` decides which of the commits are allowed. */

import {
  type GitHubApi,
  type GitHubApiOptions,
  openGitHubApi,
  unansweredError,
} from '../github/github-api.js';
import { statusOf } from '../github/request-error.js';
import { defined } from '../optional-keys.js';
import type { PullRequestFacts } from './allowed-commits.js';

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
  const lookup = await openLookup(options);
  const { rest, owner, repo } = lookup.api;
  const named = await Promise.all(
    numbers.map((pull_number) =>
      lookup.ask(`which commits pull request #${pull_number} has`, () =>
        rest.pulls.get({ owner, repo, pull_number }),
      ),
    ),
  );
  const pulls = named.flatMap((answer) => (answer === undefined ? [] : [toFacts(answer.data)]));
  if (pulls.some((pull) => hasCommit(pull, commit))) return pulls;
  const [merged, around] = await Promise.all([
    Promise.all(pulls.map((pull) => withCheckedOutMerge(pull, lookup))),
    lookup.ask(`which pull request ${commit} belongs to`, () =>
      rest.repos.listPullRequestsAssociatedWithCommit({ owner, repo, commit_sha: commit }),
    ),
  ]);
  const known = new Set(pulls.map(({ number }) => number));
  return [...merged, ...(around?.data ?? []).map(toFacts).filter(({ number }) => !known.has(number))];
}

/**
 * The trees of commits that a checkout may lack because it is shallow. A commit that GitHub does not show to this token
 * has none. Throws a `UserError` if GitHub does not answer.
 */
export async function findTrees(
  commits: readonly string[],
  options: GitHubApiOptions,
): Promise<ReadonlyMap<string, string>> {
  const { api, ask } = await openLookup(options);
  const { rest, owner, repo } = api;
  const found = await Promise.all(
    commits.map(async (commit_sha) => {
      const answer = await ask(
        `which files ${commit_sha} has`,
        () => rest.git.getCommit({ owner, repo, commit_sha }),
        [403, 409],
      );
      return answer === undefined ? [] : [[commit_sha, answer.data.tree.sha] as const];
    }),
  );
  return new Map(found.flat());
}

interface CommitLookup {
  readonly api: GitHubApi;
  /** `text`: `which …`. `undefined` if what is asked for does not exist, or if the status is one of `others`. */
  ask<T>(text: string, request: () => Promise<T>, others?: readonly number[]): Promise<T | undefined>;
}

async function openLookup(options: GitHubApiOptions): Promise<CommitLookup> {
  return {
    api: await openGitHubApi(options),
    async ask(text, request, others = []) {
      try {
        return await request();
      } catch (error) {
        // 422: GitHub has no such commit.
        if ([404, 422, ...others].includes(statusOf(error) ?? 0)) return undefined;
        throw unansweredError({ text, permission: 'pull-requests: read' }, options.apiUrl, error);
      }
    },
  };
}

function hasCommit({ head, merges }: PullRequestFacts, commit: string): boolean {
  return head === commit || merges.includes(commit);
}

/** The pull request can name no merge, or a newer one, while `refs/pull/N/merge` still is the one before. */
async function withCheckedOutMerge(
  pull: PullRequestFacts,
  { api: { rest, owner, repo }, ask }: CommitLookup,
): Promise<PullRequestFacts> {
  const ref = `pull/${pull.number}/merge`;
  const answer = await ask(
    `which commit \`refs/${ref}\` is`,
    () => rest.git.getRef({ owner, repo, ref }),
    [403, 409],
  );
  const merge = answer?.data.object.sha;
  return merge === undefined ? pull : { ...pull, merges: [...new Set([...pull.merges, merge])] };
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
    merges: merge_commit_sha === null ? [] : [merge_commit_sha],
    ...defined({ headRepository: head.repo?.full_name }),
  };
}
