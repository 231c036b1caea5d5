/**
 * Who stands behind the event that started the run, and what follows from it. Pure; the payload is read
 * leniently, because GitHub adds to it and a test may leave most of it out. Asking GitHub is `permission.ts`.
 */

/**
 * `fork`: a pull request from another repository, or Dependabot's: no secrets, no right to write.
 * `comment`: an event that anybody may cause but that runs with the secrets of the default branch.
 * `trusted`: only people with write permission can cause it.
 */
export type TrustClass = 'fork' | 'comment' | 'trusted';

/** What is known of the event. */
export interface EventFacts {
  readonly eventName: string;
  /** The parsed event file. */
  readonly payload: unknown;
  /** `owner/name` of the repository the run belongs to. */
  readonly repository: string;
  /** Who caused the run; stays the same in re-runs. */
  readonly actor: string;
  /** Who caused this attempt of it: in a re-run whoever pressed the button. */
  readonly triggeringActor: string;
}

/** What has to hold before an agent may start (contract 8, "Who starts it"). */
export interface RequiredActors {
  /** Logins that all need write permission; each once. */
  readonly logins: readonly string[];
  /** Whether HEAD must be `GITHUB_SHA`: the configuration in another checkout is somebody else's code. */
  readonly requiresEventCommit: boolean;
}

/**
 * Besides those that contract 8 names (comments, `pull_request_target`, `workflow_run`, reviews, issues), the
 * other events that need no write permission: discussions, wiki pages, forks, stars.
 */
const publicEvents: ReadonlySet<string> = new Set([
  'issue_comment',
  'issues',
  'pull_request_target',
  'pull_request_review',
  'pull_request_review_comment',
  'pull_request_comment',
  'workflow_run',
  'commit_comment',
  'discussion',
  'discussion_comment',
  'fork',
  'gollum',
  'watch',
]);

const dependabot = 'dependabot[bot]';

/** The trust class of the event: bound into every checkpoint. */
export function trustClass(event: EventFacts): TrustClass {
  if (publicEvents.has(event.eventName)) return 'comment';
  return isUntrustedPullRequest(event) ? 'fork' : 'trusted';
}

/**
 * Whether the run is for a pull request of a fork, or of Dependabot, and thus got no secrets. A push by
 * Dependabot to its own branch is the same. `pull_request_target` is not: that one gets the secrets.
 */
export function isUntrustedPullRequest(event: EventFacts): boolean {
  const { eventName } = event;
  if (eventName === 'push') return event.actor === dependabot;
  if (eventName === 'pull_request_target' || !eventName.startsWith('pull_request')) return false;
  return event.actor === dependabot || comesFromFork(event);
}

/** Who needs write permission for this event, and whether the checkout must be the event's own commit. */
export function requiredActors(event: EventFacts): RequiredActors {
  if (trustClass(event) !== 'comment') return { logins: [], requiresEventCommit: false };
  const workflowRunActor = textAt(event.payload, 'workflow_run', 'actor', 'login');
  const logins = [event.actor, event.triggeringActor, workflowRunActor ?? ''];
  return { logins: [...new Set(logins.filter((login) => login !== ''))], requiresEventCommit: true };
}

/** A pull request whose repository was deleted has none: it was a fork. */
function comesFromFork(event: EventFacts): boolean {
  const source = textAt(event.payload, 'pull_request', 'head', 'repo', 'full_name');
  return source?.toLowerCase() !== event.repository.toLowerCase();
}

function textAt(value: unknown, ...keys: readonly string[]): string | undefined {
  let current = value;
  for (const key of keys) {
    if (typeof current !== 'object' || current === null) return undefined;
    current = (current as Readonly<Record<string, unknown>>)[key];
  }
  return typeof current === 'string' ? current : undefined;
}
