/**
 * The commits whose files an agent may run on, for events that need a check: configuration in a checkout can run
 * code, so it must come from people with write permission (docs/security.md). Pure.
 */
import { type EventFacts, textAt, valueAt } from './trust.js';

export interface AllowedCommit {
  readonly commit: string;
  /** What the commit is, for messages. */
  readonly name: string;
}

/** A pull request as GitHub reports it. */
export interface PullRequestFacts {
  readonly number: number;
  /** `owner/name`. Absent if the repository was deleted. */
  readonly headRepository?: string;
  readonly head: string;
  /**
   * The merges of head and base that GitHub prepared: the newest, and the one that a checkout gets. They differ while
   * GitHub makes a new one after a push to the base. Empty if there is none, for example because of a conflict.
   */
  readonly merges: readonly string[];
}

/**
 * The commits that the event itself names: its own, the head and merge of its pull request as they were at the event,
 * and the head of an earlier run. The last three only if they are from this repository.
 */
export function commitsOfEvent(event: EventFacts, sha: string): readonly AllowedCommit[] {
  return [
    { commit: sha, name: 'the commit of the event' },
    ...commitsOfEarlierRun(event),
    ...commitsOfPayload(event),
  ];
}

function commitsOfEarlierRun({ eventName, payload, repository }: EventFacts): readonly AllowedCommit[] {
  const commit = textAt(payload, 'workflow_run', 'head_sha');
  const source = textAt(payload, 'workflow_run', 'head_repository', 'full_name');
  if (eventName !== 'workflow_run' || commit === undefined || !isSameRepository(source, repository))
    return [];
  return [{ commit, name: 'the head commit of the earlier workflow run' }];
}

/** A re-run after a push still checks out the head that the payload names. */
function commitsOfPayload({ payload, repository }: EventFacts): readonly AllowedCommit[] {
  const source = textAt(payload, 'pull_request', 'head', 'repo', 'full_name');
  if (!isSameRepository(source, repository)) return [];
  const head = textAt(payload, 'pull_request', 'head', 'sha');
  const merge = textAt(payload, 'pull_request', 'merge_commit_sha');
  return [
    ...(head === undefined ? [] : [{ commit: head, name: 'the head of the pull request at the event' }]),
    ...(merge === undefined ? [] : [{ commit: merge, name: 'the merge commit at the event' }]),
  ];
}

/** The numbers of the pull requests of this repository that the event is about. */
export function pullRequestNumbers({ eventName, payload, repository }: EventFacts): readonly number[] {
  const isOfPullRequest = valueAt(payload, 'issue', 'pull_request') !== undefined;
  const listed = valueAt(payload, eventName, 'pull_requests');
  const found = [
    valueAt(payload, 'pull_request', 'number'),
    ...(isOfPullRequest ? [valueAt(payload, 'issue', 'number')] : []),
    ...(Array.isArray(listed) ? listed : [])
      .filter((one) => isInto(one, repository))
      .map((one) => valueAt(one, 'number')),
  ];
  return [...new Set(found.filter((one) => typeof one === 'number'))];
}

/** GitHub also lists pull requests with the same head commit into other repositories, whose numbers mean nothing here. */
function isInto(pull: unknown, repository: string): boolean {
  const url = textAt(pull, 'base', 'repo', 'url');
  return url === undefined || url.toLowerCase().endsWith(`/repos/${repository.toLowerCase()}`);
}

/** Head and merge commit of each pull request that comes from this repository and not from a fork. */
export function commitsOfPullRequests(
  pulls: readonly PullRequestFacts[],
  repository: string,
): readonly AllowedCommit[] {
  return pulls
    .filter(({ headRepository }) => isSameRepository(headRepository, repository))
    .flatMap(({ number, head, merges }) => [
      { commit: head, name: `the head of pull request #${number}` },
      ...merges.map((commit) => ({ commit, name: `the merge commit of pull request #${number}` })),
    ]);
}

/** Why the commits of the other pull requests are not allowed, as sentences. */
export function forkNotes(pulls: readonly PullRequestFacts[], repository: string): readonly string[] {
  return pulls
    .filter(({ headRepository }) => !isSameRepository(headRepository, repository))
    .map(
      ({ number, headRepository = 'a deleted repository' }) =>
        `Pull request #${number} comes from ${headRepository}, so its commits are not allowed.`,
    );
}

/** Names of repositories, `owner/name`, do not depend on case. */
export function isSameRepository(one: string | undefined, other: string): boolean {
  return one?.toLowerCase() === other.toLowerCase();
}
