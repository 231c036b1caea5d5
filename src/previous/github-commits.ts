/** Compares commits through GitHub's REST API, so that a shallow checkout is enough. */
import { type GitHubApiOptions, openGitHubApi } from '../github/github-api.js';
import type { CommitSource } from './commit-distance.js';

/** The permission `contents: read` is needed. Without an answer, for whatever reason, GitHub cannot tell. */
export function githubCommits(options: GitHubApiOptions): CommitSource {
  const ask = async <T>(work: (api: Awaited<ReturnType<typeof openGitHubApi>>) => Promise<T>) => {
    try {
      return await work(await openGitHubApi(options));
    } catch {
      return undefined;
    }
  };
  return {
    compare: (base, head) =>
      ask(async ({ rest, owner, repo }) => {
        // At most 300 files, whatever the page.
        const { data } = await rest.repos.compareCommitsWithBasehead({
          owner,
          repo,
          basehead: `${base}...${head}`,
        });
        return {
          mergeBase: data.merge_base_commit.sha,
          files: (data.files ?? []).map(({ filename }) => filename),
        };
      }),
    diff: (base, head) =>
      ask(async ({ rest, owner, repo }) => {
        const { data } = await rest.repos.compareCommitsWithBasehead({
          owner,
          repo,
          basehead: `${base}...${head}`,
          mediaType: { format: 'diff' },
        });
        // With this media type, the body is text.
        return String(data);
      }),
  };
}
