/**
 * Whether a commit is one of this repository. GitHub also shows the commits of all forks under the name of the
 * repository, so an answer alone proves nothing.
 */
import { type GitHubApiOptions, openGitHubApi } from '../github/github-api.js';
import { statusOf } from '../github/request-error.js';

/**
 * `repository`: a branch of the repository has it. `elsewhere`: GitHub knows it, for example from a fork. `unknown`:
 * GitHub does not know it, for example because a step of the job made it.
 */
export type CommitPlace = 'repository' | 'elsewhere' | 'unknown';

/**
 * `known`: a commit of the repository, whose ancestors are of the repository, too. Needs the permission `contents: read`.
 * Rejects if GitHub does not answer.
 */
export async function placeOfCommit(
  { commit, known }: { readonly commit: string; readonly known: string },
  options: GitHubApiOptions,
): Promise<CommitPlace> {
  const { rest, owner, repo } = await openGitHubApi(options);
  try {
    const place = { owner, repo, basehead: `${known}...${commit}`, per_page: 1 };
    const { data } = await rest.repos.compareCommitsWithBasehead(place);
    if (data.status === 'behind' || data.status === 'identical') return 'repository';
    const heads = await rest.repos.listBranchesForHeadCommit({ owner, repo, commit_sha: commit });
    return heads.data.length > 0 ? 'repository' : 'elsewhere';
  } catch (error) {
    // 422: GitHub has no such commit.
    if ([404, 422].includes(statusOf(error) ?? 0)) return 'unknown';
    throw error;
  }
}
