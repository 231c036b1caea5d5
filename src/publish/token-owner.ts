/**
 * Whose name is on what the token writes. `viewer` of the GraphQL API answers for every kind of token; `GET /user` refuses
 * the token of a job and of an app (403, "Resource not accessible by integration").
 */
import type { GitHubApi } from '../github/github-api.js';

/** The login as `isOwnedBy` compares it: `ada`, or `github-actions[bot]` for the token of a job. */
export async function readTokenOwner({ graphql }: Pick<GitHubApi, 'graphql'>): Promise<string> {
  const { viewer } = await graphql<{ viewer: { login: string } }>('query { viewer { login } }');
  return viewer.login.toLowerCase();
}

export interface Author {
  readonly login: string;
  /** `Bot`: in the REST API, the login has `[bot]` at its end; in the GraphQL API, it does not. */
  readonly type: string;
}

/** A deleted account is no author. A person called `github-actions` is not the bot of this name. */
export function isOwnedBy(owner: string, author: Author | null | undefined): boolean {
  if (author === null || author === undefined) return false;
  const login = author.login.toLowerCase();
  const isShortened = author.type === 'Bot' && !login.endsWith('[bot]');
  return (isShortened ? `${login}[bot]` : login) === owner;
}
