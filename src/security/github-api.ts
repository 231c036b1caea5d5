/** Asks the REST API of GitHub about the repository of the run. */
import { UserError } from '../failure.js';

export interface GitHubApiOptions {
  /** `owner/name`. */
  readonly repository: string;
  /** The input `github-token`. Nothing can be asked if it is absent or empty. */
  readonly token: string | undefined;
  /** GITHUB_API_URL. */
  readonly apiUrl: string;
}

/** What a request needs in addition to its own parameters. */
interface GitHubApi {
  readonly rest: ReturnType<typeof import('@actions/github').getOctokit>['rest'];
  readonly owner: string;
  readonly repo: string;
}

/** Throws a `UserError` if the options allow no request. */
export async function openGitHubApi({ repository, token, apiUrl }: GitHubApiOptions): Promise<GitHubApi> {
  const [owner, repo] = repository.split('/');
  if (!owner || !repo)
    throw new UserError(
      `GITHUB_REPOSITORY: "${repository}" is not \`owner/name\`. Set it to the repository of the run.`,
    );
  if (!token) {
    throw new UserError(
      'Input `github-token` is empty, so the action cannot check who may start an agent. ' +
        'Remove the input to use the token of the job.',
    );
  }
  // Loaded on demand, because most events need no request and the package costs start-up time.
  const { getOctokit } = await import(/* webpackMode: "eager" */ '@actions/github');
  return { rest: getOctokit(token, { baseUrl: apiUrl }).rest, owner, repo };
}

/** `whether …` or `which …`, and the permission that the token needs for the answer. */
export interface GitHubQuestion {
  readonly text: string;
  readonly permission: string;
}

/** The error for a question that GitHub did not answer. */
export function unansweredError(question: GitHubQuestion, apiUrl: string, error: unknown): UserError {
  const status = statusOf(error);
  const problem = `GitHub (${apiUrl}) did not report ${question.text}`;
  const denied = status === 401 || status === 403;
  const reason = denied
    ? `status ${status}. Set \`github-token\` to a valid token with \`${question.permission}\`.`
    : `${status ? `status ${status}: ` : ''}${error instanceof Error ? error.message : String(error)}. Re-run the job.`;
  return new UserError(`${problem}, so no agent starts: ${reason}`, { cause: error });
}

/** The HTTP status of a failed request. `undefined` if there was no answer. */
export function statusOf(error: unknown): number | undefined {
  if (typeof error !== 'object' || error === null || !('status' in error)) return undefined;
  // The client reports a failed connection as status 500, with the real reason as its cause.
  if ('cause' in error && error.cause !== undefined) return undefined;
  return typeof error.status === 'number' ? error.status : undefined;
}
