/**
 * How far the event that started the run is trusted, and what that requires. Pure. Unknown or missing parts of
 * the payload are accepted, because GitHub extends it. `permission.ts` looks up permissions at GitHub.
 */

/**
 * `fork`: a pull request from another repository or by Dependabot, without secrets and write permission.
 * `comment`: an event that anyone can trigger but that runs with the secrets of the default branch.
 * `trusted`: an event that only people with write permission can trigger.
 */
export type TrustClass = 'fork' | 'comment' | 'trusted';

export interface EventFacts {
  readonly eventName: string;
  /** The parsed event file. */
  readonly payload: unknown;
  /** `owner/name` of the repository that the run belongs to. */
  readonly repository: string;
  /** Who started the run; stays the same in re-runs. */
  readonly actor: string;
  /** Who started this job attempt. In a re-run, this is the person who re-ran the job. */
  readonly triggeringActor: string;
}

/** What must be true before an agent may start (docs/security.md). */
export interface RequiredActors {
  /** Logins that all need write permission, each once. */
  readonly logins: readonly string[];
  /** Whether HEAD must be `GITHUB_SHA`. Another checkout may contain an untrusted configuration. */
  readonly requiresEventCommit: boolean;
}

/** The events that people without write permission can trigger and that run with secrets. */
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

/** The trust class of the event. Every checkpoint is bound to it. */
export function trustClass(event: EventFacts): TrustClass {
  if (publicEvents.has(event.eventName)) return 'comment';
  return isUntrustedPullRequest(event) ? 'fork' : 'trusted';
}

/**
 * Whether the run is for a pull request of a fork or of Dependabot, and so has no secrets. This includes a push
 * by Dependabot to its own branch, but not `pull_request_target`, which gets secrets.
 */
export function isUntrustedPullRequest(event: EventFacts): boolean {
  const { eventName } = event;
  if (eventName === 'push') return event.actor === dependabot;
  if (eventName === 'pull_request_target' || !eventName.startsWith('pull_request')) return false;
  return event.actor === dependabot || comesFromFork(event);
}

/** Who needs write permission for this event, and whether the checkout must be at the event's commit. */
export function requiredActors(event: EventFacts): RequiredActors {
  if (trustClass(event) !== 'comment') return { logins: [], requiresEventCommit: false };
  const workflowRunActor = textAt(event.payload, 'workflow_run', 'actor', 'login');
  const logins = [event.actor, event.triggeringActor, workflowRunActor ?? ''];
  return { logins: [...new Set(logins.filter((login) => login !== ''))], requiresEventCommit: true };
}

/** If the head repository was deleted, the payload has none. Then it was a fork. */
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
