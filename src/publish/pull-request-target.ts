/** Pull requests of one repository at GitHub, from its own branches. */
import type { GitHubApi } from '../github/github-api.js';
import { messageOf, statusOf } from '../github/request-error.js';
import type { Clock } from '../system/clock.js';
import { lookThenRepeat } from './look-then-repeat.js';
import type { PullRequestText } from './pull-request-text.js';

export interface FoundPullRequest extends PullRequestText {
  readonly number: number;
  readonly url: string;
  readonly isOpen: boolean;
  /** The branch that it is merged into. */
  readonly base: string;
}

export interface NewPullRequest extends PullRequestText {
  readonly branch: string;
  readonly base: string;
}

export interface PullRequestTarget {
  /** All pull requests from the branch, newest first. */
  list(branch: string): Promise<readonly FoundPullRequest[]>;
  /** If there is an open one from this branch already, returns that. */
  create(request: NewPullRequest): Promise<FoundPullRequest>;
  update(number: number, text: PullRequestText): Promise<void>;
}

export function openPullRequestTarget(
  { rest, owner, repo, paginate }: GitHubApi,
  clock: Pick<Clock, 'sleep'>,
): PullRequestTarget {
  const place = { owner, repo };
  const list = async (branch: string) => {
    const query = { ...place, head: `${owner}:${branch}`, state: 'all' as const, per_page: 100 };
    const found = await paginate(rest.pulls.list, query);
    // GitHub lists forks of the same owner, too, and everything if it does not understand the `head`.
    return found.filter((pull) => pull.head.ref === branch && isOwn(pull)).map(toFound);
  };
  const findOpen = async (branch: string) => (await list(branch)).find(({ isOpen }) => isOpen);
  return {
    list,
    create({ branch, base, title, body }) {
      return lookThenRepeat(
        clock,
        async () => {
          try {
            const request = { ...place, head: branch, base, title, body };
            return toFound((await rest.pulls.create(request)).data);
          } catch (error) {
            const exists = statusOf(error) === 422 && /already exists/i.test(messageOf(error));
            const found = exists ? await findOpen(branch) : undefined;
            if (found === undefined) throw error;
            return found;
          }
        },
        () => findOpen(branch),
      );
    },
    async update(number, { title, body }) {
      const change = { ...place, pull_number: number, title, body };
      // Sending the same text twice changes nothing.
      await lookThenRepeat(
        clock,
        async () => void (await rest.pulls.update(change)),
        async () => undefined,
      );
    },
  };
}

/** The head is in the same repository as the base. The types say that a deleted repository is there. */
function isOwn({ head, base }: Heads): boolean {
  return head.repo?.full_name !== undefined && head.repo.full_name === base.repo.full_name;
}

interface Heads {
  readonly head: { readonly repo: { readonly full_name: string } | null };
  readonly base: { readonly repo: { readonly full_name: string } };
}

interface PullRequestBody {
  readonly number: number;
  readonly html_url: string;
  readonly state: string;
  readonly title: string;
  readonly body: string | null;
  readonly base: { readonly ref: string };
}

function toFound({ number, html_url, state, title, body, base }: PullRequestBody): FoundPullRequest {
  return { number, url: html_url, isOpen: state === 'open', title, body: body ?? '', base: base.ref };
}
