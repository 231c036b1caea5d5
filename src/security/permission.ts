/**
 * Looks up at GitHub whether people may write to the repository. `trust.ts` decides whose permission is needed.
 * Throws a `UserError` unless GitHub clearly confirms the permission, also if GitHub does not answer.
 */
import { UserErrors } from '../failure.js';
import { type GitHubApiOptions, openGitHubApi, unansweredError } from '../github/github-api.js';
import { statusOf } from '../github/request-error.js';
import type { RequiredActor } from './trust.js';

export interface PermissionCheckOptions extends GitHubApiOptions {
  /** The input `allowed-bots`: logins of bots, with or without `[bot]`. */
  readonly allowedBots: readonly string[];
}

/** Returns the repository permission that GitHub reports: `admin`, `write`, `read` or `none`. */
export type PermissionLookup = (login: string) => Promise<string>;

const writePermissions: ReadonlySet<string> = new Set(['admin', 'write']);

/**
 * Resolves if every person has write permission and every bot is allowed. Otherwise throws `UserErrors` that name
 * each of the others. Never asks about bots, because GitHub does not report who made them act. Sends no request if
 * there are no people.
 */
export async function requireWritePermission(
  actors: readonly RequiredActor[],
  options: PermissionCheckOptions,
): Promise<void> {
  const bots = actors.filter(({ isBot }) => isBot).map(({ login }) => login);
  const people = actors.filter(({ login, isBot }) => login !== '' && !isBot).map(({ login }) => login);
  const problems = bots
    .filter((login) => !isAllowedBot(login, options.allowedBots))
    .map(
      (login) =>
        `${login} is a bot that the input \`allowed-bots\` does not name. No agent starts. ` +
        'Name the bot there, or let a person with write permission trigger the event.',
    );
  if (actors.some(({ login }) => login === ''))
    problems.push(
      'The event does not name everybody who started the earlier workflow run, so nobody can check their permission. ' +
        'No agent starts. Let a person with write permission trigger the event.',
    );
  if (people.length > 0) problems.push(...(await findPermissionProblems(people, options)));
  if (problems.length > 0) throw new UserErrors(problems);
}

/** Whether a person with this permission may write to the repository. `maintain` is reported as `write`. */
export function mayWrite(permission: string): boolean {
  return writePermissions.has(permission);
}

/** A name without the suffix means the bot, never a person of this name: only the login of a bot is compared. */
export function isAllowedBot(login: string, allowed: readonly string[]): boolean {
  const name = login.toLowerCase();
  return allowed.some((one) => [one.toLowerCase(), `${one.toLowerCase()}[bot]`].includes(name));
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
    .filter(({ permission }) => !mayWrite(permission))
    .map(
      ({ login, permission }) =>
        `${login} has the permission "${permission}" in ${options.repository}, but this event needs write permission. ` +
        'No agent starts. Let a person with write permission trigger the event.',
    );
}

/** Asks GitHub. The lookup rejects with a `UserError` if GitHub does not answer. */
export async function createPermissionLookup(options: GitHubApiOptions): Promise<PermissionLookup> {
  const { rest, owner, repo } = await openGitHubApi(options);
  return async (username) => {
    try {
      const answer = await rest.repos.getCollaboratorPermissionLevel({ owner, repo, username });
      return answer.data.permission;
    } catch (error) {
      if (statusOf(error) === 404) return 'none';
      const text = `whether ${username} may write to ${options.repository}`;
      throw unansweredError({ text, permission: 'metadata: read' }, options.apiUrl, error);
    }
  };
}
