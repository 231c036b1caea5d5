/**
 * How far the event that started the run is trusted, and what that requires. Pure. Unknown or missing parts of
 * the payload are accepted, because GitHub extends it. `permission.ts` looks up permissions at GitHub.
 */

/**
 * `fork`: a pull request from another repository or by Dependabot, without secrets and write permission.
 * `comment`: an event that may run with the secrets of the default branch although anyone can trigger it.
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

/** Somebody whose permission is needed before an agent may start (docs/security.md). */
export interface RequiredActor {
  /** Empty: the payload should name this actor but does not. */
  readonly login: string;
  readonly isBot: boolean;
}

/**
 * The events that start agents without a check: only people with write permission can trigger them, or, like
 * `pull_request`, they get no secrets if anyone else does. Every other event needs the check, also one that GitHub
 * adds later.
 */
const uncheckedEvents: ReadonlySet<string> = new Set([
  'push',
  'pull_request',
  'merge_group',
  'workflow_dispatch',
  'repository_dispatch',
  'schedule',
  'release',
  'create',
  'delete',
  'workflow_call',
  'deployment',
]);

const dependabot = 'dependabot[bot]';

/** Whether the actors of the event need write permission, and the checkout must be that of an allowed commit. */
export function needsCheck({ eventName }: Pick<EventFacts, 'eventName'>): boolean {
  return !uncheckedEvents.has(eventName);
}

/** The trust class of the event. Every checkpoint is bound to it. */
export function trustClass(event: EventFacts): TrustClass {
  if (needsCheck(event)) return 'comment';
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

/** Who needs write permission for this event. Empty for an event that needs no check. */
export function requiredActors(event: EventFacts): readonly RequiredActor[] {
  if (!needsCheck(event)) return [];
  const logins = [event.actor, event.triggeringActor];
  if (event.eventName === 'workflow_run') {
    // The run that ended may be that of a pull request of a fork, while this one has the secrets.
    for (const key of ['actor', 'triggering_actor'])
      logins.push(textAt(event.payload, 'workflow_run', key, 'login') ?? '');
  }
  return [...new Set(logins)].map((login) => ({ login, isBot: isBot(event, login) }));
}

/**
 * Who needs write permission if the run has a credential. A pull request of a fork usually has none, but a
 * repository can send secrets to it, and a self-hosted machine can be logged in.
 */
export function requiredForkActors(event: EventFacts): readonly RequiredActor[] {
  if (event.eventName !== 'pull_request' || !comesFromFork(event)) return [];
  return [{ login: event.actor, isBot: isBot(event, event.actor) }];
}

/** Bots are GitHub Apps with the suffix, and a few, such as Copilot, that only the payload describes as bots. */
function isBot({ payload }: EventFacts, login: string): boolean {
  if (login.endsWith('[bot]')) return true;
  const holders = [['sender'], ['workflow_run', 'actor'], ['workflow_run', 'triggering_actor']];
  return holders.some(
    (path) => textAt(payload, ...path, 'login') === login && textAt(payload, ...path, 'type') === 'Bot',
  );
}

/** If the head repository was deleted, the payload has none. Then it was a fork. */
function comesFromFork(event: EventFacts): boolean {
  const source = textAt(event.payload, 'pull_request', 'head', 'repo', 'full_name');
  return source?.toLowerCase() !== event.repository.toLowerCase();
}

/** The text at a path of keys in a payload; `undefined` if there is none. */
export function textAt(value: unknown, ...keys: readonly string[]): string | undefined {
  const found = valueAt(value, ...keys);
  return typeof found === 'string' ? found : undefined;
}

/** The value at a path of keys in a payload. */
export function valueAt(value: unknown, ...keys: readonly string[]): unknown {
  let current = value;
  for (const key of keys) {
    if (typeof current !== 'object' || current === null) return undefined;
    current = (current as Readonly<Record<string, unknown>>)[key];
  }
  return current;
}
