/**
 * Asks GitHub whether people may write to the repository: the rim of `trust.ts`. Refusal is a `UserError`
 * for everything that is not a clear yes, also where GitHub cannot be asked.
 */
import { UserError, UserErrors } from '../failure.js';

/** Where and as whom GitHub is asked. */
export interface PermissionCheckOptions {
  /** `owner/name`. */
  readonly repository: string;
  /** The input `github-token`; absent or empty: refused. */
  readonly token: string | undefined;
  /** GITHUB_API_URL. */
  readonly apiUrl: string;
}

/** A repository permission as GitHub tells it: `admin`, `write`, `read` or `none`. */
type PermissionLookup = (login: string) => Promise<string>;

const enough: ReadonlySet<string> = new Set(['admin', 'write']);

/**
 * Returns when every login has write permission, and throws `UserErrors` that name each one that has not.
 * Bots are refused without asking: GitHub does not tell who made them act. Asks nothing where nobody is named.
 */
export async function requireWritePermission(
  logins: readonly string[],
  options: PermissionCheckOptions,
): Promise<void> {
  if (logins.length === 0) return;
  const bots = logins.filter((login) => login.endsWith('[bot]'));
  const people = logins.filter((login) => !bots.includes(login));
  const problems = bots.map(
    (login) => `${login} is a bot: an agent is not started for bots by an event that anybody may cause`,
  );
  if (people.length > 0) problems.push(...(await findPermissionProblems(people, options)));
  if (problems.length > 0) throw new UserErrors(problems);
}

async function findPermissionProblems(
  people: readonly string[],
  options: PermissionCheckOptions,
): Promise<readonly string[]> {
  const lookUpPermission = await createPermissionLookup(options);
  const answers = await Promise.all(
    people.map(async (login) => ({ login, permission: await lookUpPermission(login) })),
  );
  return answers
    .filter(({ permission }) => !enough.has(permission))
    .map(
      ({ login, permission }) =>
        `${login} has the permission "${permission}" in ${options.repository}, and this event starts an agent ` +
        'only for people who may write there; somebody with write permission has to cause the event',
    );
}

async function createPermissionLookup(options: PermissionCheckOptions): Promise<PermissionLookup> {
  const { repository, token, apiUrl } = options;
  const [owner, repo] = repository.split('/');
  if (!owner || !repo) throw new UserError(`GITHUB_REPOSITORY is "${repository}", not owner/name`);
  if (!token) {
    throw new UserError(
      'input "github-token" is empty, so GitHub cannot be asked who may start an agent; ' +
        'leave the input out to use the token of the job',
    );
  }
  // Lazy, because most events need no question and the package costs start-up time (platform.md 7.2).
  const { getOctokit } = await import(/* webpackMode: "eager" */ '@actions/github');
  const octokit = getOctokit(token, { baseUrl: apiUrl });
  return async (username) => {
    try {
      const answer = await octokit.rest.repos.getCollaboratorPermissionLevel({ owner, repo, username });
      return answer.data.permission;
    } catch (error) {
      if (statusOf(error) === 404) return 'none';
      throw lookupError(username, options, error);
    }
  };
}

function lookupError(login: string, options: PermissionCheckOptions, error: unknown): UserError {
  const status = statusOf(error);
  const problem = `GitHub (${options.apiUrl}) did not say whether ${login} may write to ${options.repository}`;
  const denied = status === 401 || status === 403;
  const reason = denied
    ? `status ${status}: the input "github-token" does not work there or has no "metadata: read"`
    : `${status ? `status ${status}: ` : ''}${error instanceof Error ? error.message : String(error)}; re-run the job`;
  return new UserError(`${problem}, so no agent is started: ${reason}`, { cause: error });
}

function statusOf(error: unknown): number | undefined {
  if (typeof error !== 'object' || error === null || !('status' in error)) return undefined;
  // A connection that failed is told by the client as status 500, with the true reason as its cause.
  if ('cause' in error && error.cause !== undefined) return undefined;
  return typeof error.status === 'number' ? error.status : undefined;
}
