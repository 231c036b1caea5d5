/** The pull request that a run is about: from the event, else from GitHub. */
import { type GitHubApi, unansweredError } from '../github/github-api.js';
import { statusOf } from '../github/request-error.js';
import { defined } from '../optional-keys.js';
import { type EventFacts, textAt, valueAt } from '../security/trust.js';
import type { PullFacts } from './publish-branch.js';

/** `undefined` if the payload does not describe this pull request. */
export function pullOfEvent({ payload }: Pick<EventFacts, 'payload'>, number: number): PullFacts | undefined {
  const pull = valueAt(payload, 'pull_request');
  const headRef = textAt(pull, 'head', 'ref');
  const base = textAt(pull, 'base', 'ref');
  if (valueAt(pull, 'number') !== number || headRef === undefined || base === undefined) return undefined;
  return {
    number,
    isOpen: textAt(pull, 'state') !== 'closed',
    headRef,
    base,
    ...defined({ headRepository: textAt(pull, 'head', 'repo', 'full_name') }),
  };
}

/** `undefined` if GitHub has no such pull request. Throws a `UserError` if GitHub does not answer. */
export async function findPull(
  { rest, owner, repo }: GitHubApi,
  number: number,
  apiUrl: string,
): Promise<PullFacts | undefined> {
  try {
    const { data } = await rest.pulls.get({ owner, repo, pull_number: number });
    // The types say that the repository cannot be null, but it can, if it was deleted.
    const source = data.head.repo as { readonly full_name: string } | null;
    return {
      number,
      isOpen: data.state === 'open',
      headRef: data.head.ref,
      base: data.base.ref,
      ...defined({ headRepository: source?.full_name }),
    };
  } catch (error) {
    if (statusOf(error) === 404) return undefined;
    const text = `which branch pull request #${number} has`;
    throw unansweredError({ text, permission: 'pull-requests: read' }, apiUrl, error);
  }
}
