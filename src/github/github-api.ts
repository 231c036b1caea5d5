/** The client for GitHub's REST and GraphQL API, bound to the repository of the run. */
import { UserError } from '../failure.js';
import { isRateLimit, statusOf } from './request-error.js';

export interface GitHubApiOptions {
  /** `owner/name`. */
  readonly repository: string;
  /** The input `github-token`. Nothing can be asked if it is absent or empty. */
  readonly token: string | undefined;
  /** GITHUB_API_URL. */
  readonly apiUrl: string;
}

type Octokit = ReturnType<typeof import('@actions/github').getOctokit>;

export interface GitHubApi extends Pick<Octokit, 'rest' | 'graphql' | 'paginate' | 'request' | 'hook'> {
  readonly owner: string;
  readonly repo: string;
}

/** With `request: { waitsForLimits: false }`, a request fails at once if a rate limit refuses it. */
interface LimitedRequest {
  readonly request?: Readonly<Record<string, unknown>>;
}

/** The longest wait that a rate limit of GitHub may ask for, in seconds. A longer one is an error. */
const maxWaitSeconds = 60;

/**
 * Opens the client. It waits as rate limits ask (`@octokit/plugin-throttling`: 429, and 403 of the primary and secondary limits),
 * for at most a minute and twice. It repeats reads that failed with 5xx or without an answer, twice
 * (`@octokit/plugin-retry`). It never repeats a request that writes: the caller must look first whether it took effect.
 *
 * Throws a `UserError` if the options allow no request.
 */
export async function openGitHubApi({ repository, token, apiUrl }: GitHubApiOptions): Promise<GitHubApi> {
  const [owner, repo] = repository.split('/');
  if (!owner || !repo)
    throw new UserError(
      `GITHUB_REPOSITORY: "${repository}" is not \`owner/name\`. Set it to the repository of the run.`,
    );
  if (!token) {
    throw new UserError(
      'Input `github-token` is empty, so the action cannot ask GitHub. ' +
        'Remove the input to use the token of the job.',
    );
  }
  // Loaded on demand, because most events need no request and the packages cost start-up time.
  const [{ getOctokit }, { retry }, { throttling }] = await Promise.all([
    import(/* webpackMode: "eager" */ '@actions/github'),
    import(/* webpackMode: "eager" */ '@octokit/plugin-retry'),
    import(/* webpackMode: "eager" */ '@octokit/plugin-throttling'),
  ]);
  const mayWait = (seconds: number, { request }: LimitedRequest, _octokit: unknown, waits: number) =>
    seconds <= maxWaitSeconds && waits < 2 && request?.waitsForLimits !== false;
  const octokit = getOctokit(
    token,
    {
      baseUrl: apiUrl,
      // Each rate limit is handled by the other plugin.
      retry: { retries: 2, doNotRetry: [400, 401, 403, 404, 406, 409, 410, 422, 429, 451] },
      throttle: { onRateLimit: mayWait, onSecondaryRateLimit: mayWait, fallbackSecondaryRateRetryAfter: 10 },
    },
    retry,
    throttling,
  );
  octokit.hook.before('request', (options) => {
    if (options.method !== 'GET') options.request = { ...options.request, retries: 0 };
  });
  const { rest, graphql, paginate, request, hook } = octokit;
  return { rest, graphql, paginate, request, hook, owner, repo };
}

/** `whether …` or `which …`, and the permission that the token needs for the answer. */
export interface GitHubQuestion {
  readonly text: string;
  readonly permission: string;
}

/** The error for a question that GitHub did not answer. */
export function unansweredError(question: GitHubQuestion, apiUrl: string, error: unknown): UserError {
  const problem = `GitHub (${apiUrl}) did not report ${question.text}`;
  return new UserError(`${problem}, so no agent starts: ${reasonOf(question, error)}`, { cause: error });
}

/** With what to do. */
function reasonOf({ permission }: GitHubQuestion, error: unknown): string {
  const status = statusOf(error);
  if (isRateLimit(error))
    return `status ${status}, the rate limit of the token is used up. Re-run the job later.`;
  if (status === 401 || status === 403)
    return `status ${status}. Set \`github-token\` to a valid token with \`${permission}\`.`;
  if (status === 404)
    return `status 404. Check that it exists, and that \`github-token\` has \`${permission}\`.`;
  const message = error instanceof Error ? error.message : String(error);
  return `${status ? `status ${status}: ` : ''}${message}. Re-run the job.`;
}
