/** What the event of a run is about, and which template names so have values. Pure. */
import { pullRequestNumbers } from '../security/allowed-commits.js';
import type { Subject } from '../security/subject.js';
import { type EventFacts, valueAt } from '../security/trust.js';
import type { EventNamespace } from '../workflow/event-names.js';

/** The pull request and the issue that names stand for. The input `subject` takes precedence over the event. */
export interface EventNumbers {
  readonly pull?: number;
  /** A pull request is an issue, too, if the event is a comment on it. */
  readonly issue?: number;
}

export function eventNumbers(event: EventFacts, subject: Subject): EventNumbers {
  const pull = subject.pull ?? pullRequestNumbers(event)[0];
  const ofEvent = valueAt(event.payload, 'issue', 'number');
  const issue = subject.issue ?? (typeof ofEvent === 'number' ? ofEvent : undefined);
  return { ...(pull === undefined ? {} : { pull }), ...(issue === undefined ? {} : { issue }) };
}

/** The namespaces whose names have values in this run. */
export function eventNamespacesOf(event: EventFacts, subject: Subject): readonly EventNamespace[] {
  const { pull, issue } = eventNumbers(event, subject);
  return [
    ...(pull === undefined ? [] : (['pr'] as const)),
    ...(issue === undefined ? [] : (['issue'] as const)),
    ...(commentOf(event) === undefined ? [] : (['comment'] as const)),
    'run',
  ];
}

/** The comment or the review of the event, as the payload contains it. */
export function commentOf({ payload }: Pick<EventFacts, 'payload'>): unknown {
  return valueAt(payload, 'comment') ?? valueAt(payload, 'review');
}
