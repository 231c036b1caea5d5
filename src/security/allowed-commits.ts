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
  /** The merge of head and base that GitHub prepares. Absent if there is none. */
  readonly merge?: string;
}

/** The commits that the event itself names: its own, and the head of an earlier run of this repository. */
export function commitsOfEvent(event: EventFacts, sha: string): readonly AllowedCommit[] {
  const own = { commit: sha, name: 'the commit of the event' };
  const head = textAt(event.payload, 'workflow_run', 'head_sha');
  const source = textAt(event.payload, 'workflow_run', 'head_repository', 'full_name');
  if (event.eventName !== 'workflow_run' || head === undefined) return [own];
  return isSameRepository(source, event.repository)
    ? [own, { commit: head, name: 'the head commit of the earlier workflow run' }]
    : [own];
}

/** The numbers of the pull requests that the event is about. */
export function pullRequestNumbers({ eventName, payload }: EventFacts): readonly number[] {
  const isOfPullRequest = valueAt(payload, 'issue', 'pull_request') !== undefined;
  const listed = valueAt(payload, eventName, 'pull_requests');
  const found = [
    valueAt(payload, 'pull_request', 'number'),
    ...(isOfPullRequest ? [valueAt(payload, 'issue', 'number')] : []),
    ...(Array.isArray(listed) ? listed.map((one) => valueAt(one, 'number')) : []),
  ];
  return [...new Set(found.filter((one) => typeof one === 'number'))];
}

/** Head and merge commit of each pull request that comes from this repository and not from a fork. */
export function commitsOfPullRequests(
  pulls: readonly PullRequestFacts[],
  repository: string,
): readonly AllowedCommit[] {
  return pulls
    .filter(({ headRepository }) => isSameRepository(headRepository, repository))
    .flatMap(({ number, head, merge }) => [
      { commit: head, name: `the head of pull request #${number}` },
      ...(merge === undefined
        ? []
        : [{ commit: merge, name: `the merge commit of pull request #${number}` }]),
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

function isSameRepository(one: string | undefined, other: string): boolean {
  return one?.toLowerCase() === other.toLowerCase();
}
