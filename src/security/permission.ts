/**
 * Looks up at GitHub whether people may write to the repository. `trust.ts` decides whose permission is needed.
 * Throws a `UserError` unless GitHub clearly confirms the permission, also if GitHub does not answer.
 */
import { UserError, UserErrors } from '../failure.js';

export interface PermissionCheckOptions {
  /** `owner/name`. */
  readonly repository: string;
  /** The input `github-token`. The check fails if it is absent or empty. */
  readonly token: string | undefined;
  /** GITHUB_API_URL. */
  readonly apiUrl: string;
}

/** Returns the repository permission that GitHub reports: `admin`, `write`, `read` or `none`. */
type PermissionLookup = (login: string) => Promise<string>;

const writePermissions: ReadonlySet<string> = new Set(['admin', 'write']);

/**
 * Resolves if every login has write permission. Otherwise throws `UserErrors` that name each login without it.
 * Refuses bots without a request, because GitHub does not report who made them act. Sends no request for an
 * empty list.
 */
export async function requireWritePermission(
  logins: readonly string[],
  options: PermissionCheckOptions,
): Promise<void> {
  if (logins.length === 0) return;
  const bots = logins.filter((login) => login.endsWith('[bot]'));
  const people = logins.filter((login) => !bots.includes(login));
  const problems = bots.map(
    (login) =>
      `${login} is a bot, and anyone can trigger this event. No agent starts. Let a person with write permission trigger the event.`,
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
    .filter(({ permission }) => !writePermissions.has(permission))
    .map(
      ({ login, permission }) =>
        `${login} has the permission "${permission}" in ${options.repository}, but this event needs write permission. ` +
        'No agent starts. Let a person with write permission trigger the event.',
    );
}

async function createPermissionLookup(options: PermissionCheckOptions): Promise<PermissionLookup> {
  const { repository, token, apiUrl } = options;
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
  // Loaded on demand, because most events need no look-up and the package costs start-up time.
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
  const problem = `GitHub (${options.apiUrl}) did not report whether ${login} may write to ${options.repository}`;
  const denied = status === 401 || status === 403;
  const reason = denied
    ? `status ${status}. Set \`github-token\` to a valid token with \`metadata: read\`.`
    : `${status ? `status ${status}: ` : ''}${error instanceof Error ? error.message : String(error)}. Re-run the job.`;
  return new UserError(`${problem}, so no agent starts: ${reason}`, { cause: error });
}

function statusOf(error: unknown): number | undefined {
  if (typeof error !== 'object' || error === null || !('status' in error)) return undefined;
  // The client reports a failed connection as status 500, with the real reason as its cause.
  if ('cause' in error && error.cause !== undefined) return undefined;
  return typeof error.status === 'number' ? error.status : undefined;
}
